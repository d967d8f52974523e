/// One request over HTTP, as the routes see it: taken apart, and with every percent-encoding undone.
package struct WebRequest: Sendable {
  package enum Method: String, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
  }

  package var method: Method
  /// The segments of the path between slashes, decoded; none of `/`.
  package var path: [[UInt8]]
  /// The parts of the query in their order, decoded: `+` is a space.
  package var query: [(name: String, value: [UInt8])]
  /// The headers; names are in lower case.
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  /// Whether it bore a token that is known.
  package var isKnown: Bool

  package init(
    method: Method = .get, path: [[UInt8]], query: [(name: String, value: [UInt8])] = [],
    headers: [(name: String, value: String)] = [], body: [UInt8] = [], isKnown: Bool = false
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.isKnown = isKnown
  }

  /// The first value under `name` in the query.
  package func parameter(_ name: String) -> [UInt8]? { query.first { $0.name == name }?.value }

  /// The first value of the header `name`, which is in lower case.
  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

  /// Whether no page of another origin made a browser send it. Programs that are no browsers say nothing.
  package var isOfThisOrigin: Bool {
    if let site = header("sec-fetch-site"), site != "same-origin", site != "none" { return false }
    guard let origin = header("origin") else { return true }
    guard let host = header("host") else { return false }
    return origin == "http://" + host || origin == "https://" + host
  }

  /// Whether it may change something.
  package var mayControl: Bool { isKnown && isOfThisOrigin }
}
