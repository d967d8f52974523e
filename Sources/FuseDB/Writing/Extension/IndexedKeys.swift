/// The entries of a key index that was written, for whoever makes the ways into it.
@safe
final class IndexedKeys: Sendable {
  /// The file, or its beginning up to the end of the key index.
  let mapping: FileMapping
  /// The key index.
  let range: Range<Int>
  /// Where each entry begins, from the start of the index.
  let entries: [UInt64]
  /// Where each key's object record begins.
  let objects: [UInt64]
  /// The checksum of each stride. [X12]
  let strideChecksums: [UInt32]

  var count: Int { entries.count }

  /// Reads the entries in `range`, which fill it.
  init(in range: Range<Int>, of mapping: FileMapping, count: Int) throws(FuseError) {
    let file = mapping.bytes.extracting(first: range.upperBound)
    var entries: [UInt64] = []
    var objects: [UInt64] = []
    var checksums: [UInt32] = []
    entries.reserveCapacity(count)
    objects.reserveCapacity(count)
    checksums.reserveCapacity(StrideRow.count(keyCount: count))
    var offset = range.lowerBound
    var strideStart = offset
    for number in 0..<count {
      guard let entry = IndexEntry(at: offset, in: file) else {
        throw .corrupted("index entry \(number) runs past the end of the index", at: offset)
      }
      entries.append(UInt64(offset - range.lowerBound))
      objects.append(entry.objectOffset)
      offset = entry.end
      if number % StrideRow.entryCount == StrideRow.entryCount - 1 || number == count - 1 {
        let stride = file.extracting(strideStart..<offset)
        checksums.append(StrideRow.checksum(of: stride, number: checksums.count))
        strideStart = offset
      }
    }
    guard offset == range.upperBound else {
      throw .corrupted("\(range.upperBound - offset) bytes follow the last of \(count) keys", at: offset)
    }
    self.mapping = mapping
    self.range = range
    self.entries = entries
    self.objects = objects
    strideChecksums = checksums
  }

  /// The hash of the key with a number.
  @inline(__always)
  func hash(_ number: Int, seed: UInt64) -> UInt64 {
    let mapping = mapping
    let file = mapping.bytes
    let offset = range.lowerBound + Int(entries[number])
    let count = Int(file.loadInside(at: offset, as: UInt16.self))
    return file.extracting(offset + 2..<offset + 2 + count).hash(seed: seed)
  }
}
