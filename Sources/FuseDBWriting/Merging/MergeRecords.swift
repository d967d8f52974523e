internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// The records of an open file, which are read one by one.
struct MergeRecords: Sendable {
  /// What of a record is read at once, unless it is longer.
  private static let firstByteCount = 256

  let file: InputDescriptor
  let dataEnd: Int

  var path: String { file.path }

  /// Appends the object whose record begins at `offset` to `bytes`, its checksum compared.
  func append(
    objectAt offset: UInt64, to bytes: inout [UInt8], _ window: inout RecordWindow
  ) throws(FuseError) {
    let start = bytes.count
    let room = dataEnd - Header.byteCount - ObjectRecord.overhead
    guard room >= 0, offset >= Header.byteCount, offset - UInt64(Header.byteCount) <= UInt64(room) else {
      throw try bad("the object here runs past the end of the data section at \(dataEnd)", at: offset)
    }
    let recordStart = Int(offset)
    try window.append(
      min(Self.firstByteCount, dataEnd - recordStart), at: recordStart, before: dataEnd, of: file, to: &bytes)
    guard let length = bytes.rawSpan.load(at: start, as: UInt32.self),
      let expected = bytes.rawSpan.load(at: start + 4, as: UInt32.self)
    else { throw cut(at: recordStart) }
    let end = recordStart + ObjectRecord.overhead + Int(length)
    guard end <= dataEnd else {
      throw try bad("the object here runs past the end of the data section at \(dataEnd)", at: offset)
    }
    bytes.removeSubrange(start..<start + ObjectRecord.overhead)
    let missing = start + Int(length) - bytes.count
    if missing < 0 {
      bytes.removeLast(-missing)
    } else if missing > 0 {
      try bytes.makeRoom(for: missing)
      try window.append(missing, at: end - missing, before: dataEnd, of: file, to: &bytes)
    }
    guard bytes.count == start + Int(length) else { throw cut(at: recordStart) }
    let checksum = Checksum.of(bytes.rawSpan.extracting(start...))
    guard checksum == expected else {
      throw try bad(
        """
        the object's checksum is \(checksum.hexadecimal) and its record says \(expected.hexadecimal); \
        'fusedb verify' lists the damage
        """, at: offset)
    }
  }

  private func bad(_ message: String, at offset: UInt64) throws(FuseError) -> FuseError {
    // What stands where a file was cut is no damage of it.
    if try file.stamp().byteCount < Int64(dataEnd) { return cut(at: Int(clamping: offset)) }
    return FuseError.corrupted(message, at: offset).at(path: path)
  }

  private func cut(at offset: Int) -> FuseError {
    FuseError.truncated(
      "the file was overwritten or became shorter while it was read; replace files by renaming and merge again",
      at: offset
    ).at(path: path)
  }
}
