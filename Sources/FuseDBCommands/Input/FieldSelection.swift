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

  /// The two fields that hold the ends of a range of addresses.
  struct Range {
    var first: [UInt8]
    var last: [UInt8]
  }

  /// The fields that hold keys.
  var keys: [Field]
  /// The fields whose range of addresses gives keys.
  let range: Range?
  /// The fields that stay; when there are none, all that hold no keys.
  var kept: [Field]

  init(keys: [[UInt8]], range: Range? = nil, kept: [[UInt8]]) {
    self.keys = Self.fields(keys)
    self.range = range
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
    } else if let place = Self.index(of: name, in: kept) {
      kept[place].wasSeen = true
      role.isKept = true
    }
    return role
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
