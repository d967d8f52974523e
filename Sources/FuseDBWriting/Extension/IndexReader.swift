internal import FuseDBFormat
internal import FuseDBReading
package import FuseDBSystem
internal import FuseDBValues

/// Reads a key index back from the file that it was written to, piece by piece: what is mapped would count as memory
/// that the process uses.
package struct IndexReader {
  private static let pieceByteCount = 1 << 20
  private static let longestEntry = IndexEntry.overhead + Int(UInt16.max)

  private let file: AtomicFile
  /// Where the key index is.
  let range: Range<Int>
  let keyCount: Int

  /// - Parameter file: flushed.
  package init(_ range: Range<Int>, of file: AtomicFile, keyCount: Int) {
    self.file = file
    self.range = range
    self.keyCount = keyCount
  }

  /// The hash of the index's bytes.
  func hash(seed: UInt64) throws(FuseError) -> UInt64 {
    let piece = try ZeroedMemory(byteCount: Self.pieceByteCount, inLargePages: false)
    var hash = try RunningHash(seed: seed)
    var done = range.lowerBound
    while done < range.upperBound {
      let count = min(Self.pieceByteCount, range.upperBound - done)
      // SAFETY: the piece has room for so many bytes, and they are read before the span is made.
      unsafe try file.read(into: UnsafeMutableRawBufferPointer(start: piece.start, count: count), at: done)
      hash.update(unsafe RawSpan(_unsafeStart: piece.start, byteCount: count))
      done += count
    }
    return hash.value
  }

  /// Calls `body` with the key and the object offset of each entry.
  func forEachEntry(_ body: (RawSpan, UInt64) throws(FuseError) -> Void) throws(FuseError) {
    let piece = try ZeroedMemory(byteCount: Self.pieceByteCount, inLargePages: false)
    // The piece holds `held` bytes of the file, from `start` on; the next entry is at `next` of them.
    var (start, held, next) = (range.lowerBound, 0, 0)
    for number in 0..<keyCount {
      if held - next < Self.longestEntry, start + held < range.upperBound {
        start += next
        held -= next
        // SAFETY: what is left moves to the start of the piece, and what is read after it fits into the rest.
        unsafe piece.start.copyMemory(from: piece.start + next, byteCount: held)
        next = 0
        let count = min(Self.pieceByteCount - held, range.upperBound - start - held)
        unsafe try file.read(
          into: UnsafeMutableRawBufferPointer(start: piece.start + held, count: count), at: start + held)
        held += count
      }
      // SAFETY: so many bytes of the piece were read.
      let bytes = unsafe RawSpan(_unsafeStart: piece.start, byteCount: held)
      guard let entry = IndexEntry(at: next, in: bytes) else {
        throw .corrupted("index entry \(number) runs past the end of the index", at: start + next)
      }
      guard entry.objectOffset < UInt64(range.lowerBound) else {
        throw .corrupted("index entry \(number) points at no object", at: start + next)
      }
      try body(bytes.extracting(entry.keyRange), entry.objectOffset)
      next = entry.end
    }
    guard start + next == range.upperBound else {
      throw .corrupted(
        "\(counted(range.upperBound - start - next, "byte")) too many after the last of \(counted(keyCount, "key"))",
        at: start + next)
    }
  }
}
