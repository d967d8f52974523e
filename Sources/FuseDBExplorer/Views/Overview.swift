internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBServing
internal import FuseDBWeb

extension Asking {
  /// Keys, objects, bytes by section, what sharing saved, metadata, age, swaps, checks.
  func overview() throws(FuseError) -> Page {
    var page = page(name, .overview, Link(name))
    let counters = database.reader.counters
    let parts = try Part.all(of: reader)
    let metadata = try reader.metadata.sorted { $0.key < $1.key }
    let reader = reader
    let state = explorer.works.statistics.state(of: ExplorerWorks.Edition(name, reader), isShort: isSmall) {
      _ throws(FuseError) in try reader.statistics()
    }
    page.isLive = state.isUnderWay || verificationState?.isUnderWay == true
    var statistics: Statistics?
    if case .done(let found) = state { statistics = found }
    let objectCount = Int(reader.header.objectCount)

    page.body.element("dl", .class("figures")) { figures in
      figures.figure("Keys", Figures.grouped(reader.keyCount))
      figures.figure(
        "Objects", Figures.grouped(objectCount),
        objectCount > 0 ? "\(Figures.oneDecimal(Double(reader.keyCount) / Double(objectCount))) keys each" : nil)
      figures.figure("Size", Figures.bytes(reader.byteCount), "\(Figures.grouped(reader.byteCount)) bytes")
      switch state {
      case .done(let found):
        figures.figure("Saved by sharing", Figures.bytes(found.bytesSavedBySharing), saving(found))
      case .failed: figures.figure("Saved by sharing", "unknown", "the file is damaged")
      case .running, .waiting: figures.figure("Saved by sharing", "…", "being counted")
      }
      if let age = counters.dataAge { figures.figure("Age of data", Figures.duration(age), "since it was built") }
    }
    if case .failed(let error) = state { page.body.element("p", .class("bad"), text: error.description) }
    page.body.section("Bytes by section") { $0.sections(parts, of: reader.byteCount) }
    page.body.section("Checks") { verificationSummary(&$0) }
    page.body.section("About the file") { section in
      section.facts { facts in
        facts.fact("Path") { $0.shown(Array(reader.path.utf8), atMost: 400) }
        let form = reader.isCompact ? "version 3, compact" : "version 2"
        facts.fact("Form", reader.shards.map { "a set of \(counted($0.shardCount, "shard"))" } ?? form)
        facts.fact("Checksum", "0x" + VisibleText.hexadecimal(reader.checksum.bigEndianBytes))
        facts.fact("Generation", "\(reader.generation), taken \(Figures.time(counters.loadedAt))")
        if let built = counters.builtAt { facts.fact("Built", Figures.time(built)) }
        facts.fact("Networks", reader.hasNetworks ? Figures.grouped(reader.networkCount) : "no section of networks")
      }
    }
    if !metadata.isEmpty {
      page.body.section("Metadata") { section in
        section.facts { facts in
          for (name, value) in metadata.prefix(100) {
            facts.element("div") { pair in
              pair.element("dt") { $0.shown(Array(name.utf8)) }
              pair.element("dd") { $0.shown(Array(value.utf8), atMost: 400) }
            }
          }
        }
      }
    }
    page.body.section("Last swaps") { section in
      section.history(database.history, most: 5)
      section.element("p") { $0.link(Link(name, .change), "All swaps, and what changed") }
    }
    page.twin = .object([
      ("name", .text(name)), ("path", .text(reader.path)), ("keys", .number(reader.keyCount)),
      ("objects", .number(objectCount)), ("bytes", .number(reader.byteCount)),
      ("checksum", .text("0x" + VisibleText.hexadecimal(reader.checksum.bigEndianBytes))),
      ("generation", .number(reader.generation)), ("loadedAt", .text(Figures.time(counters.loadedAt))),
      ("ageSeconds", .optional(counters.dataAge) { .real($0) }), ("isCompact", .bool(reader.isCompact)),
      ("networks", .number(reader.networkCount)),
      ("bytesSavedBySharing", .optional(statistics) { .number($0.bytesSavedBySharing) }),
      ("mostKeysPerObject", .optional(statistics) { .number($0.mostKeysPerObject) }),
      (
        "sections",
        .list(parts.map { .object([("name", .text($0.name)), ("bytes", .number($0.byteCount))]) })
      ),
      ("metadata", .named(metadata.map { ($0.key, .text($0.value)) })),
      ("verification" as StaticString, verificationTwin),
      ("history", .history(database.history)),
    ])
    return page
  }

  private func saving(_ statistics: Statistics) -> String {
    let whole = statistics.byteCount + statistics.bytesSavedBySharing
    return "\(Figures.percent(statistics.bytesSavedBySharing, of: whole)) of what it would be"
  }
}

