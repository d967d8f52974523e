package import FuseDBFormat
package import FuseDBSystem

/// Blocks and the places of their objects, in any order, sorted by address.
package final class NetworkRecords {
  /// A block in 24 bytes, without padding.
  struct Record: BitwiseCopyable, Comparable {
    var high: UInt64
    var low: UInt64
    /// The object's offset of 40 bits, 8 bits of family, 8 of prefix length.
    var rest: UInt64

    init(_ network: FuseNetwork, object: UInt64) {
      high = UInt64(truncatingIfNeeded: network.address.bits >> 64)
      low = UInt64(truncatingIfNeeded: network.address.bits)
      rest = object << 16 | UInt64(network.family.rawValue) << 8 | UInt64(network.prefixLength)
    }

    var network: FuseNetwork {
      let family: FuseAddress.Family = rest & 0xFF00 == 0x400 ? .ipv4 : .ipv6
      return FuseNetwork(
        unchecked: FuseAddress(family: family, bits: UInt128(high) << 64 | UInt128(low)),
        prefixLength: Int(rest & 0xFF))
    }

    var object: UInt64 { rest >> 16 }

    /// By family, address, length, object.
    static func < (left: Record, right: Record) -> Bool {
      let (leftFamily, rightFamily) = (left.rest & 0xFF00, right.rest & 0xFF00)
      if leftFamily != rightFamily { return leftFamily < rightFamily }
      if left.high != right.high { return left.high < right.high }
      if left.low != right.low { return left.low < right.low }
      let (leftLength, rightLength) = (left.rest & 0xFF, right.rest & 0xFF)
      return leftLength == rightLength ? left.rest < right.rest : leftLength < rightLength
    }
  }

  private let records: SortedRecords<Record>
  package private(set) var count = 0

  /// - Parameter memory: for the records that are being sorted, in bytes.
  package init(_ spill: Spill, memory: Int) { records = SortedRecords(spill, memory: memory) }

  /// Adds a block.
  ///
  /// - Parameter object: below 2^40.
  package func add(_ network: FuseNetwork, object: UInt64) throws(FuseError) {
    precondition(object < 1 << 40, "the object's offset has 40 bits")
    try records.add(Record(network, object: object))
    count += 1
  }

  /// Calls `body` with each block in ascending order, once.
  package func forEach(_ body: (FuseNetwork, _ object: UInt64) throws(FuseError) -> Void) throws(FuseError) {
    try records.forEach { record throws(FuseError) in try body(record.network, record.object) }
  }
}
