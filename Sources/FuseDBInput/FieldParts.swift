internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// A value of a record that fields are taken from, in JSON or MessagePack.
protocol FieldNode {
  /// Calls `body` with each value of a map or an array: its name, where it is text, its number, and its key as it is packed,
  /// where it is. Other values have none.
  func forEachPart(_ body: (FieldPart, Self) throws(FuseError) -> Void) throws(FuseError)

  /// Whether it is a map, an array or neither.
  var partKind: FieldPartKind { get }

  /// Packs it whole.
  func pack(to packer: MessagePackPacker, depth: Int) throws(FuseError)
}

enum FieldPartKind { case map, array, none }

/// Where a part stands in a map or an array.
struct FieldPart {
  /// Nil where the key is no text, and in arrays.
  var name: [UInt8]?
  var number: Int
  /// The key as MessagePack has it; empty where only the name is known, and in arrays.
  var packedKey: [UInt8] = []

  func isReached(by step: FusePath.Step, in kind: FieldPartKind) -> Bool {
    kind == .array ? step.number == number : name == step.name
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
    of part: FieldPart, _ node: Node, in kind: FieldPartKind
  ) throws(FuseError) -> Fate {
    var inside = FieldParts(keepsAll: keepsAll)
    for drop in drops where part.isReached(by: drop.first!, in: kind) {
      if drop.count == 1 { return .none }
      inside.drops.append(drop.dropFirst())
    }
    for keep in keeps where !keepsAll && part.isReached(by: keep.first!, in: kind) {
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
    let kind = node.partKind
    var count = 0
    try node.forEachPart { (part, child) throws(FuseError) in
      if case .none = try fate(of: part, child, in: kind) { return }
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
      let fate = try fate(of: part, child, in: kind)
      if case .none = fate { return }
      if !part.packedKey.isEmpty {
        packer.append(part.packedKey.rawSpan)
      } else if let name = part.name {
        packer.pack(string: name.rawSpan)
      }
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
    var names: Set<[UInt8]> = []
    try record.forEachPart { (part, _) throws(FuseError) in
      if let name = part.name { names.insert(name) }
    }
    // A field of the record itself comes before what a path leads to.
    func steps(_ field: FieldSelection.Field) -> FieldParts.Steps {
      names.contains(field.name) ? [FusePath.Step(name: field.name, number: nil)] : field.steps[...]
    }
    parts = FieldParts(keepsAll: fields.kept.isEmpty)
    for i in fields.keys.indices {
      let path = steps(fields.keys[i])
      let found = try Self.find(path, in: record)
      if !found.isEmpty { fields.keys[i].wasSeen = true }
      keys += found
      if fields.kept.isEmpty { parts.drops.append(path) }
    }
    if let range = fields.rangeFields {
      first = try Self.only(steps(range.first), in: record, range.first)
      last = try Self.only(steps(range.last), in: record, range.last)
      if fields.kept.isEmpty { parts.drops += [steps(range.first), steps(range.last)] }
    }
    for i in fields.kept.indices {
      let path = steps(fields.kept[i])
      if try !Self.find(path, in: record).isEmpty { fields.kept[i].wasSeen = true }
      parts.keeps.append(path)
    }
    for i in fields.dropped.indices {
      let path = steps(fields.dropped[i])
      if try !Self.find(path, in: record).isEmpty { fields.dropped[i].wasSeen = true }
      parts.drops.append(path)
    }
  }

  private static func find(_ steps: FieldParts.Steps, in node: Node) throws(FuseError) -> [Node] {
    guard let step = steps.first else { return [node] }
    let kind = node.partKind
    var found: [Node] = []
    try node.forEachPart { (part, child) throws(FuseError) in
      if part.isReached(by: step, in: kind) { found += try find(steps.dropFirst(), in: child) }
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

extension JSONNode: FieldNode {
  var partKind: FieldPartKind {
    switch kind {
    case .array: .array
    // What is spelled by an object is none.
    case .object: MessagePackPacker.isSpelling(self) ? .none : .map
    default: .none
    }
  }

  func forEachPart(_ body: (FieldPart, JSONNode) throws(FuseError) -> Void) throws(FuseError) {
    var number = 0
    switch partKind {
    case .map:
      try forEachMember { name, value throws(FuseError) in
        try body(FieldPart(name: name.array(), number: number), value)
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
}

/// A value in a record of MessagePack.
struct MessagePackNode: FieldNode {
  let record: [UInt8]
  let offset: Int

  var partKind: FieldPartKind {
    var cursor = MessagePackCursor(record.rawSpan, at: offset)
    switch try? cursor.readHead() {
    case .map: return .map
    case .array: return .array
    default: return .none
    }
  }

  func forEachPart(_ body: (FieldPart, MessagePackNode) throws(FuseError) -> Void) throws(FuseError) {
    var cursor = MessagePackCursor(record.rawSpan, at: offset)
    switch try cursor.readHead() {
    case .map(let count):
      for number in 0..<count {
        let start = cursor.offset
        let name = try cursor.readText()?.array()
        let value = cursor.offset
        try cursor.skipValue()
        try body(
          FieldPart(name: name, number: Int(number), packedKey: Array(record[start..<value])),
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