extension UInt32 {
  var bigEndianBytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> UInt32(24 - 8 * $0)) } }
}

/// A part of a file and what it is for.
struct Part: Sendable {
  var name: String
  var purpose: String
  var byteCount: Int

  private static let purposes = [
    "HASH": "finds a key", "ORDR": "finds a place in the order of keys", "META": "metadata",
    "NETW": "finds the network of an address", "KLEN": "which lengths keys have",
    "REVS": "which keys share an object", "KEYS": "keys", "LONG": "long keys", "SYMB": "symbols of keys",
  ]

  /// The parts in the order of the file; together, they are the file.
  static func all(of reader: FuseReader) throws(FuseError) -> [Part] {
    var parts = [Part(name: "header", purpose: "what the file is", byteCount: Header.byteCount)]
    if !reader.isCompact {
      parts.append(Part(name: "objects", purpose: "each value once", byteCount: reader.dataEnd - Header.byteCount))
      parts.append(
        Part(name: "key index", purpose: "keys in order", byteCount: Int(reader.index.end) - reader.dataEnd))
    }
    for section in try reader.sections() {
      parts.append(
        Part(name: section.name, purpose: purposes[section.name] ?? "a section", byteCount: section.byteCount))
    }
    let rest = reader.byteCount - parts.reduce(0) { $0 + $1.byteCount }
    if rest > 0 {
      parts.append(
        Part(
          name: reader.isCompact ? "rows and rest" : "rest",
          purpose: reader.isCompact ? "values, directory" : "directory, padding",
          byteCount: rest))
    }
    return parts
  }
}

extension Markup {
  private static let colours: [Attribute] = [
    .class("c0"), .class("c1"), .class("c2"), .class("c3"), .class("c4"), .class("c5"), .class("c6"), .class("c7"),
  ]

  /// The parts as a bar, and as a table that says the same in numbers.
  fileprivate mutating func sections(_ parts: [Part], of whole: Int) {
    let largest = parts.enumerated().sorted { $0.element.byteCount > $1.element.byteCount }.prefix(3)
    let words = largest.map { "\($0.element.name) \(Figures.percent($0.element.byteCount, of: whole))" }
    element(
      "svg", .class("stack"), Attribute("role", "img"),
      Attribute("aria-label", "Bytes by section, the largest: \(words.joined(separator: ", "))")
    ) { picture in
      var start = 0
      for (number, part) in parts.enumerated() {
        picture.element(
          "rect", Self.colours[number % Self.colours.count],
          Attribute("x", "\(100 * Double(start) / Double(max(1, whole)))%"),
          Attribute("width", "\(100 * Double(part.byteCount) / Double(max(1, whole)))%"), Attribute("height", "100%")
        ) { $0.element("title", text: "\(part.name): \(Figures.bytes(part.byteCount))") }
        start += part.byteCount
      }
    }
    table(
      "Sections in the order of the file",
      [.init("Section"), .init("For"), .init("Bytes", isNumber: true), .init("Share", isNumber: true)]
    ) { rows in
      for (number, part) in parts.enumerated() {
        rows.row { row in
          row.rowHead { head in
            head.element("svg", .class("swatch"), Attribute("aria-hidden", "true")) {
              $0.element(
                "rect", Self.colours[number % Self.colours.count], Attribute("width", "100%"),
                Attribute("height", "100%"), Attribute("rx", "2")
              ) { _ in }
            }
            head.text(part.name)
          }
          row.cell { $0.text(part.purpose) }
          row.number(Figures.grouped(part.byteCount))
          row.number(Figures.percent(part.byteCount, of: whole))
        }
      }
    }
  }

  /// What happened to a file, the newest first.
  mutating func history(_ history: [ServedDatabase.Event], most: Int) {
    guard !history.isEmpty else { return note("No swap since this process began to serve the file.") }
    table("Swaps, the newest first", [.init("Time"), .init("Generation", isNumber: true), .init("What happened")]) {
      rows in
      for event in history.reversed().prefix(most) {
        rows.row { row in
          row.rowHead { $0.text(Figures.time(event.time)) }
          row.number(Figures.grouped(event.generation))
          row.cell { cell in
            if let refusal = event.refusal {
              cell.element("span", .class("bad"), text: "refused: ")
              cell.text(refusal.description)
            } else {
              cell.text(event.isRollback ? "gone back to the file before" : "taken")
            }
          }
        }
      }
    }
  }
}

extension JSONTree {
  /// What happened to a file, the newest last.
  static func history(_ history: [ServedDatabase.Event]) -> JSONTree {
    .list(
      history.map { event in
        .object([
          ("time", .text(Figures.time(event.time))), ("generation", .number(event.generation)),
          ("refusal", .optional(event.refusal) { .text($0.description) }), ("isRollback", .bool(event.isRollback)),
        ])
      })
  }
}
