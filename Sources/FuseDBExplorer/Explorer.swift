internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBServing
internal import FuseDBSystem
package import FuseDBWeb

/// The pages at `/`: what is in the files that are served, and what changed.
///
/// | path | shows |
/// |---|---|
/// | `/` | the files; of one alone, its overview |
/// | `/NAME/` | the overview |
/// | `/NAME/find?q=…` | a key, or what answers a question |
/// | `/NAME/tree` | keys by their beginnings, or networks; `?in=BLOCK&field=…&value=…` chooses |
/// | `/NAME/shape` | how long, how large, how often |
/// | `/NAME/change?from=OTHER` | what another file answers differently; swaps |
/// | `/NAME/verify` | what verification found; a POST begins it |
/// | `/NAME/rollback` | a POST with a token goes back to the file before |
/// | `/~/…` | style sheet, script |
///
/// Each has a JSON twin: `format=json` in the query, or `Accept: application/json`.
package struct Explorer: Sendable {
  package let databases: [ServedDatabase]
  let works: ExplorerWorks

  /// - Parameter works: what was begun for pages before. A server keeps one, and hands it on to each explorer that it makes.
  package init(databases: [ServedDatabase], works: ExplorerWorks = ExplorerWorks()) {
    self.databases = databases
    self.works = works
  }

  /// The page or its JSON twin at an address; nil where the explorer has none.
  package func answer(to request: WebRequest) -> WebResponse? {
    let path = request.path.map { String(decoding: $0, as: UTF8.self) }
    if path.first == "~" { return path.count == 2 ? Assets.answer(path[1], request) : nil }
    let asJSON = Self.wantsJSON(request)
    guard let name = path.first(where: { _ in true }), !(path.count == 1 && name.isEmpty) else {
      return request.method == .post ? Self.refusedMethod("GET, HEAD") : list(asJSON: asJSON)
    }
    guard let database = databases.first(where: { $0.name == name }) else { return nil }
    guard path.count <= 2, let view = Link.View(rawValue: path.count == 2 ? path[1] : "") else { return nil }
    let asking = Asking(
      database: database, reader: database.reader.snapshot().forOneCall, request: request, explorer: self)
    if request.method == .post { return asking.post(view, asJSON: asJSON) }
    if path.count == 1, !asJSON { return Self.redirect(to: Link(name), status: 301) }
    do throws(FuseError) {
      var page =
        switch view {
        case .overview: try asking.overview()
        case .find: try asking.find()
        case .tree: try asking.tree()
        case .shape: asking.shape()
        case .change: try asking.change()
        case .verify: asking.verification()
        case .rollback: throw FuseError(.refused, "going back is a POST, with a token", path: nil)
        }
      page.generation = asking.reader.generation
      return page.response(asJSON: asJSON)
    } catch {
      let page = asking.failure(error, view: view)
      return asJSON
        ? Self.problem(page.status, error.code.rawValue, error.message) : page.response(asJSON: false)
    }
  }

  static func wantsJSON(_ request: WebRequest) -> Bool {
    if let format = request.parameter("format") { return format == Array("json".utf8) }
    guard let accept = request.header("accept") else { return false }
    return accept.contains("application/json") && !accept.contains("text/html")
  }

  static func redirect(to link: Link, status: Int) -> WebResponse {
    WebResponse(
      status: status, kind: "text/plain; charset=utf-8", headers: Page.headers + [("Location", link.text)],
      body: Array("see \(link.text)\n".utf8))
  }

  static func refusedMethod(_ allowed: String) -> WebResponse {
    problem(405, "method", "there is no such method here; allowed: \(allowed)", more: [("Allow", allowed)])
  }

  private static let titles = [
    400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
    500: "Internal Server Error",
  ]

  /// An error for programs. See RFC 9457.
  static func problem(
    _ status: Int, _ code: String, _ sentence: String, more: [(name: String, value: String)] = []
  ) -> WebResponse {
    let body = JSONTree.object([
      ("type", .text("about:blank")), ("title", .text(titles[status] ?? "Error")), ("status", .number(status)),
      ("code", .text(code)), ("detail", .text(sentence)),
    ]).bytes
    return WebResponse(status: status, kind: "application/problem+json", headers: Page.headers + more, body: body)
  }
}

/// What was begun for pages and is not done with them: counting, verifying. It keeps what was found.
package final class ExplorerWorks: Sendable {
  package init() {}

  /// A file, as it was at some time.
  struct Edition: Hashable, Sendable {
    var name: String
    var generation: Int
    var checksum: UInt32

    init(_ name: String, _ reader: FuseReader) {
      self.name = name
      generation = reader.generation
      checksum = reader.checksum
    }
  }

  /// Two editions.
  struct Pair: Hashable, Sendable {
    var old: Edition
    var new: Edition
  }

  let statistics = BackgroundJobs<Edition, Statistics>()
  let shapes = BackgroundJobs<Edition, Shape>()
  let changes = BackgroundJobs<Pair, ChangeCounts>()
  let verifications = BackgroundJobs<String, Verified>()
}

/// One request for a view of a file, with the reader that answers all of it.
struct Asking {
  let database: ServedDatabase
  let reader: FuseReader
  let request: WebRequest
  let explorer: Explorer

  var name: String { database.name }

  /// Files up to here are counted while somebody waits.
  var isSmall: Bool { reader.keyCount <= 50_000 && reader.byteCount <= 8_000_000 }

  func text(_ parameter: String) -> String? {
    request.parameter(parameter).map { String(decoding: $0, as: UTF8.self) }
  }

  func number(_ parameter: String) -> Int? { text(parameter).flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }

  func page(_ title: String, _ view: Link.View, _ link: Link) -> Page {
    Page(title: title, link: link, place: (name, view))
  }

  /// What the library says of a file that cannot answer.
  func failure(_ error: FuseError, view: Link.View) -> Page {
    var page = page("No answer", view, Link(name, view))
    page.status =
      switch error.code {
      case .notFound: 404
      case .refused, .invalidValue: 400
      default: 500
      }
    page.body.element("p", .class("bad"), text: error.description)
    return page
  }

  // MARK: What changes something

  func post(_ view: Link.View, asJSON: Bool) -> WebResponse {
    guard request.isOfThisOrigin else {
      return Explorer.problem(
        403, "origin", "the request comes from a page of another origin; send it from the page of this server")
    }
    switch view {
    case .verify:
      beginVerification()
      return asJSON ? verification().response(asJSON: true) : Explorer.redirect(to: Link(name, .verify), status: 303)
    case .rollback: return rollBack()
    default: return Explorer.refusedMethod("GET, HEAD")
    }
  }

  /// Goes back to the file before, where the request may.
  private func rollBack() -> WebResponse {
    guard request.mayControl else {
      return Explorer.problem(
        403, "token",
        "going back needs a token: send 'Authorization: Bearer TOKEN' with one of those in the server's file of tokens")
    }
    guard database.reader.keptReader != nil else {
      return Explorer.problem(409, "absent", "no file that was served before is kept; --keep says how many are")
    }
    do throws(FuseError) {
      try database.reader.rollback()
    } catch {
      return Explorer.problem(409, error.code.rawValue, error.message)
    }
    let generation = database.reader.generation
    database.note(ServedDatabase.Event(time: WallClock.now, generation: generation, refusal: nil, isRollback: true))
    if request.header("accept")?.contains("text/html") == true {
      return Explorer.redirect(to: Link(name, .change), status: 303)
    }
    return WebResponse(
      kind: "application/json", headers: Page.headers,
      body: JSONTree.object([("generation", .number(generation))]).bytes)
  }
}
