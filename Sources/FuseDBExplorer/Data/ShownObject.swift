internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBValues

/// An object as pages show it.
struct ShownObject: Sendable {
  /// So large an object is still read for a page.
  static let mostBytes = 1 << 20

  var offset: UInt64
  var byteCount: Int
  var checksum: UInt32
  /// Its bytes; nil where there are too many.
  var bytes: [UInt8]?

  init(at offset: UInt64, of reader: FuseReader) throws(FuseError) {
    self.offset = offset
    if !reader.isCompact {
      let record = try reader.record(at: offset)
      byteCount = record.byteCount
      checksum = record.checksum
      try reader.checkNotShrunk()
      guard byteCount <= Self.mostBytes else { return }
    }
    var bytes: [UInt8] = []
    try reader.copyObject(at: offset, into: &bytes)
    byteCount = bytes.count
    checksum = Checksum.of(bytes.rawSpan)
    if byteCount <= Self.mostBytes { self.bytes = bytes }
  }

  /// The value; nil where the bytes are none, or too many.
  var value: FuseValue? { bytes.flatMap { try? FuseValue(messagePack: $0) } }

  var twin: JSONTree {
    .object([
      ("offset", .number(Int(clamping: offset))), ("bytes", .number(byteCount)),
      ("checksum", .text("0x" + VisibleText.hexadecimal(checksum.bigEndianBytes))),
      ("value", .optional(bytes) { .value($0) }),
    ])
  }
}

extension Markup {
  /// Adds an object as a tree of names and values.
  ///
  /// - Parameters:
  ///   - isWhole: whether long texts and many elements are shown.
  ///   - nodes: how many values of an object are shown otherwise.
  ///   - all: where they are.
  ///   - more: what else is said of a text or a number at a path, such as a link to others that have it.
  mutating func object(
    _ object: ShownObject, isWhole: Bool = false, nodes: Int = 200, all: Link? = nil,
    more: (_ path: [UInt8], _ value: FuseValue, inout Markup) -> Void = { _, _, _ in }
  ) {
    guard let bytes = object.bytes else {
      return note("The object has \(Figures.grouped(object.byteCount)) bytes, too many for a page. Ask for it at /v1/.")
    }
    guard let value = object.value else {
      note("The object is no MessagePack. It begins so:")
      return shown(bytes, atMost: isWhole ? 16_384 : 256, all: all)
    }
    var tree = ValueTree(textLimit: isWhole ? 65_536 : 300, nodesLeft: isWhole ? 20_000 : nodes, all: all)
    element("div", .class("value")) { tree.add(value, path: [], to: &$0, more) }
    if tree.nodesLeft <= 0, let all, !isWhole { element("p") { $0.link(all, "Show all of the value") } }
  }
}

/// Writes a value as nested lists, for as many nodes as a page can have.
private struct ValueTree {
  let textLimit: Int
  var nodesLeft: Int
  let all: Link?

  typealias More = (_ path: [UInt8], _ value: FuseValue, inout Markup) -> Void

  mutating func add(_ value: FuseValue, path: [[UInt8]]?, to out: inout Markup, _ more: More) {
    nodesLeft -= 1
    guard nodesLeft > 0 else { return out.element("span", .class("quiet"), text: "…") }
    // Two inner calls need the tree, and the closures that write elements have it from here.
    var tree = self
    defer { self = tree }
    if let pairs = value.pairs {
      guard !pairs.isEmpty else { return out.element("span", .class("quiet"), text: "no members") }
      out.element("dl") { list in
        for pair in pairs {
          guard tree.nodesLeft > 0 else { return tree.cut(&list) }
          list.element("div") { row in
            row.element("dt") { tree.name(pair.key, &$0) }
            row.element("dd") { cell in
              tree.add(pair.value, path: path.flatMap { tree.path($0, pair.key) }, to: &cell, more)
            }
          }
        }
      }
    } else if let elements = value.elements {
      guard !elements.isEmpty else { return out.element("span", .class("quiet"), text: "no elements") }
      out.element("ol") { list in
        for element in elements {
          guard tree.nodesLeft > 0 else { return list.element("li", .class("quiet"), text: "…") }
          list.element("li") { tree.add(element, path: nil, to: &$0, more) }
        }
      }
    } else {
      scalar(value, &out)
      if let path, !path.isEmpty { more(FusePath.spelling(of: path), value, &out) }
    }
  }

  private func cut(_ list: inout Markup) {
    list.element("div") {
      $0.element("dt", text: "…")
      $0.element("dd", .class("quiet"), text: "and more")
    }
  }

  private func path(_ path: [[UInt8]], _ key: FuseValue) -> [[UInt8]]? {
    key.stringBytes.map { path + [$0] }
  }

  private func name(_ key: FuseValue, _ out: inout Markup) {
    if let bytes = key.stringBytes { out.shown(bytes, atMost: min(textLimit, 1000)) } else { scalar(key, &out) }
  }

  private func scalar(_ value: FuseValue, _ out: inout Markup) {
    switch value {
    case .null: out.element("span", .class("quiet"), text: "nil")
    case .bool(let flag): out.element("span", .class("num"), text: flag ? "true" : "false")
    case .string, .verbatim:
      if let bytes = value.stringBytes {
        out.shown(bytes, atMost: textLimit, all: all)
      } else {
        out.element("span", .class("num"), text: Self.short(value.description))
      }
    case .bytes(let bytes):
      out.element("span", .class("quiet"), text: "\(Figures.count(bytes.count, "byte")): ")
      out.element("code") { code in
        code.element("span", .class("hex"), text: VisibleText.hexadecimal(bytes.prefix(textLimit)))
        if bytes.count > textLimit { code.text("…") }
      }
    case .ext(let type, let bytes):
      out.element("span", .class("quiet"), text: "ext \(type), \(Figures.count(bytes.count, "byte")): ")
      out.element("code") { code in
        code.element("span", .class("hex"), text: VisibleText.hexadecimal(bytes.prefix(textLimit)))
        if bytes.count > textLimit { code.text("…") }
      }
    default: out.element("span", .class("num"), text: Self.short(value.description))
    }
  }

  private static func short(_ text: String) -> String { text.utf8.count > 300 ? text.prefix(300) + "…" : text }
}

extension FusePath {
  /// Names as a path, which ``init(_:)`` reads.
  static func spelling(of names: [[UInt8]]) -> [UInt8] {
    let special = [UInt8(ascii: "."), UInt8(ascii: "\\")]
    return Array(
      names.map { name in name.flatMap { special.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] } }
        .joined(separator: [UInt8(ascii: ".")]))
  }
}
