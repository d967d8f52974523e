public import CFuseIntrinsics

/// What a run of addresses answers: the object of the longest block that holds them, and that block's prefix length.
@usableFromInline package struct NetworkAnswer: Equatable, Sendable {
  /// The prefix length of no answer: what should say it is damaged. It stands in no file.
  @inlinable package static var damagedLength: UInt8 { 253 }
  /// The prefix length that says that no block holds the addresses.
  @inlinable package static var noLength: UInt8 { 254 }
  /// The prefix length that says that the table of longer blocks knows more.
  @inlinable package static var deeperLength: UInt8 { 255 }

  /// The object's offset; where more is known, the line of the table of longer blocks to begin with.
  @usableFromInline package var object: UInt64
  @usableFromInline package var length: UInt8

  @inlinable
  package init(object: UInt64, length: UInt8) {
    self.object = object
    self.length = length
  }

  @inlinable package static var none: NetworkAnswer { NetworkAnswer(object: 0, length: noLength) }
  @inlinable package static var damaged: NetworkAnswer { NetworkAnswer(object: 0, length: damagedLength) }
}

/// A line of 64 bytes of the section `NETW`: fields and check. See spec/network.md §4.
///
/// All functions that read take a span of 64 bytes.
@usableFromInline package enum NetworkLine {
  @inlinable static var narrowLengths: Int { 18 }
  @inlinable static var narrowObjects: Int { 27 }
  @inlinable static var wideLengths: Int { 14 }
  @inlinable static var lengths: Int { 16 }
  @inlinable static var wideObjects: Int { 21 }
  @inlinable static var objects: Int { 24 }
  @inlinable static var shift: Int { 56 }
  @inlinable static var check: Int { 60 }
  /// The start of lanes that no run has.
  @inlinable package static var unusedStart: UInt16 { 0xFFFF }
  /// One more than the largest offset that a line can hold.
  package static func objectLimit(_ lanes: NetworkSection.Lanes) -> UInt64 { 1 << UInt64(8 * objectByteCount(lanes)) }
  /// How many bytes an object has.
  static func objectByteCount(_ lanes: NetworkSection.Lanes) -> Int {
    switch lanes {
    case .nine: 3
    case .eight: 4
    case .seven: 5
    }
  }

  /// The answer of a lane.
  /// - Parameter lane: below the number of lanes.
  @inlinable
  @inline(__always)
  package static func answer(_ lane: Int, of line: RawSpan, _ lanes: NetworkSection.Lanes) -> NetworkAnswer {
    guard lanes == .eight else {
      if lanes == .nine {
        // Of the four bytes the last is the next object's, or stands before the shift.
        return NetworkAnswer(
          object: UInt64(line.little(at: narrowObjects &+ 3 &* lane, as: UInt32.self) & 0xFF_FFFF),
          length: line.little(at: narrowLengths &+ lane, as: UInt8.self))
      }
      return NetworkAnswer(
        object: line.little(at: wideObjects &+ 5 &* lane, as: UInt64.self) & 0xFF_FFFF_FFFF,
        length: line.little(at: wideLengths &+ lane, as: UInt8.self))
    }
    return NetworkAnswer(
      object: UInt64(line.little(at: objects &+ 4 &* lane, as: UInt32.self)),
      length: line.little(at: lengths &+ lane, as: UInt8.self))
  }

  /// The start of a lane, from the line's base, in units of 2^shift.
  @inlinable
  package static func start(_ lane: Int, of line: RawSpan) -> UInt16 { line.little(at: 2 &* lane, as: UInt16.self) }

  /// How many zeros the starts leave out.
  @inlinable
  @inline(__always)
  package static func shift(of line: RawSpan) -> UInt8 { line.little(at: shift, as: UInt8.self) }

  /// The lane whose run holds what stands `distance` units after the base: the last that begins there or before. Whatever the line says,
  /// it is below the number of lanes.
  ///
  /// Of seven lanes, the eighth start is two lengths; whether it counts makes no difference to the seventh lane.
  /// - Precondition: the span has 64 bytes.
  @inlinable
  @inline(__always)
  package static func lane(at distance: UInt16, of line: RawSpan, _ lanes: NetworkSection.Lanes) -> Int {
    // SAFETY: the precondition on spans puts the first 16 bytes inside.
    let rank = unsafe line.withUnsafeBytes { unsafe fuse_rank16x8($0.baseAddress!, distance) }
    // Of nine lanes, the last stands by itself.
    if lanes == .nine, start(8, of: line) <= distance { return 8 }
    return min(max(Int(rank), 1), Int(lanes.rawValue)) &- 1
  }

  /// Whether a line is what was written between two bases of one word. [A10]
  @inlinable
  @inline(__always)
  package static func isSound(_ line: RawSpan, base: UInt64, next: UInt64) -> Bool {
    sum(of: line, base, next) &>> 32 == UInt64(line.little(at: check, as: UInt32.self))
  }

  /// Whether a line is what was written between two bases of two words. [A10]
  @inlinable
  @inline(__always)
  package static func isSound(_ line: RawSpan, base: UInt128, next: UInt128) -> Bool {
    check(of: line, base: base, next: next) == line.little(at: check, as: UInt32.self)
  }

  /// The check of a line between two bases.
  @inlinable
  package static func check(of line: RawSpan, base: UInt128, next: UInt128) -> UInt32 {
    let lower = sum(of: line, UInt64(truncatingIfNeeded: base), UInt64(truncatingIfNeeded: next))
    let upper =
      UInt64(truncatingIfNeeded: base &>> 64) &* 0x79DC_2447 &+ UInt64(truncatingIfNeeded: next &>> 64) &* 0x32BF_766F
    return UInt32(truncatingIfNeeded: (lower &+ upper &* 0x9E37_79B9_7F4A_7C15) &>> 32)
  }

  /// The number whose upper half is the check, for bases without an upper word.
  @inlinable
  @inline(__always)
  static func sum(of line: RawSpan, _ base: UInt64, _ next: UInt64) -> UInt64 {
    var sum = line.little(at: 0, as: UInt64.self) &* 0x7110_541D
    sum &+= line.little(at: 8, as: UInt64.self) &* 0x373C_4F35
    sum &+= line.little(at: 16, as: UInt64.self) &* 0x0362_2E8D
    sum &+= line.little(at: 24, as: UInt64.self) &* 0x7C45_DC55
    sum &+= line.little(at: 32, as: UInt64.self) &* 0x0D9C_C4B5
    sum &+= line.little(at: 40, as: UInt64.self) &* 0x29E5_CF87
    sum &+= line.little(at: 48, as: UInt64.self) &* 0x1641_4D5F
    // Without the check itself.
    sum &+= UInt64(line.little(at: 56, as: UInt32.self)) &* 0x62C2_099D
    sum &+= base &* 0x1F72_BC49
    sum &+= next &* 0x6169_9371
    return sum &* 0x9E37_79B9_7F4A_7C15
  }
}
