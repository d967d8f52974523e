internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// A value of a record that fields are taken from, in JSON or MessagePack.
protocol FieldNode {
  associatedtype Name: FieldName

  /// Calls `body` with each value of a map or an array. Other values have none.
  func forEachPart(_ body: (FieldPart<Name>, Self) throws(FuseError) -> Void) throws(FuseError)

  /// Whether it is a map, an array or neither.
  var partKind: FieldPartKind { get }

  /// Packs it whole.
  func pack(to packer: MessagePackPacker, depth: Int) throws(FuseError)
}

enum FieldPartKind { case map, array, none }

/// The key of a map's value.
protocol FieldName {
  /// Whether it is this text.
  func equals(_ name: [UInt8]) -> Bool
  /// The bytes of the text that it is; nil where it is none.
  var textBytes: [UInt8]? { get }
  /// Packs it as it is.
  func packName(to packer: MessagePackPacker)
}

/// Where a part stands in a map or an array.
struct FieldPart<Name: FieldName> {
  /// Nil in arrays.
  var name: Name?
  var number: Int

  func isReached(by step: FusePath.Step) -> Bool {
    if let name { name.equals(step.name) } else { step.number == number }
  }
}

/// What of a value stays: the steps of paths that lead into it. [R15]
struct FieldParts {
  typealias Steps = ArraySlice<FusePath.Step>

  /// What is kept, unless all is, and what is dropped of that.
  var keeps: [Steps] = []
  var drops: [Steps] = []
  var keepsAll: Bool

  private enum Fate {
    case whole, none
    case parts(FieldParts)
  }

  private func fate<Node: FieldNode>(
    of part: FieldPart<Node.Name>, _ node: Node
  ) throws(FuseError) -> Fate {
    var inside = FieldParts(keepsAll: keepsAll)
    for drop in drops where part.isReached(by: drop.first!) {
      if drop.count == 1 { return .none }
      inside.drops.append(drop.dropFirst())
    }
    for keep in keeps where !keepsAll && part.isReached(by: keep.first!) {
      if keep.count == 1 { inside.keepsAll = true } else { inside.keeps.append(keep.dropFirst()) }
    }
    if inside.keepsAll {
      return inside.drops.isEmpty || node.partKind == .none ? .whole : .parts(inside)
    }
    guard !inside.keeps.isEmpty, try inside.count(in: node) > 0 else { return .none }
    return .parts(inside)
  }

  /// How many parts of a value stay.
  private func count<Node: FieldNode>(in node: Node) throws(FuseError) -> Int {
    var count = 0
    try node.forEachPart { (part, child) throws(FuseError) in
      if case .none = try fate(of: part, child) { return }
      count += 1
    }
    return count
  }

  /// Packs what stays of a map or an array.
  func pack<Node: FieldNode>(_ node: Node, to packer: MessagePackPacker, depth: Int) throws(FuseError) {
    let kind = node.partKind
    try MessagePackPacker.checkNesting(depth)
    let count = try count(in: node)
    if kind == .map { packer.packMap(count: count) } else { packer.packArray(count: count) }
    try node.forEachPart { (part, child) throws(FuseError) in
      let fate = try fate(of: part, child)
      if case .none = fate { return }
      part.name?.packName(to: packer)
      switch fate {
      case .none: break
      case .whole: try child.pack(to: packer, depth: depth + 1)
      case .parts(let parts): try parts.pack(child, to: packer, depth: depth + 1)
      }
    }
  }
}

/// The values of a record that its fields lead to, and what stays of it.
struct FoundFields<Node: FieldNode> {
  var keys: [Node] = []
  var first: Node?
  var last: Node?
  var parts: FieldParts

  /// - Parameter fields: learns which of its fields there are.
  init(_ record: Node, _ fields: inout FieldSelection) throws(FuseError) {
    parts = FieldParts(keepsAll: fields.kept.isEmpty)
    for i in fields.keys.indices {
      let path = try Self.steps(fields.keys[i], in: record)
      let found = try Self.find(path, in: record)
      if !found.isEmpty { fields.keys[i].wasSeen = true }
      keys += found
      if fields.kept.isEmpty { parts.drops.append(path) }
    }
    if let range = fields.rangeFields {
      let (from, to) = try (Self.steps(range.first, in: record), Self.steps(range.last, in: record))
      first = try Self.only(from, in: record, range.first)
      last = try Self.only(to, in: record, range.last)
      if fields.kept.isEmpty { parts.drops += [from, to] }
    }
    for i in fields.kept.indices {
      let path = try Self.steps(fields.kept[i], in: record)
      if try !Self.find(path, in: record).isEmpty { fields.kept[i].wasSeen = true }
      parts.keeps.append(path)
    }
    for i in fields.dropped.indices {
      let path = try Self.steps(fields.dropped[i], in: record)
      if try !Self.find(path, in: record).isEmpty { fields.dropped[i].wasSeen = true }
      parts.drops.append(path)
    }
  }

