/// The keys added to a writer, with the object each points at.
struct KeyTable: ~Copyable {
  /// One call of `addKey`.
  struct Row {
    /// The key's first eight bytes, big-endian, zeros behind a shorter key: decides most comparisons without touching
    /// the key.
    var prefix: UInt64
    var key: StoredBytes
    /// The object's number in the writer's ``ObjectTable``.
    var object: UInt32
    /// Which call of `addKey` this was, from 0.
    var ordinal: UInt32

    @inline(__always)
    static func precedes(_ left: Row, _ right: Row) -> Bool {
      if left.prefix != right.prefix { return left.prefix < right.prefix }
      let order = left.key.bytes.compare(right.key.bytes)
      return order != 0 ? order < 0 : left.ordinal < right.ordinal
    }
  }

  private var arena = ByteArena()
  private(set) var rows: [Row] = []

  var count: Int { rows.count }

  mutating func append(_ key: RawSpan, object: UInt32) {
    var prefix: UInt64 = 0
    for i in 0..<min(8, key.byteCount) {
      prefix |= UInt64(key.loadInside(at: i, as: UInt8.self)) << UInt64(56 - 8 * i)
    }
    rows.append(Row(prefix: prefix, key: arena.store(key), object: object, ordinal: UInt32(rows.count)))
  }

  /// Puts the rows in key order, equal keys in the order in which they were added.
  mutating func sort() { rows.sort(by: Row.precedes) }
}
