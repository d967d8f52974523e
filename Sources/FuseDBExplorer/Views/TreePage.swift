internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBValues
internal import FuseDBWeb

extension Asking {
  /// So many keys are looked at for a field.
  private static let mostSteps = 20_000
  private static let mostListed = 100

  /// Keys by their beginnings, level by level; networks inside of a block; those with a field.
  func tree() throws(FuseError) -> Page {
    let filter = try filter()
    if let block = text("in"), !block.isEmpty {
      guard let network = FuseNetwork(block) else {
        throw FuseError(
          .invalidValue, "\(quoted(Array(block.utf8))) is no block of addresses; write one such as 8.0.0.0/8")
      }
      return try inside(network, filter)
    }
    let beginning = request.parameter("at") ?? []
    guard beginning.count <= FormatLimits.keyByteCount else {
      throw FuseError(
        .invalidValue, "the beginning has \(beginning.count) bytes, and keys have at most \(FormatLimits.keyByteCount)")
    }
    guard let filter else { return try level(beginning) }
    return try chosen(beginning, filter)
  }

  private func filter() throws(FuseError) -> FieldFilter? {
    guard let field = request.parameter("field"), !field.isEmpty else { return nil }
    guard let value = request.parameter("value"), field.count <= 1024, value.count <= 1024 else {
      throw FuseError(.invalidValue, "'field' goes with 'value', of at most 1,024 bytes each")
    }
    return FieldFilter(field: field, value: value)
  }

  // MARK: Levels

  private func level(_ beginning: [UInt8]) throws(FuseError) -> Page {
    let asksOthers = request.parameter("others") != nil
    let manner: KeyTree.Manner = !reader.hasNetworks ? .bytes : asksOthers ? .others : .networks
    let tree = try KeyTree(reader, beginning: beginning, from: number("from"), manner)
    var here = Link(name, .tree).with("at", beginning)
    if asksOthers { here = here.with("others", 1) }
    var page = page("Keys", .tree, here)
    crumbs(beginning, in: &page.body)
    page.body.element("p", .class("lead")) { line in
      line.text("\(Figures.count(tree.numbers.count, "key"))")
      if !beginning.isEmpty {
        line.text(" that begin with ")
        line.shown(beginning, atMost: 80)
        if let block = KeyTree.block(of: beginning), reader.hasNetworks {
          line.text(". ")
          line.link(Link(name, .tree).with("in", block.description), "List all in \(block.description)")
        }
      }
    }
    if reader.hasNetworks, beginning.isEmpty { page.body.note("Networks are counted where their first address is.") }
    if !tree.children.isEmpty {
      page.body.element("ul", .class("tiles"), Attribute("aria-label", "The next level")) { list in
        for child in tree.children {
          list.element("li") { item in
            item.element("a", .href(Link(name, .tree).with("at", child.beginning))) {
              label(child, beginning, &$0)
              $0.element("span", .class("n"), text: Figures.grouped(child.count))
            }
          }
        }
      }
    }
    if tree.otherCount > 0 {
      page.body.element("p") {
        $0.link(
          Link(name, .tree).with("at", beginning).with("others", 1),
          "\(beginning.isEmpty && reader.networkCount == reader.keyCount ? "IPv6" : "Others"): \(Figures.count(tree.otherCount, "key"))"
        )
      }
    }
    if !tree.keys.isEmpty {
      page.body.section(tree.children.isEmpty ? "Keys" : "Keys of this level") { section in
        section.element("ul", .class("keys")) { list in
          for one in tree.keys { list.element("li") { keyLink(one.key, one.number, &$0) } }
        }
      }
    }
    if let next = tree.next { page.body.element("p") { $0.link(here.with("from", next), "Go on from here") } }
    filterForm("at", Markup.spelled(beginning), nil, in: &page.body)
    page.twin = .object([
      ("beginning", .key(beginning)), ("count", .number(tree.numbers.count)),
      (
        "children",
        .list(tree.children.map { .object([("beginning", .key($0.beginning)), ("count", .number($0.count))]) })
      ),
      ("keys", .list(tree.keys.map { .key($0.key) })), ("otherCount", .number(tree.otherCount)),
      ("next", .optional(tree.next) { .number($0) }),
    ])
    return page
  }

