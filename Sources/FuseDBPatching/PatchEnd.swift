internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// The file at one end of a patch, found sound, and its records by their numbers.
struct PatchEnd {
  let reader: FuseReader
  /// Where each record begins, and after the last one the end of the data section.
  private var starts: [UInt64]

  /// How many records there are.
  let recordCount: Int

  /// Verifies the file, and finds the records. [U8]
  ///
  /// - Complexity: O(bytes); 8 bytes of memory a record, and those of verifying.
  init(_ reader: FuseReader) throws(FuseError) {
    self.reader = reader
    try Verifier.requireSound(reader.mapping)
    starts = try Self.starts(in: reader)
    recordCount = starts.count - 1
    try reader.mapping.checkNotShrunk()
  }

  private static func starts(in reader: FuseReader) throws(FuseError) -> [UInt64] {
    let mapping = reader.mapping
    let file = mapping.bytes
    var starts: [UInt64] = []
    // Verified: so many records there are.
    try starts.reserve(Int(reader.header.objectCount) + 1)
    var offset = UInt64(Header.byteCount)
    while offset < UInt64(reader.dataEnd) {
      guard let record = ObjectRecord(at: offset, before: reader.dataEnd, in: file) else {
        throw reader.unlessShrunk(
          .corrupted("the record here changed after it was verified; replace files by renaming", at: offset))
      }
      starts.append(offset)
      offset = UInt64(record.end)
    }
    starts.append(offset)
    return starts
  }

  /// Gives back the memory that the places of the records take. None is asked for any more.
  mutating func forgetRecords() { starts = [] }

  /// Where some records stand, one after the other.
  func range(ofRecords numbers: Range<Int>) -> Range<Int> {
    Int(starts[numbers.lowerBound])..<Int(starts[numbers.upperBound])
  }

  /// Appends where some records would begin if the first began at `position`.
  func appendStarts(ofRecords numbers: Range<Int>, to others: inout [UInt64], from position: UInt64) {
    guard !numbers.isEmpty else { return }
    let moved = position &- starts[numbers.lowerBound]
    for number in numbers { others.append(starts[number] &+ moved) }
  }

  /// Where the object of a record stands.
  func range(ofObject number: Int) -> Range<Int> {
    Int(starts[number]) + ObjectRecord.overhead..<Int(starts[number + 1])
  }

  /// The bytes of a record's object.
  @_lifetime(borrow self)
  func object(_ number: Int) -> RawSpan {
    let mapping = reader.mapping
    // SAFETY: the mapping lives as long as the reader, which self keeps.
    return unsafe _overrideLifetime(mapping.bytes.extracting(range(ofObject: number)), borrowing: self)
  }

  /// The stored checksum of a record's object.
  func checksum(_ number: Int) -> UInt32 {
    let mapping = reader.mapping
    return mapping.bytes.loadInside(at: Int(starts[number]) + 4, as: UInt32.self)
  }

  /// Which record an entry points at.
  ///
  /// - Parameter likely: the record that is looked at first; in most files, the one after the highest that an entry pointed at.
  /// - Complexity: O(log records); O(1) where the guess is right.
  @inline(__always)
  func record(of entry: IndexEntry, likely: Int = 0) throws(FuseError) -> Int {
    if likely < recordCount, starts[likely] == entry.objectOffset { return likely }
    return try search(for: entry)
  }

  @inline(never)
  private func search(for entry: IndexEntry) throws(FuseError) -> Int {
    var low = 0
    var high = recordCount
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] < entry.objectOffset { low = middle + 1 } else { high = middle }
    }
    guard low < recordCount, starts[low] == entry.objectOffset else {
      throw reader.unlessShrunk(
        .corrupted(
          "the index entry here points at \(entry.objectOffset), where no record begins; 'fusedb verify' lists the damage",
          at: entry.offset))
    }
    return low
  }
}
