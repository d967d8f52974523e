// The one place where integers and comparisons are taken from raw bytes. The format is big-endian throughout
// (spec/format.md §2).
// SAFETY: each unchecked load is of bytes whose offset and width were compared with the span's `byteCount` just before,
// and C functions get no more than the span. What is loaded are integers, for which every bit pattern is a value.
public import CFuseIntrinsics
public import CXXHash

extension RawSpan {
  /// The big-endian integer at `offset`, or nil where it would not fit.
  @inlinable
  @inline(__always)
  package func load<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T? {
    guard offset >= 0, byteCount >= MemoryLayout<T>.size, offset <= byteCount &- MemoryLayout<T>.size else {
      return nil
    }
    // SAFETY: the guard above puts all bytes of T inside the span.
    return T(bigEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self))
  }

  /// The big-endian integer at `offset`.
  /// - Precondition: it lies inside the span.
  @inlinable
  @inline(__always)
  package func loadInside<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T {
    T(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// The order of two keys: as unsigned bytes, a prefix before what it begins. [I4]
  @inlinable
  @inline(__always)
  package func compare(_ other: RawSpan) -> Int {
    let shared = min(byteCount, other.byteCount)
    var offset = 0
    while offset &+ 8 <= shared {
      // SAFETY: eight bytes from `offset` on are inside both spans.
      let left = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      let right = unsafe other.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      if left != right { return left.bigEndian < right.bigEndian ? -1 : 1 }
      offset &+= 8
    }
    // What is left is less than a word. Bytes that are loaded once more are equal.
    let (left, right) = (lastBytes(of: shared), other.lastBytes(of: shared))
    if left != right { return left < right ? -1 : 1 }
    return byteCount &- other.byteCount
  }

  /// The last eight of the first `count` bytes as one number, or all of them where they are fewer: of two such numbers of the same `count`,
  /// the bytes in which they differ first decide.
  @inlinable
  @inline(__always)
  func lastBytes(of count: Int) -> UInt64 {
    // SAFETY: of each count, only bytes below it are read, and the span has so many.
    if count >= 8 { return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 8, as: UInt64.self).bigEndian }
    if count >= 4 {
      let head = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self).bigEndian
      let tail = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self).bigEndian
      return UInt64(head) << 32 | UInt64(tail)
    }
    guard count > 0 else { return 0 }
    let first = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt8.self)
    let middle = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: count / 2, as: UInt8.self)
    let last = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 1, as: UInt8.self)
    return UInt64(first) << 16 | UInt64(middle) << 8 | UInt64(last)
  }

  /// Whether the key in one range comes before that in another. [I4]
  ///
  /// Sorted neighbours mostly differ in their first 16 bytes, and then no branch depends on where.
  @inlinable
  @inline(__always)
  package func isAscending(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
    let shared = min(left.count, right.count)
    if max(left.lowerBound, right.lowerBound) <= byteCount &- 16 {
      // SAFETY: 16 bytes from both lower bounds on are inside the span.
      let equal = unsafe withUnsafeBytes { bytes in
        unsafe Int(fuse_equal_prefix16(bytes.baseAddress! + left.lowerBound, bytes.baseAddress! + right.lowerBound))
      }
      if equal >= shared && shared < 16 { return left.count < right.count }
      if equal < 16 {
        return loadInside(at: left.lowerBound &+ equal, as: UInt8.self)
          < loadInside(at: right.lowerBound &+ equal, as: UInt8.self)
      }
    }
    return extracting(left).compare(extracting(right)) < 0
  }

  /// Whether both spans hold the same bytes.
  @inlinable
  @inline(__always)
  package func equals(_ other: RawSpan) -> Bool {
    let count = byteCount
    guard count == other.byteCount else { return false }
    guard count >= 8 else { return equalsShort(other) }
    var offset = 0
    var difference: UInt64 = 0
    // Whole words, the last one ending with the last byte, wherever it begins.
    while true {
      // SAFETY: `offset` is at most count - 8, and both spans have `count` bytes.
      difference |=
        unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
        ^ other.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      if difference != 0 { return false }
      if offset == count &- 8 { return true }
      offset = min(offset &+ 8, count &- 8)
    }
  }

  /// The same for spans of one length below 8.
  @inline(__always)
  @inlinable
  func equalsShort(_ other: RawSpan) -> Bool {
    for i in 0..<byteCount {
      // SAFETY: `i` is inside both spans.
      if unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt8.self)
        != other.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt8.self)
      {
        return false
      }
    }
    return true
  }

  /// The first seven bytes, or as many as there are, the first one lowest.
  @inlinable
  @inline(__always)
  package var firstSevenBytes: UInt64 {
    let count = byteCount
    // SAFETY: of each length, only bytes below it are read.
    if count >= 8 {
      return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt64.self).littleEndian & ~0 >> 8
    }
    if count >= 4 {
      let head = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self).littleEndian
      let tail = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self).littleEndian
      return UInt64(head) | UInt64(tail) &<< UInt64(8 &* (count &- 4))
    }
    guard count > 0 else { return 0 }
    let first = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt8.self)
    let middle = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: count / 2, as: UInt8.self)
    let last = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 1, as: UInt8.self)
    return UInt64(first) | UInt64(middle) &<< UInt64(8 &* (count / 2)) | UInt64(last) &<< UInt64(8 &* (count &- 1))
  }

  /// XXH3-64 under `seed`.
  @inlinable
  @inline(__always)
  package func hash(seed: UInt64) -> UInt64 {
    // SAFETY: the hash reads exactly the span's bytes.
    unsafe withUnsafeBytes { unsafe fuse_xxh3_64($0.baseAddress, $0.count, seed) }
  }

  /// The same, for many look-ups at once.
  @inlinable
  @inline(__always)
  package func flatHash(seed: UInt64) -> UInt64 {
    // SAFETY: as above.
    unsafe withUnsafeBytes { unsafe fuse_xxh3_64_flat($0.baseAddress, $0.count, seed) }
  }

  /// XXH64 under the seed 42: what a set of shards goes by. See spec/sharding.md [GR1].
  @inlinable
  @inline(__always)
  package var shardHash: UInt64 {
    // SAFETY: the hash reads exactly the span's bytes.
    unsafe withUnsafeBytes { unsafe fuse_xxh64($0.baseAddress, $0.count, 42) }
  }

  // SAFETY: the caller has room for as many hashes as lengths, each of which lies inside the span.
  /// The same of the first bytes alone, for each of some falling lengths: together little more than for the first of them.
  ///
  /// - Parameter lengths: at least one, none above `byteCount`.
  @unsafe
  package func hash(
    prefixes lengths: UnsafeBufferPointer<UInt32>, seed: UInt64, into hashes: UnsafeMutablePointer<UInt64>
  ) {
    unsafe withUnsafeBytes {
      unsafe fuse_xxh3_64_prefixes($0.baseAddress, lengths.baseAddress, lengths.count, seed, hashes)
    }
  }

  /// A copy of the bytes.
  @inlinable
  package func array() -> [UInt8] {
    // SAFETY: the array copies the span's bytes before the pointer ends.
    unsafe withUnsafeBytes { unsafe [UInt8]($0) }
  }
}

extension [UInt8] {
  /// The array's bytes.
  @inlinable
  @inline(__always)
  package var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: a UInt8 has no padding that could be read.
      unsafe span.bytes
    }
  }
}
