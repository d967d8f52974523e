internal import FuseDBFormat

/// A table of shapes or of parts, which are found by number.
struct CompactItems: Sendable {
  static let headByteCount = 5

  /// Where the table stands.
  let range: Range<Int>
  let count: Int
  /// How many bytes say where an item begins.
  let width: Int
  /// What an item can have; whoever says more is refused before that is read.
  let mostByteCount: Int

  /// Where the first item begins.
  var start: Int { range.lowerBound + Self.headByteCount + width * (count + 1) }

  init(in range: Range<Int>, mostByteCount: Int, of file: RawSpan) throws(FuseError) {
    guard range.count >= Self.headByteCount else {
      throw .corrupted("a table of numbered items is too short for its head", at: range.lowerBound)
    }
    self.range = range
    self.mostByteCount = mostByteCount
    count = Int(file.loadInside(at: range.lowerBound, as: UInt32.self))
    width = Int(file.loadInside(at: range.lowerBound + 4, as: UInt8.self))
    guard width == 4 || width == 6, width * (count + 1) <= range.count - Self.headByteCount else {
      throw .corrupted("the head of a table of numbered items does not fit the table", at: range.lowerBound)
    }
  }

  /// Where an item begins, counted from the first, or where the last ends.
  /// - Precondition: `number` is at most `count`.
  func place(_ number: Int, in file: RawSpan) -> UInt64 {
    let at = range.lowerBound &+ Self.headByteCount &+ width &* number
    if width == 4 { return UInt64(file.loadInside(at: at, as: UInt32.self)) }
    // A table never begins before byte 40.
    return file.loadInside(at: at &- 2, as: UInt64.self) & 0xFFFF_FFFF_FFFF
  }

  /// Where the bytes of an item stand, after their CRC-32 was compared, which covers its number: so a damaged place leads to no
  /// other item.
  func item(_ number: UInt64, in file: RawSpan) throws(FuseError) -> Range<Int> {
    guard number < UInt64(count) else { throw absent(number) }
    let number = Int(truncatingIfNeeded: number)
    let (begin, end) = (place(number, in: file), place(number &+ 1, in: file))
    guard begin &+ 4 <= end, end <= UInt64(range.upperBound &- start) else { throw outside(number) }
    let bytes = start &+ Int(begin) &+ 4..<start &+ Int(end)
    guard bytes.count <= mostByteCount else { throw tooLong(number) }
    guard
      file.loadInside(at: bytes.lowerBound &- 4, as: UInt32.self)
        == Checksum.of(number: UInt32(number), then: file.extracting(bytes))
    else { throw damaged(number) }
    return bytes
  }

  // How errors are made stands apart, so that those who ask stay short.

  @inline(never)
  private func absent(_ number: UInt64) -> FuseError {
    .corrupted("there are \(counted(count, "item")) and one is asked for by the number \(number)", at: range.lowerBound)
  }

  @inline(never)
  private func outside(_ number: Int) -> FuseError {
    .corrupted("item \(number) does not lie in its table", at: range.lowerBound + Self.headByteCount + width * number)
  }

  @inline(never)
  private func tooLong(_ number: Int) -> FuseError {
    .corrupted(
      "item \(number) is longer than one can be", at: range.lowerBound + Self.headByteCount + width * number)
  }

  @inline(never)
  private func damaged(_ number: Int) -> FuseError {
    .corrupted(
      "item \(number) differs from its checksum", at: range.lowerBound + Self.headByteCount + width * number)
  }
}

extension Checksum {
  /// The checksum of the four bytes of a number, and of what follows it.
  @inline(__always)
  static func of(number: UInt32, then bytes: RawSpan) -> UInt32 {
    let start = unsafe withUnsafeBytes(of: number.bigEndian) { number in
      // SAFETY: the span ends before the closure does.
      of(unsafe RawSpan(_unsafeBytes: number))
    }
    var checksum = Checksum(continuing: start)
    checksum.update(bytes)
    return checksum.value
  }
}
