package import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Which fields of a record hold its keys, which ones stay in its object, and which of them ever came.
package struct FieldSelection: Sendable {
  /// A field that an option names.
  package struct Field: Sendable {
    package let name: [UInt8]
    /// The same as a path into records.
    let steps: [FusePath.Step]
    /// Whether a record had it.
    var wasSeen = false

    init(_ name: [UInt8]) {
      self.name = name
      steps = FusePath(name).steps
    }

    /// Whether it may be inside of another.
    var isPath: Bool { steps.count > 1 || steps[0].name != name }

    /// The name as it stands in messages.
    var quotedName: String { quoted(name) }
  }

  /// The two fields that hold the ends of a range of addresses.
  package struct Range: Sendable {
    package var first: [UInt8]
    package var last: [UInt8]

    package init(first: [UInt8], last: [UInt8]) {
      self.first = first
      self.last = last
    }
  }

  /// The fields that hold keys.
  package var keys: [Field]
  /// The fields whose range of addresses gives keys.
  package let range: Range?
  /// The same as fields.
  let rangeFields: (first: Field, last: Field)?
  /// The fields that stay; when there are none, all that hold no keys.
  package var kept: [Field]
  /// The fields that do not.
  package var dropped: [Field]
  /// Whether a field may be inside of another.
  let hasPaths: Bool
  /// Whether there was a record that is no row, whose fields are named by each alone.
  private(set) var hadRecord = false
  /// The names of fields that the first of such records had.
  private var names: Set<[UInt8]> = []
  /// Enough to find what was meant.
  private static let mostNames = 256
  static let mostRecords = 100

  package init(keys: [[UInt8]], range: Range? = nil, kept: [[UInt8]], dropped: [[UInt8]] = []) {
    self.keys = Self.fields(keys)
    self.range = range
    self.kept = Self.fields(kept)
    self.dropped = Self.fields(dropped)
    rangeFields = range.map { (Field($0.first), Field($0.last)) }
    let ends = rangeFields.map { [$0.first, $0.last] } ?? []
    hasPaths = [self.keys, ends, self.kept, self.dropped].joined().contains { $0.isPath }
  }

  /// A field for each name; a name that comes again says nothing new.
  private static func fields(_ names: [[UInt8]]) -> [Field] {
    var seen: Set<[UInt8]> = []
    return names.filter { seen.insert($0).inserted }.map { Field($0) }
  }

  /// What a field is good for.
  struct Role {
    var isKey: Bool
    var isRangeFirst: Bool
    var isRangeLast: Bool
    var isKept: Bool
  }

  /// What the field called `name` is good for; it counts as seen.
  mutating func role(of name: RawSpan) -> Role {
    let key = Self.index(of: name, in: keys)
    if let key { keys[key].wasSeen = true }
    var role = Role(isKey: key != nil, isRangeFirst: false, isRangeLast: false, isKept: false)
    if let range {
      role.isRangeFirst = name.equals(range.first)
      role.isRangeLast = name.equals(range.last)
    }
    if kept.isEmpty {
      role.isKept = !role.isKey && !role.isRangeFirst && !role.isRangeLast
    } else if let index = Self.index(of: name, in: kept) {
      kept[index].wasSeen = true
      role.isKept = true
    }
    if !dropped.isEmpty, let index = Self.index(of: name, in: dropped) {
      dropped[index].wasSeen = true
      role.isKept = false
    }
    return role
  }

  /// What `other`, the same selection, has seen counts as seen.
  mutating func merge(_ other: FieldSelection) {
    for i in keys.indices where other.keys[i].wasSeen { keys[i].wasSeen = true }
    hadRecord = hadRecord || other.hadRecord
    names.formUnion(other.names)
    for i in kept.indices where other.kept[i].wasSeen { kept[i].wasSeen = true }
    for i in dropped.indices where other.dropped[i].wasSeen { dropped[i].wasSeen = true }
  }

  /// The same of a selection whose keys are none.
  mutating func mergeValues(_ other: FieldSelection) {
    hadRecord = hadRecord || other.hadRecord
    names.formUnion(other.names)
    for i in kept.indices where other.kept[i].wasSeen { kept[i].wasSeen = true }
    for i in dropped.indices where other.dropped[i].wasSeen { dropped[i].wasSeen = true }
  }

  /// A record begins that is no row.
  mutating func beginRecord() { hadRecord = true }

  /// Notes the name of a field of one of the first ``mostRecords`` records.
  mutating func note(_ name: RawSpan) {
    guard names.count < Self.mostNames, name.byteCount <= 64 else { return }
    names.insert(name.array())
  }

  /// Throws when an option names a field that was in no record, though there were records: mostly a slip of the pen.
  package func checkAllSeen(_ names: OptionNames) throws(FuseError) {
    guard hadRecord else { return }
    for (option, fields) in [(names.keys, keys), (names.kept, kept), (names.dropped, dropped)] {
      guard let missing = fields.first(where: { !$0.wasSeen }) else { continue }
      let known = self.names.sorted { $0.lexicographicallyPrecedes($1) }
      throw FuseError(
        .invalidValue,
        """
        no record has the field \(missing.quotedName), which \(option) names; the fields are \
        \(Self.listedNames(known))\(Self.nearest(to: missing.name, among: known)); correct the name, \
        or say \(names.allowMissing)
        """)
    }
  }

  /// The names as they stand in a sentence, as many as can be read.
  package static func listedNames(_ names: [[UInt8]]) -> String {
    let some = names.prefix(16).map { quoted($0) }
    guard some.count < names.count else { return FuseDBInput.listed(some, "and") }
    return some.joined(separator: ", ") + " and \(Humans.number(names.count - some.count)) others"
  }

  /// `; did you mean "name"?` for the name that is near, or nothing.
  package static func nearest(to name: [UInt8], among names: [[UInt8]]) -> String {
    let texts = names.lazy.filter { $0.count <= 64 }.prefix(mostNames).map { String(decoding: $0, as: UTF8.self) }
    return nearestName(to: String(decoding: name, as: UTF8.self), among: Array(texts))
  }

  private static func index(of name: RawSpan, in fields: [Field]) -> Int? {
    for i in 0..<fields.count where name.equals(fields[i].name) { return i }
    return nil
  }

  /// The names of the fields that hold keys, as they stand in a sentence.
  var keyNames: String { listed(keys.map { $0.quotedName }, "and") }

  /// The error of a record that gives no key.
  ///
  /// - Parameter null: what the format calls null.
  func noKey<Node: FieldNode>(in record: Node, null: String) -> FuseError {
    let hints = keys.map { hint(for: $0.name, in: record) }
    return FuseError(
      .invalidValue,
      "the record gives no key: \(keyNames) is missing, \(null) or empty\(hints.first { !$0.isEmpty } ?? "")")
  }

  /// `; did you mean 'name'?` for a field that a record has in the place of one that it lacks, or nothing.
  func hint<Node: FieldNode>(for name: [UInt8], in record: Node) -> String {
    var names: [[UInt8]] = []
    Self.addPaths(of: record, under: [], to: &names)
    return names.contains(name) ? "" : Self.nearest(to: name, among: names)
  }

  private static func addPaths<Node: FieldNode>(of node: Node, under path: [UInt8], to names: inout [[UInt8]]) {
    try? node.forEachPart { part, child throws(FuseError) in
      guard names.count < mostNames, path.count <= 64, let name = part.name?.textBytes else { return }
      names.append(path + name)
      addPaths(of: child, under: path + name + [UInt8(ascii: ".")], to: &names)
    }
  }
}
