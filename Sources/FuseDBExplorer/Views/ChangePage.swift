internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBServing
internal import FuseDBWeb

extension Asking {
  /// What names the file that was served before, among names of files.
  private static let previous = "@previous"
  /// So much of a page are changes; the next go to another page.
  private static let mostBytes = 26_000

  /// What another file answers differently, and the last swaps.
  func change() throws(FuseError) -> Page {
    var page = page("Change", .change, Link(name, .change))
    var twin: [(StaticString, JSONTree)] = []
    let from = text("from")
    let olds = choices()
    page.body.section("Compare with") { section in
      guard !olds.isEmpty else {
        return section.note(
          "There is no other file: serve an older one under a name of its own, or keep files that were replaced.")
      }
      section.element("ul", .class("choices")) { list in
        for (old, title) in olds {
          list.element("li") { item in
            if old == from {
              item.element(
                "a", .href(Link(name, .change).with("from", old)), Attribute("aria-current", "true"), text: title)
            } else {
              item.link(Link(name, .change).with("from", old), title)
            }
          }
        }
      }
    }
    if let from {
      guard let old = reader(named: from) else {
        throw FuseError(
          .notFound,
          from == Self.previous
            ? "no file that was served before is kept" : "no file is served under \(quoted(Array(from.utf8)))")
      }
      twin += try compare(with: old, from, &page)
    }
    page.body.section("Last swaps") { $0.history(database.history, most: ServedDatabase.eventLimit) }
    page.body.section("Go back") { goBack(&$0) }
    page.twin = .object(
      twin + [("choices", .list(olds.map { .text($0.name) })), ("history", .history(database.history))])
    return page
  }

  private func choices() -> [(name: String, title: String)] {
    var found = explorer.databases.filter { $0.name != name }.map { (name: $0.name, title: $0.name) }
    if let kept = database.reader.keptReader {
      found.insert((Self.previous, "the file before (generation \(kept.generation))"), at: 0)
    }
    return found
  }

  private func reader(named other: String) -> FuseReader? {
    other == Self.previous
      ? database.reader.keptReader?.forOneCall
      : explorer.databases.first { $0.name == other }?.reader.snapshot().forOneCall
  }

  private func compare(
    with old: FuseReader, _ from: String, _ page: inout Page
  ) throws(FuseError) -> [(StaticString, JSONTree)] {
    let new = reader
    let here = Link(name, .change).with("from", from)
    page.link = here
    let pair = ExplorerWorks.Pair(old: ExplorerWorks.Edition(from, old), new: ExplorerWorks.Edition(name, new))
    let isShort = old.keyCount + new.keyCount <= 50_000 && old.byteCount + new.byteCount <= 8_000_000
    let state = explorer.works.changes.state(of: pair, isShort: isShort) { progress throws(FuseError) in
      try ChangeCounts(from: old, to: new, progress: progress)
    }
    let place = (old: number("old") ?? 0, new: number("new") ?? 0)
    let found = try ChangePage(from: old, to: new, at: place)
    page.isLive = state.isUnderWay
    var twin: [(StaticString, JSONTree)] = [("from", .text(from))]
    page.body.section("Counts") { section in
      switch state {
      case .running(let share):
        section.element("p", Attribute("role", "status")) {
          $0.text("Counting … ")
          $0.progress(share, "Share compared")
        }
      case .waiting: section.element("p", Attribute("role", "status"), text: "Waiting for other files to be compared.")
      case .failed(let error): section.element("p", .class("bad"), text: error.description)
      case .done(let counts): show(counts, from, in: &section)
      }
    }
    if case .done(let counts) = state {
      twin += [
        ("added", .number(counts.added)), ("removed", .number(counts.removed)), ("changed", .number(counts.changed)),
        ("equal", .number(counts.equal)),
        ("fields", .list(counts.fields.map { .object([("path", .key($0.path)), ("changed", .number($0.count))]) })),
      ]
    }
    let begin = page.body.bytes.count
    var next = found.next
    page.body.section("Keys that changed") { section in
      section.note(
        place == (0, 0)
          ? "In the order of keys; \(Figures.count(found.stepCount, "key")) looked at for this page."
          : "From key number \(Figures.grouped(place.new + 1)) on; \(Figures.count(found.stepCount, "key")) looked at for this page."
      )
      guard !found.changes.isEmpty else {
        return section.paragraph(
          found.next == nil ? "No key is answered differently from here on." : "None among these.")
      }
      section.table("Both values side by side", [.init("Key"), .init("In \(from)"), .init("In \(name)")]) { rows in
        for change in found.changes {
          guard rows.bytes.count - begin < Self.mostBytes else {
            next = change.place
            return
          }
          show(change, from, &rows)
        }
      }
    }
    if let next {
      page.body.element("p") { $0.link(here.with("old", next.old).with("new", next.new), "Go on from here") }
    }
    let changes = found.changes.map { change in
      JSONTree.object([
        ("key", .key(change.key)), ("old", .optional(change.old) { $0.twin }),
        ("new", .optional(change.new) { $0.twin }),
      ])
    }
    twin += [
      ("changes", .list(changes)),
      ("next", .optional(found.next) { .object([("old", .number($0.old)), ("new", .number($0.new))]) }),
    ]
    return twin
  }

  private func show(_ counts: ChangeCounts, _ from: String, in section: inout Markup) {
    section.element("dl", .class("figures")) { figures in
      figures.figure("Added", Figures.grouped(counts.added))
      figures.figure("Removed", Figures.grouped(counts.removed))
      figures.figure("Changed", Figures.grouped(counts.changed))
      figures.figure("Equal", Figures.grouped(counts.equal))
    }
    guard !counts.fields.isEmpty else { return }
    if counts.compared < counts.changed {
      section.note("Fields of the first \(Figures.count(counts.compared, "changed value")).")
    }
    section.table(
      "Fields that changed most", [.init("Field"), .init("Values", isNumber: true), .init("Share")]
    ) { rows in
      for field in counts.fields {
        rows.row { row in
          row.rowHead { head in
            if field.path.isEmpty { head.text("the value as a whole") } else { head.shown(field.path, atMost: 80) }
          }
          row.number(Figures.grouped(field.count))
          row.barCell(field.count, of: counts.compared)
        }
      }
    }
  }

  private func show(_ change: ChangePage.Change, _ from: String, _ rows: inout Markup) {
    rows.row { row in
      row.rowHead { head in
        if change.new != nil { keyLink(change.key, change.number, &head) } else { head.shown(change.key, atMost: 80) }
        head.element(
          "span", .class("kind"), text: change.old == nil ? "added" : change.new == nil ? "removed" : "changed")
      }
      for object in [change.old, change.new] {
        row.cell { cell in
          if let object {
            cell.object(object, nodes: 24)
          } else {
            cell.element("span", .class("quiet"), text: "no such key")
          }
        }
      }
    }
  }

  /// How to go back to the file before.
  private func goBack(_ section: inout Markup) {
    guard let kept = database.reader.keptReader else {
      return section.note("No file that was served before is kept, so there is none to go back to.")
    }
    section.paragraph(
      "Generation \(kept.generation) is kept: \(Figures.count(kept.keyCount, "key")), \(Figures.bytes(kept.byteCount))."
    )
    guard request.mayControl else {
      return section.note(
        "Going back needs a token: a server with --token-file has browsers ask for one, as a password.")
    }
    section.element("form", Attribute("method", "post"), .action(Link(name, .rollback))) {
      $0.element("button", Attribute("type", "submit"), text: "Go back to the file before")
    }
  }
}
