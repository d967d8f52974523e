package import FuseDBFormat

/// Bytes written one after the other into an open file, from an offset on, with their checksum.
///
/// Whole blocks at multiples of their size become large pages in the page cache, where the system has them: readers then
/// map a large page at a time, and miss fewer translations.
@safe
package final class FileStream {
  private static let blockByteCount = 2 << 20

  private let path: String
  private let descriptor: Int32
  // SAFETY: `block` begins at `bytes` and has `blockByteCount` bytes, and `filled` is never more. To ask the block itself would count a
  // reference each time.
  private var block: ZeroedMemory
  private var bytes: UnsafeMutableRawPointer
  private var filled = 0
  /// The file, where another thread is to write its blocks,
  private let fileForThread: OwnedDescriptor?
  /// and that thread, from the first full block on: a short file needs none.
  private var behind: WriteBehind?
  private var handedOver: Int

  /// Where the first byte stands in the file.
  package let start: Int
  /// The checksum of all bytes handed to the system; flush before.
  package private(set) var checksum = Checksum()

  /// Where the next byte is going to stand.
  package var position: Int { handedOver &+ filled }
  /// How many bytes were written.
  package var byteCount: Int { position &- start }

  /// - Parameters:
  ///   - descriptor: stays open as long as this object is used.
  ///   - path: for errors.
  ///   - file: the same, where another thread is to write while this one goes on; that takes a second block of memory.
  init(to descriptor: Int32, at start: Int, path: String, behind file: OwnedDescriptor? = nil) throws(FuseError) {
    self.descriptor = descriptor
    self.start = start
    self.path = path
    handedOver = start
    block = try ZeroedMemory(byteCount: Self.blockByteCount, inLargePages: false)
    // SAFETY: only kept here; the block is kept, too.
    unsafe bytes = block.start
    fileForThread = file
  }

  /// How many bytes the block takes: less where it does not begin at a multiple of its size.
  private var room: Int { Self.blockByteCount &- handedOver % Self.blockByteCount }

  /// Appends bytes.
  package func write(_ bytes: RawSpan) throws(FuseError) {
    guard bytes.byteCount < room &- filled else { return try writeAcross(bytes) }
    // SAFETY: the block has more bytes left than these.
    unsafe bytes.withUnsafeBytes { bytes in
      if let from = bytes.baseAddress { unsafe (self.bytes + filled).copyMemory(from: from, byteCount: bytes.count) }
    }
    filled &+= bytes.byteCount
  }

  /// Appends an object record. [D1]
  package func write(record object: RawSpan) throws(FuseError) {
    try put(UInt32(truncatingIfNeeded: object.byteCount))
    try put(Checksum.of(object))
    try write(object)
  }

  /// Appends an entry of the key index. [I1]
  package func write(entry key: RawSpan, object: UInt64) throws(FuseError) {
    let count = key.byteCount
    let byteCount = count &+ IndexEntry.overhead
    if byteCount < room &- filled {
      // SAFETY: the block has more bytes left than the entry.
      let entry = unsafe block.start + filled
      unsafe entry.storeBytes(of: UInt16(truncatingIfNeeded: count).bigEndian, as: UInt16.self)
      unsafe key.withUnsafeBytes { bytes in
        if let from = bytes.baseAddress { unsafe (entry + 2).copyMemory(from: from, byteCount: count) }
      }
      unsafe entry.storeBytes(of: object.bigEndian, toByteOffset: 2 &+ count, as: UInt64.self)
      filled &+= byteCount
      return
    }
    try put(UInt16(truncatingIfNeeded: key.byteCount))
    try write(key)
    try put(object)
  }

  /// Appends a row of the section `ORDR`. [X17]
  package func write(row offset: UInt64, checksum: UInt32) throws(FuseError) {
    try put(offset)
    try put(checksum)
  }

  /// Appends an integer, big-endian.
  @inline(__always)
  private func put<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) throws(FuseError) {
    let size = MemoryLayout<T>.size
    guard size < room &- filled else {
      var bytes: [UInt8] = []
      bytes.append(bigEndian: value)
      return try writeAcross(bytes.rawSpan)
    }
    // SAFETY: the block has more bytes left than the integer.
    unsafe bytes.storeBytes(of: value.bigEndian, toByteOffset: filled, as: T.self)
    filled &+= size
  }

  private func writeAcross(_ bytes: RawSpan) throws(FuseError) {
    var done = 0
    while done < bytes.byteCount {
      let left = bytes.byteCount - done
      if filled == 0, left >= room, fileForThread == nil {
        // Whole blocks go out from where they are.
        let count = room + (left - room) / Self.blockByteCount * Self.blockByteCount
        try handOver(bytes.extracting(done..<done + count))
        done += count
      } else {
        let part = bytes.extracting(done..<done + min(left, room - filled))
        // SAFETY: the part is no longer than what is left of the block.
        unsafe part.withUnsafeBytes { part in
          unsafe (self.bytes + filled).copyMemory(from: part.baseAddress!, byteCount: part.count)
        }
        filled += part.byteCount
        done += part.byteCount
        if filled == room {
          if behind == nil, let fileForThread {
            behind = WriteBehind(
              to: fileForThread, after: checksum, blockByteCount: Self.blockByteCount, path: path)
          }
          try handOverBlock()
        }
      }
    }
  }

  /// Hands over what is buffered, so that ``checksum`` covers all bytes written.
  package func flush() throws(FuseError) {
    try handOverBlock()
    if let behind { checksum = try behind.finish() }
  }

  private func handOverBlock() throws(FuseError) {
    let block = block
    if let behind {
      try Cancellation.check()
      self.block = try behind.write(block, byteCount: filled, at: handedOver)
      unsafe bytes = self.block.start
      handedOver += filled
    } else {
      // SAFETY: so many bytes of the block were filled.
      let bytes = unsafe RawSpan(_unsafeStart: block.start, byteCount: filled)
      try handOver(bytes)
    }
    filled = 0
  }

  private func handOver(_ bytes: RawSpan) throws(FuseError) {
    try Cancellation.check()
    checksum.update(bytes)
    guard writeAll(bytes, to: descriptor, at: handedOver) else { throw AtomicFile.failed("write", path: path) }
    handedOver += bytes.byteCount
  }
}
