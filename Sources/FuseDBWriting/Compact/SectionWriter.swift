internal import FuseDBCompact
internal import FuseDBFormat
internal import FuseDBSystem

/// Writes the sections of a compact file one after the other, then directory and footer.
struct SectionWriter {
  private static let alignment = 64
  private static let directoryAlignment = 8
  private static let required: UInt32 = 1
  private static let footerVersion: UInt16 = 1
  private static let magic = Array("FSDBEXT\n".utf8)

  private let file: AtomicFile
  /// Where the rows end.
  private let rowsEnd: Int
  /// The checksum of what stands between the header and `end`.
  private var checksum: Checksum
  /// The length of the file so far.
  private(set) var end: Int
  private var directory: [UInt8] = []
  private var sectionCount: UInt32 = 0

  /// - Parameters:
  ///   - file: flushed up to `end`, and nothing stands after it.
  ///   - end: where the rows end.
  ///   - checksum: that of all between the header and there.
  init(to file: AtomicFile, after end: Int, checksum: Checksum) {
    self.file = file
    rowsEnd = end
    self.end = end
    self.checksum = checksum
  }

  /// Where the next section is going to begin. What is left out before it reads as zeros.
  var nextStart: Int { Self.roundedUp(end, to: Self.alignment) }

  private static func roundedUp(_ offset: Int, to alignment: Int) -> Int {
    (offset + alignment - 1) / alignment * alignment
  }

  /// Adds a section that stands at ``nextStart``.
  ///
  /// - Parameter isRequired: whether the file cannot be understood without it.
  mutating func add(_ kind: [UInt8], byteCount: Int, _ sectionChecksum: Checksum, isRequired: Bool = true) {
    skip(to: nextStart)
    directory += kind
    directory.append(bigEndian: isRequired ? Self.required : 0)
    directory.append(bigEndian: UInt64(end))
    directory.append(bigEndian: UInt64(byteCount))
    directory.append(bigEndian: sectionChecksum.value)
    directory.append(bigEndian: UInt32(0))
    sectionCount += 1
    checksum.append(sectionChecksum.value, byteCount: byteCount)
    end += byteCount
  }

  /// Writes a section that others may leave aside.
  mutating func addOptional(
    _ kind: [UInt8], _ write: (FileStream) throws(FuseError) -> Void
  ) throws(FuseError) {
    let stream = try file.stream(at: nextStart)
    try write(stream)
    try stream.flush()
    add(kind, byteCount: stream.byteCount, stream.checksum, isRequired: false)
  }

  /// Writes a section of these bytes, and of what the streams have after them.
  mutating func add(_ kind: [UInt8], _ bytes: [UInt8], _ streams: [SpillStream] = []) throws(FuseError) {
    let stream = try file.stream(at: nextStart)
    try stream.write(bytes.rawSpan)
    for spilled in streams {
      var reader = SpillReader(spilled)
      var left = spilled.byteCount
      while left > 0 {
        let count = min(left, 1 << 16)
        try reader.withNext(count) { piece throws(FuseError) in try stream.write(piece) }
        left -= count
      }
    }
    try stream.flush()
    add(kind, byteCount: stream.byteCount, stream.checksum)
  }

  private mutating func skip(to offset: Int) {
    let zeros = [UInt8](repeating: 0, count: offset - end)
    checksum.update(zeros.rawSpan)
    end = offset
  }

  /// Writes directory and footer; the file then ends at ``end``.
  ///
  /// - Returns: the bytes of the header.
  mutating func finish(keyCount: Int, objectCount: Int) throws(FuseError) -> [UInt8] {
    skip(to: Self.roundedUp(end, to: Self.directoryAlignment))
    let directoryChecksum = Checksum.of(directory.rawSpan)
    checksum.append(directoryChecksum, byteCount: directory.count)
    var header = Header(
      keyCount: UInt32(keyCount), objectCount: UInt32(objectCount), indexOffset: UInt64(rowsEnd),
      checksum: checksum.value
    ).bytes
    header[4] = CompactForm.version
    var footer: [UInt8] = []
    footer.append(bigEndian: UInt64(rowsEnd))
    footer.append(bigEndian: UInt64(end))
    footer.append(bigEndian: sectionCount)
    footer.append(bigEndian: directoryChecksum)
    footer.append(bigEndian: Checksum.of(header.rawSpan))
    footer.append(bigEndian: Self.footerVersion)
    footer.append(bigEndian: UInt16(0))
    footer.append(bigEndian: Checksum.of(footer.rawSpan))
    // The checksum in the header ends where the footer begins, so there is nothing to balance.
    footer.append(bigEndian: UInt32(0))
    footer += Self.magic
    let stream = try file.stream(at: end)
    try stream.write(directory.rawSpan)
    try stream.write(footer.rawSpan)
    try stream.flush()
    end = stream.position
    return header
  }
}
