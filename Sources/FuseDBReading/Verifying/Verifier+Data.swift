internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

extension Verifier {
  /// Goes through the data section in order, passing over parts that are proven sound.
  @_lifetime(self: copy self)
  mutating func walkData(
    _ parts: [DataPart], header: Header, index: Range<Int>, _ starts: inout RecordStarts
  ) throws(FuseError) {
    let stage = stage(share: Share.dataAgain)
    let dataEnd = Int(header.indexOffset)
    var offset = Header.byteCount
    var allFit = true
    for part in parts {
      if part.isSound, offset == part.range.lowerBound {
        starts.insert(part)
        summary.objectCount += part.recordCount
        offset = part.range.upperBound
        continue
      }
      starts.remove(part: part.range)
      while offset < part.range.upperBound {
        starts.insert(offset)
        if let record = ObjectRecord(at: UInt64(offset), before: dataEnd, in: file) {
          try check(record)
          offset = record.end
          summary.objectCount += 1
          if summary.objectCount % 65536 == 0 { stage(Double(offset) / Double(dataEnd)) }
        } else {
          try add(.objectBounds, at: offset, "the record here runs past the end of the data section at \(dataEnd)")
          // Where records begin is known from their lengths alone; after a wrong one, keys tell where to go on. [P8]
          if allFit { starts.keyTargets = try keyTargets(in: index) }
          allFit = false
          offset = starts.nextTarget(after: offset)
        }
      }
    }
    if allFit, summary.objectCount != Int(header.objectCount) {
      try add(
        .count, at: Header.Field.objectCount,
        "the header counts \(counted(header.objectCount, "object")) and the data section holds \(summary.objectCount)")
    }
  }

  @_lifetime(self: copy self)
  private mutating func check(_ record: ObjectRecord) throws(FuseError) {
    let bytes = file.extracting(record.range)
    let checksum = Checksum.of(bytes)
    guard checksum == record.checksum else {
      return try add(
        .objectChecksum, at: record.offset,
        "the object has checksum \(checksum.hexadecimal) and its record says \(record.checksum.hexadecimal)")
    }
    guard level == .full else { return }
    let error: FuseError
    do throws(FuseError) {
      return try MessagePackCursor.validate(bytes)
    } catch let found {
      error = found
    }
    try add(.objectValue, at: record.offset, "\(error.message) (at byte \(error.offset ?? 0) of the object)")
  }

  /// All offsets that keys point at, each once, in ascending order.
  private func keyTargets(in index: Range<Int>) throws(FuseError) -> [UInt64] {
    let bytes = file.extracting(0..<index.upperBound)
    var targets: [UInt64] = []
    var offset = index.lowerBound
    while let entry = IndexEntry(at: offset, in: bytes) {
      try targets.grow(by: entry.objectOffset)
      offset = entry.end
    }
    try targets.checkRoomForSorting()
    targets.sort()
    return targets
  }
}

/// What one thread found in a part of the data section.
struct DataPart: Sendable {
  let range: Range<Int>
  /// Whether records stand back to back from the first byte of the part to its last, and each is sound.
  private(set) var isSound = false
  /// Of a sound part.
  private(set) var recordCount = 0
  private(set) var checksum: UInt32 = 0

  /// Walks over the records of a part.
  ///
  /// - Parameter starts: is told where records begin; nil when that is not needed.
  init(_ range: Range<Int>, of file: RawSpan, dataEnd: Int, level: VerificationLevel, starts: RecordStarts?) {
    self.range = range
    var sum = PartChecksum(from: range.lowerBound)
    var offset = range.lowerBound
    while offset < range.upperBound {
      guard let record = ObjectRecord(at: UInt64(offset), before: dataEnd, in: file) else { return }
      let bytes = file.extracting(record.range)
      guard Checksum.of(bytes) == record.checksum else { return }
      if level == .full {
        guard MessagePackCursor.isValue(bytes) else { return }
      }
      starts?.insert(offset, ofPartFrom: range.lowerBound)
      offset = record.end
      recordCount &+= 1
      if record.byteCount < PartChecksum.bytesForAppending {
        sum.advance(to: offset, in: file)
      } else {
        sum.advance(over: record.range, checksum: record.checksum, in: file)
      }
    }
    // A record that reaches into the next part proves that this part does not begin or end where a record does.
    guard offset == range.upperBound else { return }
    checksum = sum.finish(at: offset, in: file)
    isSound = true
  }
}