  /// What a child is called: its block, or what it adds.
  private func label(_ child: KeyTree.Child, _ parent: [UInt8], _ out: inout Markup) {
    if reader.hasNetworks, let block = KeyTree.block(of: child.beginning) {
      out.element("code", text: block.description)
    } else if child.beginning.count > 32 {
      out.shown(Array("…".utf8) + child.beginning.dropFirst(parent.count), atMost: 40)
    } else {
      out.shown(child.beginning)
    }
  }

  /// The way back to the first level.
  private func crumbs(_ beginning: [UInt8], in body: inout Markup) {
    guard !beginning.isEmpty else { return }
    body.element("nav", .class("crumbs"), Attribute("aria-label", "Levels")) { nav in
      nav.link(Link(name, .tree), "All keys")
      guard reader.hasNetworks else { return }
      for (place, byte) in beginning.dropLast().enumerated()
      where byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":") {
        let part = Array(beginning[...place])
        nav.text(" › ")
        nav.element("a", .href(Link(name, .tree).with("at", part))) {
          label(KeyTree.Child(beginning: part, count: 0, number: 0), [], &$0)
        }
      }
    }
  }

  private func filterForm(_ place: StaticString, _ where_: String, _ filter: FieldFilter?, in body: inout Markup) {
    body.element("form", .class("filter"), .action(Link(name, .tree)), Attribute("aria-label", "Choose by a field")) {
      form in
      form.void("input", Attribute("type", "hidden"), Attribute("name", place.description), Attribute("value", where_))
      form.element("label") {
        $0.text("Where field ")
        $0.void(
          "input", Attribute("name", "field"), .flag("required"),
          Attribute("value", Markup.spelled(filter?.field ?? [])))
      }
      form.element("label") {
        $0.text(" is ")
        $0.void("input", Attribute("name", "value"), Attribute("value", Markup.spelled(filter?.value ?? [])))
      }
      form.element("button", Attribute("type", "submit"), text: "Choose")
    }
  }

  // MARK: By a field

  /// The keys with a beginning whose values have something in a field.
  private func chosen(_ beginning: [UInt8], _ filter: FieldFilter) throws(FuseError) -> Page {
    var filter = filter
    let numbers = try KeyTree.numbers(of: beginning, reader)
    let first = min(max(number("from") ?? 0, numbers.lowerBound), numbers.upperBound)
    var found: [KeyTree.Listed] = []
    var number = first
    do {
      var scan = try reader.entries(numbered: first..<numbers.upperBound).keysOnly
      while number - first < Self.mostSteps, found.count < Self.mostListed, let entry = try scan.next() {
        if try filter.matches(entry.objectOffset, of: reader) {
          found.append(KeyTree.Listed(key: try entry.key, number: number, offset: entry.objectOffset))
        }
        number += 1
      }
    } catch {
      throw error as? FuseError ?? FuseError(.inputOutput, "\(error)")
    }
    let here = Link(name, .tree).with("at", beginning).with("field", filter.field).with("value", filter.value)
    var page = page("Keys", .tree, here)
    crumbs(beginning, in: &page.body)
    chosenLead(filter, in: &page.body) { line in
      if !beginning.isEmpty {
        line.text(" that begin with ")
        line.shown(beginning, atMost: 80)
      }
    }
    let more = number < numbers.upperBound ? here.with("from", number) : nil
    stopped(found.count, number - first, more, in: &page.body)
    page.body.element("ul", .class("keys")) { list in
      for one in found { list.element("li") { keyLink(one.key, one.number, &$0) } }
    }
    if let more { page.body.element("p") { $0.link(more, "Go on from here") } }
    filterForm("at", Markup.spelled(beginning), filter, in: &page.body)
    page.twin = .object([
      ("beginning", .key(beginning)), ("field", .key(filter.field)), ("value", .key(filter.value)),
      ("looked", .number(number - first)), ("keys", .list(found.map { .key($0.key) })),
      ("next", more == nil ? .null : .number(number)),
    ])
    return page
  }

  private func chosenLead(_ filter: FieldFilter, in body: inout Markup, _ place: (inout Markup) -> Void) {
    body.element("p", .class("lead")) { line in
      line.text("Keys")
      place(&line)
      line.text(" where ")
      line.shown(filter.field)
      line.text(" is ")
      line.shown(filter.value)
    }
  }

  private func stopped(_ found: Int, _ looked: Int, _ more: Link?, in body: inout Markup) {
    body.note(
      "\(Figures.grouped(found)) found, \(Figures.grouped(looked)) looked at; "
        + (more == nil ? "these are all." : "here this page stopped, and there may be more."))
  }

  // MARK: Blocks

  /// The networks inside of a block, all or those with a field.
  private func inside(_ block: FuseNetwork, _ filter: FieldFilter?) throws(FuseError) -> Page {
    guard reader.hasNetworks else {
      throw FuseError(
        .invalidValue,
        "the file has no section of networks; 'fusedb reindex --network' adds it. Its keys are at \(Link(name, .tree).text)"
      )
    }
    let found: BlockPage
    do {
      found = try BlockPage(reader, in: block, after: text("after").flatMap { FuseNetwork($0) }, filter)
    } catch {
      throw error as? FuseError ?? FuseError(.inputOutput, "\(error)")
    }
    var here = Link(name, .tree).with("in", block.description)
    if let filter { here = here.with("field", filter.field).with("value", filter.value) }
    var page = page("Networks in \(block.description)", .tree, here)
    let more = found.last.map { here.with("after", $0.description) }
    crumbs(KeyTree.beginning(of: block) ?? [], in: &page.body)
    if let filter { chosenLead(filter, in: &page.body) { $0.text(" in \(block.description)") } }
    stopped(found.listed.count, found.stepCount, more, in: &page.body)
    var values: [UInt64: ShownObject] = [:]
    for one in found.listed where values[one.offset] == nil {
      values[one.offset] = try ShownObject(at: one.offset, of: reader)
    }
    page.body.table("Networks in \(block.description)", [.init("Network"), .init("Value")]) { rows in
      for one in found.listed {
        rows.row { row in
          row.rowHead { keyLink(Array(one.network.description.utf8), nil, &$0) }
          row.cell { cell in
            cell.element("code", .class("line")) { code in
              if let bytes = values[one.offset]?.bytes { code.text(Self.line(bytes)) } else { code.text("…") }
            }
          }
        }
      }
    }
    if let more { page.body.element("p") { $0.link(more, "Go on from here") } }
    filterForm("in", block.description, filter, in: &page.body)
    page.twin = .object([
      ("in", .text(block.description)), ("field", .optional(filter) { .key($0.field) }),
      ("value", .optional(filter) { .key($0.value) }), ("looked", .number(found.stepCount)),
      (
        "networks",
        .list(
          found.listed.map { one in
            .object([
              ("network", .text(one.network.description)),
              ("value", .optional(values[one.offset]?.bytes.flatMap { $0.count <= 4096 ? $0 : nil }) { .value($0) }),
            ])
          })
      ), ("next", .optional(found.last) { .text($0.description) }),
    ])
    return page
  }

  /// A value on one line.
  private static func line(_ bytes: [UInt8]) -> String {
    guard bytes.count <= 4096, let value = try? FuseValue(messagePack: bytes) else {
      return Figures.count(bytes.count, "byte")
    }
    let text = value.description
    return text.unicodeScalars.count > 100
      ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(100))) + "…" : text
  }
}
