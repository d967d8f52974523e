import FuseDB

extension FuseDBLookUp {
  /// Whether the library looks up many keys in one call. Until it does, the keys of a batch are asked one by one, and
  /// the table says so.
  static let hasBatches = false

  /// Looks up the keys of `range` in batches of `size`.
  func batchTally(_ keys: ByteList, _ range: Range<Int>, size: Int) throws -> Tally {
    var tally = Tally()
    for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
      let batch = try self.tally(keys, start..<min(start + size, range.upperBound))
      tally.found += batch.found
      tally.sum &+= batch.sum
    }
    return tally
  }
}
