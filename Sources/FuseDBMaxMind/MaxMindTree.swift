internal import FuseDBFormat
internal import FuseDBSystem

/// The search tree of a MaxMind DB while it is made: two records a node. See spec/mmdb.md §6.
struct MaxMindTree {
  /// A record without a value.
  static let empty = UInt32.max
  /// Beyond nodes come values: their number with this bit.
  private static let isValue: UInt32 = 1 << 31
  /// How many nodes and values there can be.
  static let most = Int(isValue) - 1

  private(set) var records: [UInt32] = [empty, empty]

  var nodeCount: Int { records.count / 2 }

  static func record(ofValue number: Int) -> UInt32 { isValue | UInt32(number) }

  /// The number of the value that a record has; nil where it has none.
  static func value(of record: UInt32) -> Int? {
    record >= isValue && record != empty ? Int(record & ~isValue) : nil
  }

  static func isNode(_ record: UInt32) -> Bool { record < isValue }

  /// The record in a slot.
  subscript(slot: Int) -> UInt32 {
    get { records[slot] }
    set { records[slot] = newValue }
  }

  /// Lets all addresses of a block lead to `record`, what was there before included.
  ///
  /// - Parameters:
  ///   - bits: the address, its first bit the highest of all.
  ///   - slot: where the block of no bits is; nil at the root.
  mutating func insert(_ bits: UInt128, _ length: Int, _ record: UInt32, under slot: Int? = nil) throws(FuseError) {
    guard length > 0 || slot != nil else {
      (records[0], records[1]) = (record, record)
      return
    }
    let place = try self.slot(of: bits, length, under: slot)
    records[place] = record
  }

  /// The slot of a block. What holds more than the block is split.
  mutating func slot(of bits: UInt128, _ length: Int, under start: Int? = nil) throws(FuseError) -> Int {
    var slot = start ?? Int(bits >> 127)
    var bits = start == nil ? bits << 1 : bits
    for _ in 0..<(start == nil ? length - 1 : length) {
      var record = records[slot]
      if !Self.isNode(record) {
        guard nodeCount < Self.most else {
          throw FuseError(
            .limitExceeded, "the tree has more than \(Self.most) nodes, and a MaxMind DB no room for more")
        }
        let node = UInt32(nodeCount)
        try records.grow(by: record)
        try records.grow(by: record)
        records[slot] = node
        record = node
      }
      slot = Int(record) * 2 + Int(bits >> 127)
      bits <<= 1
    }
    return slot
  }

  /// What a block leads to, as far as it is not split.
  func record(of bits: UInt128, _ length: Int) -> UInt32 {
    var node = 0
    var bits = bits
    for step in 0..<length {
      let record = records[2 * node + Int(bits >> 127)]
      guard step + 1 < length, Self.isNode(record) else { return record }
      node = Int(record)
      bits <<= 1
    }
    return Self.empty
  }
}
