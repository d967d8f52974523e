internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What was read of a file ahead of its records, which mostly follow each other.
struct RecordWindow {
  private static let byteCount = 1 << 16
  /// How far after what was read last a record may begin, to be taken for the next one.
  private static let nearby = 4096

  private var bytes: [UInt8] = []
  private var start = 0
  private var end: Int { start + bytes.count }

  /// Appends `count` bytes of a file, those from `offset` on, to `target`; fewer where the file ends before.
  ///
  /// - Parameter limit: where the records end; nothing is read ahead beyond it.
  mutating func append(
    _ count: Int, at offset: Int, before limit: Int, of file: InputDescriptor, to target: inout [UInt8]
  ) throws(FuseError) {
    if offset < start || offset + count > end {
      let isNext = offset >= start && offset - end <= Self.nearby
      bytes.removeAll(keepingCapacity: true)
      start = offset
      // A record somewhere else is read alone: the next one may be anywhere.
      try file.append(isNext ? max(count, min(Self.byteCount, limit - offset)) : count, at: offset, to: &bytes)
    }
    let range = offset - start..<min(offset - start + count, bytes.count)
    target.append(contentsOf: bytes[range])
  }
}
