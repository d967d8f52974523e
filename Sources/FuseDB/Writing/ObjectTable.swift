/// The objects added to a writer, and which of them hold the same bytes.
struct ObjectTable: ~Copyable {
  private struct Row {
    var bytes: StoredBytes
    var hash: UInt64
  }

  private var arena = ByteArena()
  private var rows: [Row] = []
  /// Open addressing: a row's number plus one, or 0; at most half full.
  private var slots: [UInt32] = []

  var count: Int { rows.count }

  /// Stores `bytes` as a new object.
  mutating func append(_ bytes: RawSpan) -> UInt32 {
    rows.append(Row(bytes: arena.store(bytes), hash: 0))
    return UInt32(rows.count - 1)
  }

  /// The number of the object that holds the same bytes, or nil and the hash to ``append(_:hash:)`` it under.
  func find(_ bytes: RawSpan, hash: UInt64) -> UInt32? {
    guard !slots.isEmpty else { return nil }
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      let number = slots[slot] - 1
      let row = rows[Int(number)]
      if row.hash == hash, row.bytes.bytes.equals(bytes) { return number }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// Stores `bytes` as a new object that ``find(_:hash:)`` finds from now on.
  mutating func append(_ bytes: RawSpan, hash: UInt64) -> UInt32 {
    rows.append(Row(bytes: arena.store(bytes), hash: hash))
    if rows.count * 2 > slots.count { grow() } else { insert(UInt32(rows.count - 1)) }
    return UInt32(rows.count - 1)
  }

  /// Calls `body` with the bytes of object `number`.
  func withBytes<Result, Failure: Error>(
    of number: UInt32, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(rows[Int(number)].bytes.bytes)
  }

  /// The length of object `number`.
  func byteCount(of number: UInt32) -> Int { Int(rows[Int(number)].bytes.byteCount) }

  private mutating func insert(_ number: UInt32) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: rows[Int(number)].hash) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = number + 1
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: max(64, slots.count * 2))
    for number in 0..<UInt32(rows.count) { insert(number) }
  }
}
