internal import FuseDB

/// Which fields of a record hold its keys, which ones stay in its object, and which of them ever came.
struct FieldSelection {
  /// A field that an option names.
  struct Field {
    let name: [UInt8]
    /// Whether a record had it.
    var wasSeen = false

    /// The name as it stands in messages.
    var quotedName: String { quoted(name) }
  }

  /// The fields that hold keys.
  var keys: [Field]
  /// The fields that stay; when there are none, all that hold no keys.
  var kept: [Field]

  init(keys: [[UInt8]], kept: [[UInt8]]) {
    self.keys = Self.fields(keys)
    self.kept = Self.fields(kept)
  }

  /// A field for each name; a name that comes again says nothing new.
  private static func fields(_ names: [[UInt8]]) -> [Field] {
    var seen: Set<[UInt8]> = []
    return names.filter { seen.insert($0).inserted }.map { Field(name: $0) }
  }

  /// What a field is good for.
  struct Role {
    var isKey: Bool
    var isKept: Bool
  }

  /// What the field called `name` is good for; it counts as seen.
  mutating func role(of name: RawSpan) -> Role {
    let key = Self.index(of: name, in: keys)
    if let key { keys[key].wasSeen = true }
    guard !kept.isEmpty else { return Role(isKey: key != nil, isKept: key == nil) }
    let place = Self.index(of: name, in: kept)
    if let place { kept[place].wasSeen = true }
    return Role(isKey: key != nil, isKept: place != nil)
  }

  /// What `other`, the same selection, has seen counts as seen.
  mutating func merge(_ other: FieldSelection) {
    for i in keys.indices where other.keys[i].wasSeen { keys[i].wasSeen = true }
    for i in kept.indices where other.kept[i].wasSeen { kept[i].wasSeen = true }
  }

  private static func index(of name: RawSpan, in fields: [Field]) -> Int? {
    for i in 0..<fields.count where name.equals(fields[i].name) { return i }
    return nil
  }

  /// The names of the fields that hold keys, as they stand in a sentence.
  var keyNames: String { listed(keys.map { $0.quotedName }, "and") }
}