  /// The way to a field. One that the record has itself comes before what a path leads to.
  private static func steps(
    _ field: FieldSelection.Field, in record: Node
  ) throws(FuseError) -> FieldParts.Steps {
    guard field.isPath else { return field.steps[...] }
    var isThere = false
    try record.forEachPart { (part, _) throws(FuseError) in
      if part.name?.equals(field.name) ?? false { isThere = true }
    }
    return isThere ? [FusePath.Step(name: field.name, number: nil)] : field.steps[...]
  }

  private static func find(_ steps: FieldParts.Steps, in node: Node) throws(FuseError) -> [Node] {
    guard let step = steps.first else { return [node] }
    var found: [Node] = []
    try node.forEachPart { (part, child) throws(FuseError) in
      if part.isReached(by: step) { found += try find(steps.dropFirst(), in: child) }
    }
    return found
  }

  private static func only(
    _ steps: FieldParts.Steps, in record: Node, _ field: FieldSelection.Field
  ) throws(FuseError) -> Node? {
    let found = try find(steps, in: record)
    guard found.count < 2 else {
      throw FuseError(
        .invalidValue, "\(field.quotedName) comes twice, and a range has one first and one last address")
    }
    return found.first
  }
}

extension FieldSelection {
  /// Packs what stays of a value whose keys stand beside it: all of one that has no parts.
  mutating func packParts<Node: FieldNode>(
    of value: Node, record: Int, to packer: MessagePackPacker
  ) throws(FuseError) {
    beginRecord()
    guard value.partKind != .none else { return try value.pack(to: packer, depth: 0) }
    if record <= Self.mostRecords {
      var names: [[UInt8]] = []
      try value.forEachPart { (part, _) throws(FuseError) in
        if let name = part.name?.textBytes { names.append(name) }
      }
      for name in names { note(name.rawSpan) }
    }
    let found = try FoundFields(value, &self)
    try found.parts.pack(value, to: packer, depth: 0)
  }
}

extension JSONNode: FieldNode, FieldName {
  var partKind: FieldPartKind {
    switch kind {
    case .array: .array
    // What is spelled by an object is none.
    case .object: MessagePackPacker.isSpelling(self) ? .none : .map
    default: .none
    }
  }

  func forEachPart(_ body: (FieldPart<JSONNode>, JSONNode) throws(FuseError) -> Void) throws(FuseError) {
    var number = 0
    switch partKind {
    case .map:
      try forEachMemberNode { name, value throws(FuseError) in
        try body(FieldPart(name: name, number: number), value)
        number += 1
      }
    case .array:
      try forEachElement { element throws(FuseError) in
        try body(FieldPart(name: nil, number: number), element)
        number += 1
      }
    case .none: break
    }
  }

  func pack(to packer: MessagePackPacker, depth: Int) throws(FuseError) { try packer.pack(self, depth: depth) }

  func equals(_ name: [UInt8]) -> Bool { text.equals(name) }

  var textBytes: [UInt8]? { text.array() }

  func packName(to packer: MessagePackPacker) { packer.pack(string: text) }
}

/// A value in a record of MessagePack.
struct MessagePackNode: FieldNode {
  let record: [UInt8]
  let offset: Int

  /// A key in a record of MessagePack, and its text, empty where it has none.
  struct Name: FieldName {
    let record: [UInt8]
    let range: Range<Int>
    let isText: Bool

    func equals(_ name: [UInt8]) -> Bool {
      guard isText else { return false }
      // The text is what the key ends with.
      return range.count > name.count && byteCount == name.count && record[range.suffix(name.count)].elementsEqual(name)
    }

    private var byteCount: Int {
      var cursor = MessagePackCursor(record.rawSpan, at: range.lowerBound)
      guard case .string(let byteCount)? = try? cursor.readHead() else { return -1 }
      return byteCount
    }

    var textBytes: [UInt8]? { isText && byteCount >= 0 ? Array(record[range.suffix(byteCount)]) : nil }

    func packName(to packer: MessagePackPacker) { packer.append(record.rawSpan.extracting(range)) }
  }

  var partKind: FieldPartKind {
    var cursor = MessagePackCursor(record.rawSpan, at: offset)
    switch try? cursor.readHead() {
    case .map: return .map
    case .array: return .array
    default: return .none
    }
  }

  func forEachPart(_ body: (FieldPart<Name>, MessagePackNode) throws(FuseError) -> Void) throws(FuseError) {
    var cursor = MessagePackCursor(record.rawSpan, at: offset)
    switch try cursor.readHead() {
    case .map(let count):
      for number in 0..<count {
        let start = cursor.offset
        let isText = try cursor.readText() != nil
        let value = cursor.offset
        try cursor.skipValue()
        try body(
          FieldPart(name: Name(record: record, range: start..<value, isText: isText), number: Int(number)),
          MessagePackNode(record: record, offset: value))
      }
    case .array(let count):
      for number in 0..<count {
        let value = cursor.offset
        try cursor.skipValue()
        try body(FieldPart(name: nil, number: Int(number)), MessagePackNode(record: record, offset: value))
      }
    default: break
    }
  }

  func pack(to packer: MessagePackPacker, depth: Int) throws(FuseError) {
    var cursor = MessagePackCursor(record.rawSpan, at: offset)
    try cursor.skipValue()
    packer.append(record.rawSpan.extracting(offset..<cursor.offset))
  }
}
