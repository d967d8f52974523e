// The one place where bytes are searched for others, many at once.
public import CFuseIntrinsics

extension RawSpan {
  /// How many bytes ``matches(of:or:at:)`` looks at.
  @inlinable package static var matchByteCount: Int { 64 }

  /// Which of the 64 bytes from `offset` on are `first` or `second`: a bit for each, from the lowest on.
  /// - Precondition: they lie inside the span.
  @inlinable
  @inline(__always)
  package func matches(of first: UInt8, or second: UInt8, at offset: Int) -> UInt64 {
    precondition(offset >= 0 && offset <= byteCount &- Self.matchByteCount, "the bytes lie inside the span")
    // SAFETY: the precondition puts 64 bytes from `offset` on inside the span.
    return unsafe withUnsafeBytes { unsafe fuse_match_bytes64($0.baseAddress! + offset, first, second) }
  }

  /// How many bytes ``plainTextByteCount(at:)`` looks at.
  @inlinable package static var plainTextByteCount: Int { 16 }

  /// How many of the 16 bytes from `offset` on come before the first that a string of JSON cannot have as it is: a quote, a backslash or
  /// a control character.
  /// - Precondition: they lie inside the span.
  @inlinable
  @inline(__always)
  package func plainTextByteCount(at offset: Int) -> Int {
    precondition(offset >= 0 && offset <= byteCount &- Self.plainTextByteCount, "the bytes lie inside the span")
    // SAFETY: the precondition puts 16 bytes from `offset` on inside the span.
    return unsafe withUnsafeBytes { unsafe Int(fuse_plain_text16($0.baseAddress! + offset)) }
  }

  /// The offset of the first `byte` in `range`.
  /// - Precondition: the range lies inside the span.
  @inlinable
  package func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "the range lies inside the span")
    guard !range.isEmpty else { return nil }
    // SAFETY: the precondition puts the range inside the span.
    return unsafe withUnsafeBytes { bytes in
      unsafe fuse_find_byte(bytes.baseAddress! + range.lowerBound, byte, range.count)
        .map { unsafe UnsafeRawPointer($0) - bytes.baseAddress! }
    }
  }

  /// The offset of the last `byte` in `range`.
  /// - Precondition: the range lies inside the span.
  package func lastIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "the range lies inside the span")
    let bytes = Span<UInt8>(_bytes: self)
    // It is mostly near.
    for offset in range.reversed() where bytes[offset] == byte { return offset }
    return nil
  }

  /// How many bytes both begin with.
  package func sharedByteCount(with other: RawSpan) -> Int {
    let count = Swift.min(byteCount, other.byteCount)
    var shared = 0
    while shared <= count &- 8 {
      let difference = loadInside(at: shared, as: UInt64.self) ^ other.loadInside(at: shared, as: UInt64.self)
      guard difference == 0 else { return shared &+ difference.leadingZeroBitCount / 8 }
      shared &+= 8
    }
    while shared < count, loadInside(at: shared, as: UInt8.self) == other.loadInside(at: shared, as: UInt8.self) {
      shared &+= 1
    }
    return shared
  }

  /// How many bytes are `byte`.
  package func count(of byte: UInt8) -> Int {
    // SAFETY: the function reads the span's bytes alone.
    unsafe withUnsafeBytes { bytes in
      unsafe bytes.baseAddress.map { unsafe fuse_count_byte($0, bytes.count, byte) } ?? 0
    }
  }
}

extension RawSpan {
  /// Whether these are the same bytes.
  @inlinable
  package func equals(_ bytes: [UInt8]) -> Bool { equals(bytes.rawSpan) }

  /// The bytes as text, with replacement characters for what is not UTF-8.
  package var text: String {
    // SAFETY: the string copies the span's bytes before the pointer ends.
    unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}
