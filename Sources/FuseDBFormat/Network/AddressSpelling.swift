public import CFuseIntrinsics

/// What a text spells: an address, or an integer that may be one. See spec/network.md §2.
///
/// Nothing may stand around the address, and none of its numbers may be left out, octal or hexadecimal, as some systems allow; zones are
/// refused. [A1]
@usableFromInline package enum AddressSpelling: Equatable, Sendable {
  /// Four numbers with points between them.
  case ipv4(UInt32)
  /// Groups of hexadecimal digits with colons between them; the last two may be four numbers with points.
  case ipv6(UInt128)
  /// Decimal digits alone; columns of ranges have such.
  case integer(UInt128)

  /// What `text` spells, or nil.
  @inlinable
  package init?(_ text: RawSpan) {
    // Most are IPv4 addresses.
    // SAFETY: as many bytes are read as the text has.
    let number = unsafe text.withUnsafeBytes { bytes in
      unsafe bytes.baseAddress.map { unsafe fuse_ipv4($0, Int64(bytes.count)) } ?? -1
    }
    if number >= 0 {
      self = .ipv4(UInt32(truncatingIfNeeded: number))
      return
    }
    let text = Span<UInt8>(_bytes: text)
    // The first byte that is no digit tells, and it is near.
    var offset = 0
    while offset < text.count, text[offset] &- 0x30 < 10 { offset &+= 1 }
    if offset < text.count, text[offset] == UInt8(ascii: ".") {
      guard let number = Self.ipv4(text, from: 0) else { return nil }
      self = .ipv4(number)
    } else if offset < text.count {
      guard let number = Self.ipv6(text) else { return nil }
      self = .ipv6(number)
    } else {
      guard let number = Self.integer(text) else { return nil }
      self = .integer(number)
    }
  }

  /// The integer whose decimal digits `text` is, zeros before it or not.
  @usableFromInline
  static func integer(_ text: Span<UInt8>) -> UInt128? {
    guard !text.isEmpty else { return nil }
    var value: UInt128 = 0
    for i in text.indices {
      let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
      let (sum, carries) = tens.addingReportingOverflow(UInt128(text[i] &- 0x30))
      guard !overflows, !carries else { return nil }
      value = sum
    }
    return value
  }

  /// The address whose four numbers, from 0 to 255 and without zeros before them, stand from `start` to the end of `text`.
  @inlinable
  static func ipv4(_ text: Span<UInt8>, from start: Int) -> UInt32? {
    var value: UInt32 = 0
    var part: UInt32 = 0
    var digitCount = 0
    var pointCount = 0
    var offset = start
    while offset < text.count {
      let byte = text[offset]
      offset &+= 1
      let digit = UInt32(byte &- 0x30)
      if digit < 10 {
        // A digit after a zero that stands alone.
        guard digitCount == 0 || part != 0 else { return nil }
        part = part &* 10 &+ digit
        digitCount &+= 1
        guard part <= 255 else { return nil }
      } else {
        guard byte == UInt8(ascii: "."), digitCount > 0 else { return nil }
        value = value &<< 8 | part
        pointCount &+= 1
        part = 0
        digitCount = 0
      }
    }
    // More points have shifted the first numbers out.
    return pointCount == 3 && digitCount > 0 ? value &<< 8 | part : nil
  }

  /// The address that `text` spells by RFC 4291, section 2.2: eight groups, of which `::` stands for one or more that are 0.
  @inlinable
  static func ipv6(_ text: Span<UInt8>) -> UInt128? {
    let colon = UInt8(ascii: ":")
    let count = text.count
    // The groups so far, the last one lowest. Of more than eight the first are shifted out, and the text is refused at its end.
    var value: UInt128 = 0
    var groupCount = 0
    // How many groups stand before `::`; none yet is -1.
    var gap = -1
    var offset = 0
    if count >= 2, text[0] == colon, text[1] == colon {
      gap = 0
      offset = 2
    }
    while offset < count {
      let start = offset
      var group: UInt32 = 0
      var byte = colon
      while offset < count {
        byte = text[offset]
        let digit = Self.hexadecimal(byte)
        guard digit < 16, offset &- start < 4 else { break }
        group = group &<< 4 | digit
        offset &+= 1
      }
      if offset < count, byte == UInt8(ascii: ".") {
        guard let last = ipv4(text, from: start) else { return nil }
        value = value &<< 32 | UInt128(last)
        groupCount &+= 2
        break
      }
      guard offset > start else { return nil }
      value = value &<< 16 | UInt128(group)
      groupCount &+= 1
      guard offset < count else { break }
      // Something follows a colon.
      guard byte == colon, offset &+ 1 < count else { return nil }
      offset &+= 1
      if text[offset] == colon {
        guard gap < 0 else { return nil }
        gap = groupCount
        offset &+= 1
      }
    }
    guard gap >= 0 else { return groupCount == 8 ? value : nil }
    guard groupCount < 8 else { return nil }
    // Where all groups stand after it, nothing is left before it, whatever the shift.
    let lowBits = UInt128(16 &* (groupCount &- gap))
    let low = value & (1 &<< lowBits &- 1)
    return (value &>> lowBits) &<< UInt128(16 &* (8 &- gap)) | low
  }

  /// The value of a hexadecimal digit; 16 or more for another byte.
  @inlinable
  @inline(__always)
  static func hexadecimal(_ byte: UInt8) -> UInt32 {
    let digit = UInt32(byte &- 0x30)
    let letter = UInt32((byte | 0x20) &- 0x61)
    return digit < 10 ? digit : letter < 6 ? letter &+ 10 : 16
  }
}
