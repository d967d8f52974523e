package import FuseDBFormat
package import FuseDBSystem
internal import FuseDBValues

/// What going through a file's key index yields: proof that it is sound, an index in memory, and samples of the keys.
package struct IndexPass: Sendable {
  /// From how many keys on it pays to have a second thread.
  private static let keysForThread = 4096

  /// Finds one key; nil where few look-ups are expected.
  let hash: MemoryIndex?
  /// Where entry 0, 32, 64 … begins: where ordered scans start.
  let samples: [UInt64]

  /// What is known of an index that was not read.
  package static let unread = IndexPass(hash: nil, samples: [])

  private init(hash: MemoryIndex?, samples: [UInt64]) {
    self.hash = hash
    self.samples = samples
  }

  /// Reads the whole index, which ends at `end`: every entry inside it, keys strictly ascending, objects inside the data
  /// section, nothing after the last entry. [O3] [O4] [O5]
  ///
  /// - Complexity: O(bytes of the index); 10.25 bytes of memory a key, without the hash index 0.25.
  init(
    of mapping: FileMapping, header: Header, until end: Int, expecting lookups: FuseReader.ExpectedLookups
  ) throws(FuseError) {
    let file = mapping.bytes.extracting(first: end)
    let keyCount = Int(header.keyCount)
    let start = Int(header.indexOffset)
    // Before anything is allocated by that number: so many entries need so many bytes. [O4]
    guard keyCount <= (file.byteCount - start) / IndexEntry.overhead else {
      throw .corrupted(
        "the header counts \(counted(keyCount, "key")), and \(counted(file.byteCount - start, "byte")) of index cannot hold so many",
        at: Header.Field.keyCount)
    }
    guard file.byteCount <= Bucket.largestOffset else {
      throw FuseError(.limitExceeded, "the file is larger than 2^48 bytes, and the index in memory cannot address that")
    }
    guard lookups == .many else {
      samples = try Self.samples(of: file, header: header)
      hash = nil
      return
    }
    // The other thread reads entries that are not checked yet. It stays inside the file, and what it makes of bad
    // ones is thrown away.
    let hash = BackgroundWork(isWorthThread: keyCount > Self.keysForThread) {
      Result { () throws(FuseError) in
        try MemoryIndex(of: mapping.bytes.extracting(first: end), from: start, keyCount: keyCount)
      }
    }
    let samples = Result { () throws(FuseError) in try Self.samples(of: file, header: header) }
    let made = hash.wait()
    // First: keys that are out of order may also suit no hash.
    self.samples = try samples.get()
    self.hash = try made.get()
  }

  /// Checks every entry, and notes where each 32nd begins.
  private static func samples(of file: RawSpan, header: Header) throws(FuseError) -> [UInt64] {
    let keyCount = Int(header.keyCount)
    let start = Int(header.indexOffset)
    let lastRecord = header.indexOffset &- UInt64(ObjectRecord.overhead)
    let hasRecords = header.indexOffset >= UInt64(Header.byteCount + ObjectRecord.overhead)
    var samples: [UInt64] = []
    try samples.reserve(StrideRow.count(keyCount: keyCount))
    var walk = EntryWalk(from: start, until: file.byteCount, in: file)
    var highestTarget: UInt64 = 0
    for number in 0..<keyCount {
      if number & 0xFFFF == 0 { try Cancellation.check() }
      guard let entry = walk.next() else {
        let isThere = IndexEntry(at: walk.offset, in: file) != nil
        throw .corrupted(
          isThere
            ? "the key of index entry \(number) does not come after the one before it"
            : "index entry \(number) runs past the end of the file", at: walk.offset)
      }
      guard hasRecords, entry.objectOffset >= UInt64(Header.byteCount), entry.objectOffset <= lastRecord else {
        throw .corrupted(
          "index entry \(number) points at \(entry.objectOffset), outside the data section", at: entry.offset)
      }
      if number % KeyOrder.stride == 0 { samples.append(UInt64(entry.offset)) }
      highestTarget = max(highestTarget, entry.objectOffset)
    }
    guard walk.offset == file.byteCount else {
      throw .corrupted(
        "there is more after the last of \(counted(header.keyCount, "key")), \(counted(file.byteCount - walk.offset, "byte")); the header's count or the file is damaged",
        at: walk.offset)
    }
    if keyCount > 0 { try checkRecords(from: highestTarget, until: start, in: file) }
    return samples
  }

  /// The records from `offset` on end where the index begins: a wrong index offset that happens to look like an index
  /// is found here. [O5]
  package static func checkRecords(from offset: UInt64, until end: Int, in file: RawSpan) throws(FuseError) {
    var offset = offset
    while offset < UInt64(end) {
      guard let record = ObjectRecord(at: offset, before: end, in: file) else {
        throw .corrupted("the record here does not end before the key index, which begins at \(end)", at: offset)
      }
      offset = UInt64(record.end)
    }
  }
}

extension Checksum {
  /// What a thread reads before it looks for more. In larger files it is more, so that the parts stay few.
  private static let partByteCount = 1 << 20
  private static let mostParts = 1024

  /// The checksum of a part of a file, by all processors; anything where the call is to end, which the caller asks first.
  ///
  /// - Complexity: O(bytes), divided by the number of processors as far as memory keeps up.
  package static func of(
    _ range: Range<Int>, in mapping: FileMapping, threadCount: Int = Parallel.processorCount,
    onProgress: (Double) -> Void = { _ in }
  ) -> UInt32 {
    let step = max(partByteCount, range.count / mostParts + 1)
    let parts = stride(from: range.lowerBound, to: range.upperBound, by: step).map {
      $0..<min(range.upperBound, $0 + step)
    }
    let checksums = Parallel.map(parts.count, threadCount: threadCount, onProgress: onProgress) { number in
      let file = mapping.bytes
      return Cancellation.isRequested ? 0 : Checksum.of(file.extracting(parts[number]))
    }
    var whole = Checksum()
    for (part, checksum) in zip(parts, checksums) { whole.append(checksum, byteCount: part.count) }
    return whole.value
  }
}
