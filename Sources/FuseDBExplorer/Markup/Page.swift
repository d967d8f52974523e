internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBWeb

/// A page: what all have in common around what one shows, and its JSON twin.
struct Page {
  /// What the page is about; its title and heading.
  var title: String
  /// Where it is.
  var link: Link
  /// The file that it is about, and the view; nil for the list of files.
  var place: (database: String, view: Link.View)?
  /// What stands in the box.
  var question: [UInt8] = []
  /// Whether some work is under way, and the page changes.
  var isLive = false
  var status = 200
  var body = Markup()
  /// The same for programs.
  var twin = JSONTree.null
  /// The file's generation, for the footer.
  var generation: Int?

  private static let views: [(view: Link.View, title: String)] = [
    (.overview, "Overview"), (.tree, "Keys"), (.shape, "Shape"), (.change, "Change"),
  ]

  static let securityPolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

  /// What all answers of the explorer bear. The server adds what all of its own do.
  static let headers: [(name: String, value: String)] = [
    ("Content-Security-Policy", securityPolicy),
    // Forms of these pages name their origin by it, others nothing.
    ("Referrer-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
  ]

  func response(asJSON: Bool) -> WebResponse {
    let headers = Self.headers + [("Cache-Control", "no-cache"), ("Vary", "Accept")]
    return asJSON
      ? WebResponse(status: status, kind: "application/json", headers: headers, body: twin.bytes)
      : WebResponse(status: status, kind: "text/html; charset=utf-8", headers: headers, body: html)
  }

  private var html: [UInt8] {
    var page = Markup()
    page.documentType()
    page.element("html", Attribute("lang", "en")) { html in
      html.element("head", content: head)
      html.element("body") { body in
        body.element("a", .class("skip"), .href(link.at("main")), text: "Skip to the content")
        body.element("header", content: top)
        body.element("main", .id("main"), Attribute("tabindex", "-1")) { main in
          main.element("h1", text: title)
          if isLive {
            main.element("div", .id("live"), Attribute("data-live", "yes")) { $0.append(self.body) }
          } else {
            main.element("div", .id("live")) { $0.append(self.body) }
          }
        }
        body.element("footer", content: bottom)
      }
    }
    return page.bytes
  }

  private func head(_ head: inout Markup) {
    head.void("meta", Attribute("charset", "utf-8"))
    head.void("meta", Attribute("name", "viewport"), Attribute("content", "width=device-width, initial-scale=1"))
    head.void("meta", Attribute("name", "color-scheme"), Attribute("content", "light dark"))
    head.element("title", text: (place.map { "\(title) · \($0.database)" } ?? title) + " · FuseDB")
    head.void("link", Attribute("rel", "stylesheet"), .href(.styles))
    head.void("link", Attribute("rel", "icon"), .href(Assets.icon))
    head.void("link", Attribute("rel", "alternate"), Attribute("type", "application/json"), .href(link.twin))
    if isLive {
      head.element("noscript") { $0.void("meta", Attribute("http-equiv", "refresh"), Attribute("content", "2")) }
    }
    head.element("script", .source(.script), .flag("defer")) { _ in }
  }

  private func top(_ top: inout Markup) {
    top.element("a", .class("brand"), .href(.root), Attribute("aria-label", "FuseDB: all files")) { $0.text("FuseDB") }
    guard let place else { return }
    top.element("a", .class("name"), .href(Link(place.database)), text: place.database)
    top.element("nav", Attribute("aria-label", "Views")) { nav in
      for (view, title) in Self.views {
        if view == place.view {
          nav.element("a", .href(Link(place.database, view)), Attribute("aria-current", "page"), text: title)
        } else {
          nav.link(Link(place.database, view), title)
        }
      }
    }
    top.searchForm(of: place.database, question: question)
  }

  private func bottom(_ bottom: inout Markup) {
    bottom.element("p") { line in
      line.link(link.twin, "This page as JSON")
      if let generation { line.text(" · generation \(generation)") }
      if let place { line.text(" · \(place.database)") }
    }
  }
}

extension Markup {
  /// The one box that takes a key, a beginning of keys, an address or a name.
  mutating func searchForm(of database: String, question: [UInt8] = []) {
    element(
      "form", .class("search"), .action(Link(database, .find)), Attribute("role", "search"),
      Attribute("aria-label", "Find in \(database)")
    ) {
      $0.void(
        "input", Attribute("type", "search"), Attribute("name", "q"),
        Attribute("aria-label", "Key, beginning of keys, address or name in \(database)"),
        Attribute("placeholder", "key, address, name, beginning"), Attribute("value", Self.spelled(question)),
        Attribute("dir", "auto"),
        Attribute("autocomplete", "off"), Attribute("spellcheck", "false"), Attribute("autocapitalize", "none"),
        Attribute("maxlength", "4096"))
      $0.element("button", Attribute("type", "submit"), text: "Find")
    }
  }

  /// A question as somebody could have typed it.
  static func spelled(_ question: [UInt8]) -> String {
    guard question.count <= 1024 else { return "" }
    let isText = question.rawSpan.isUTF8 && !question.contains { $0 < 0x20 || $0 == 0x7F }
    if isText { return String(decoding: question, as: UTF8.self) }
    var out: [UInt8] = []
    EscapedText.append(question.rawSpan, to: &out)
    return String(decoding: out, as: UTF8.self)
  }
}
