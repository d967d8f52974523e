internal import FuseDBFormat

/// Goes through the records of a pack as they stand, without its index. [SP3]
struct PackWalk {
  enum Step {
    case record(PackRecord, offset: Int)
    /// Bytes that belong to no record.
    case gap(Range<Int>)
    case end
  }

  private let file: StoreFile
  private var place = PackHead.byteCount
  private var found: (PackRecord, Int)?

  init(_ file: StoreFile) { self.file = file }

  mutating func next() throws(FuseError) -> Step {
    let file = file
    let bytes = file.bytes
    if let (record, offset) = found {
      found = nil
      place = offset + PackRecord.byteCount + record.storedByteCount
      return .record(record, offset: offset)
    }
    guard place < bytes.byteCount else {
      try file.check()
      return .end
    }
    if let record = Self.record(bytes, at: place) {
      let offset = place
      place += PackRecord.byteCount + record.storedByteCount
      return .record(record, offset: offset)
    }
    // Where a record's head is damaged, its length is unknown: the next head that holds goes on.
    let start = place
    var next = place + 1
    while next < bytes.byteCount {
      if bytes.load(at: next, as: UInt8.self) == 0x46, let record = Self.record(bytes, at: next) {
        found = (record, next)
        break
      }
      next += 1
    }
    place = next
    return .gap(start..<next)
  }

  private static func record(_ bytes: RawSpan, at offset: Int) -> PackRecord? {
    guard let record = PackRecord(bytes, at: offset),
      record.storedByteCount <= bytes.byteCount - offset - PackRecord.byteCount
    else { return nil }
    return record
  }

  /// Whether the payload of a record is what its digest says.
  static func holds(
    _ record: PackRecord, _ offset: Int, _ file: StoreFile, _ tools: StoreTools
  ) throws(FuseError) -> Bool {
    let start = offset + PackRecord.byteCount
    let payload = file.bytes.extracting(start..<start + record.storedByteCount)
    switch record.kind {
    case .mark: return record.storedByteCount == 0
    case .frame, .deep: return try tools.digest(of: payload) == record.digest
    case .patched: return try PatchedRecipe(payload, tools) != nil
    case .data:
      if record.codec == .raw { return try tools.digest(of: payload) == record.digest }
      guard let contents = try tools.unpacked(payload, record.codec, byteCount: record.byteCount) else { return false }
      return try tools.digest(of: contents.rawSpan) == record.digest
    case .recipe:
      guard let contents = try tools.unpacked(payload, record.codec, byteCount: record.byteCount) else { return false }
      return try Recipe(contents.rawSpan, tools) != nil
    }
  }
}
