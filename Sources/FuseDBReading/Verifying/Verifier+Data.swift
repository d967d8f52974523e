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
