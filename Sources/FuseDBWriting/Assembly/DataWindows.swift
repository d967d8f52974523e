internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// The data section in parts that fit into memory: objects come in any order, and each waits with the part in which its
/// record begins.
struct DataWindows {
  private let spill: Spill
  private let windowByteCount: Int
  private var windows: [Window]

  private struct Window {
    let stream: SpillStream
    var start = Int.max
    var end = 0
  }

  init(_ spill: Spill, dataByteCount: Int, windowByteCount: Int) {
    self.spill = spill
    self.windowByteCount = max(1 << 16, windowByteCount)
    windows = (0...dataByteCount / self.windowByteCount).map { _ in Window(stream: SpillStream(spill)) }
  }

  /// Adds an object whose record is to begin at `offset`.
  mutating func add(_ object: RawSpan, at offset: UInt64) throws(FuseError) {
    let start = Int(offset)
    let number = (start - Header.byteCount) / windowByteCount
    windows[number].start = min(windows[number].start, start)
    windows[number].end = max(windows[number].end, start + ObjectRecord.overhead + object.byteCount)
    let stream = windows[number].stream
    try stream.append(record: offset)
    try stream.append(record: UInt32(object.byteCount))
    try stream.append(object)
  }

  /// Writes the data section.
  func write(to assembly: FileAssembly) throws(FuseError) {
    for window in windows where window.end > 0 {
      precondition(window.start == Int(assembly.dataEnd), "the records fill the data section without a gap")
      window.stream.finish()
      let memory = try ZeroedMemory(byteCount: window.end - window.start)
      var reader = SpillReader(window.stream)
      while let offset = try reader.next(as: UInt64.self), let byteCount = try reader.next(as: UInt32.self) {
        let windowOffset = Int(offset) - window.start
        try reader.withNext(Int(byteCount)) { object in
          let checksum = Checksum.of(object)
          // SAFETY: the window reaches from the first record that begins in it to the end of the last.
          unsafe memory.start.storeBytes(of: byteCount.bigEndian, toByteOffset: windowOffset, as: UInt32.self)
          unsafe memory.start.storeBytes(of: checksum.bigEndian, toByteOffset: windowOffset + 4, as: UInt32.self)
          unsafe object.withUnsafeBytes { bytes in
            unsafe (memory.start + windowOffset + ObjectRecord.overhead).copyMemory(
              from: bytes.baseAddress!, byteCount: bytes.count)
          }
        }
      }
      // SAFETY: the memory has so many bytes.
      let bytes = unsafe RawSpan(_unsafeStart: memory.start, byteCount: memory.byteCount)
      try assembly.file.write(bytes)
    }
  }
}
