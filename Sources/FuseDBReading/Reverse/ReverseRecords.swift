package import FuseDBFormat
package import FuseDBSystem

/// The entries of a key index, sorted by the objects that they point at, and the section `REVS` of them; see ``SortedRecords``.
package final class ReverseRecords {
  /// An entry in 12 bytes, without padding.
  private struct Record: BitwiseCopyable, Comparable {
    var objectHigh: UInt32
    var objectLow: UInt32
    var entry: UInt32

    var object: UInt64 { UInt64(objectHigh) << 32 | UInt64(objectLow) }

    @inline(__always)
    static func < (left: Record, right: Record) -> Bool {
      let (leftObject, rightObject) = (left.object, right.object)
      return leftObject == rightObject ? left.entry < right.entry : leftObject < rightObject
    }
  }

  private let records: SortedRecords<Record>
  private var count: UInt32 = 0

  /// - Parameter memory: for the entries that are being sorted, in bytes.
  package init(_ spill: Spill, memory: Int) { records = SortedRecords(spill, memory: memory) }

  /// Adds the next entry of the key index.
  package func add(object: UInt64) throws(FuseError) {
    try records.add(
      Record(
        objectHigh: UInt32(truncatingIfNeeded: object >> 32), objectLow: UInt32(truncatingIfNeeded: object),
        entry: count))
    count += 1
  }

  /// Hands out the section's blocks, once.
  package func write(_ put: (RawSpan) throws(FuseError) -> Void) throws(FuseError) {
    var writer = ReverseBlockWriter()
    try records.forEach { record throws(FuseError) in
      try writer.add(object: record.object, entry: record.entry, put)
    }
    try writer.finish(put)
  }
}
