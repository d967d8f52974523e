internal import FuseDB
internal import FuseDBCommands

/// An error as `application/problem+json`. See spec/serve.md.
struct Problem {
  var status: Int
  /// A word that programs can tell the reason by.
  var code: String
  var detail: String
  var members: [(name: String, value: ReportValue)] = []

  init(status: Int, code: String? = nil, detail: String) {
    self.status = status
    self.code = code ?? Self.codes[status] ?? "request"
    self.detail = detail
  }

  /// What an error of the library says.
  init(_ error: FuseError) {
    let status =
      switch error.code {
      case .notFound: 404
      case .unavailable: 503
      default: 500
      }
    self.init(status: status, code: error.code.rawValue, detail: error.message)
    if let offset = error.offset { members.append(("offset", .offset(offset))) }
  }

  private static let codes = [
    400: "request", 401: "token", 404: "absent", 405: "method", 413: "tooLong", 414: "tooLong", 421: "host",
    431: "tooLong", 501: "encoding",
    503: "unavailable", 505: "version",
  ]

  private static let titles = [
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable",
    413: "Content Too Large", 414: "URI Too Long", 421: "Misdirected Request", 431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented", 503: "Service Unavailable", 505: "HTTP Version Not Supported",
  ]

  var bytes: [UInt8] {
    var writer = JSONWriter()
    writer.append(
      members: [
        ("type", .text("about:blank")), ("title", .text(Self.titles[status] ?? "Error")), ("status", .count(status)),
        ("code", .text(code)), ("detail", .text(detail)),
      ] + members)
    writer.append("\n")
    return writer.out
  }
}
