internal import FuseDBReading
internal import FuseDBServing
internal import FuseDBWeb

extension Explorer {
  /// All files; of one alone, the way to it.
  func list(asJSON: Bool) -> WebResponse {
    if databases.count == 1, !asJSON { return Self.redirect(to: Link(databases[0].name), status: 302) }
    var page = Page(title: "Files", link: .root)
    var twins: [JSONTree] = []
    page.body.element("ul", .class("cards")) { list in
      for database in databases {
        let reader = database.reader.snapshot()
        let counters = database.reader.counters
        list.element("li", .class("card")) { card in
          card.element("h2") { $0.link(Link(database.name), database.name) }
          card.element("p") {
            $0.text("\(Figures.count(reader.keyCount, "key")), \(Figures.bytes(reader.byteCount))")
            if let age = counters.dataAge { $0.text(", built \(Figures.duration(age)) ago") }
          }
          card.searchForm(of: database.name)
        }
        twins.append(
          .object([
            ("name", .text(database.name)), ("keys", .number(reader.keyCount)), ("bytes", .number(reader.byteCount)),
            ("generation", .number(reader.generation)),
          ]))
      }
    }
    page.twin = .object([("files", .list(twins))])
    return page.response(asJSON: asJSON)
  }
}
