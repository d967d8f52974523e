/// An address of the internet, as a cell or field spells it. See spec/json.md, "Ranges of addresses".
struct Address: Equatable {
  /// How it is written.
  enum Spelling {
    /// Four numbers with points between them.
    case ipv4
    /// Groups of hexadecimal digits with colons between them; the last two may be four numbers with points.
    case ipv6
    /// A decimal integer, which may be an address of either family.
    case integer
  }

  let spelling: Spelling
  let value: UInt128

  init(_ spelling: Spelling, _ value: UInt128) {
    self.spelling = spelling
    self.value = value
  }

  /// The address that `text` spells, or nil where it spells none: nothing may stand around it, and no number of it is
  /// left out, octal or hexadecimal, as some systems allow. [R9]
  init?(_ text: RawSpan) {
    let text = Span<UInt8>(_bytes: text)
    // The first byte that is no digit tells.
    var offset = 0
    while offset < text.count, Self.isDigit(text[offset]) { offset += 1 }
    if offset == text.count {
      guard let value = Self.integer(text) else { return nil }
      self.init(.integer, value)
    } else if text[offset] == UInt8(ascii: ".") {
      guard let value = Self.ipv4(text, from: 0) else { return nil }
      self.init(.ipv4, UInt128(value))
    } else {
      guard let value = Self.ipv6(text) else { return nil }
      self.init(.ipv6, value)
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  /// The integer whose decimal digits `text` is, zeros before it or not.
  private static func integer(_ text: Span<UInt8>) -> UInt128? {
    guard !text.isEmpty else { return nil }
    var value: UInt128 = 0
    for i in 0..<text.count {
      let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
      let (sum, carries) = tens.addingReportingOverflow(UInt128(text[i] - UInt8(ascii: "0")))
      guard !overflows, !carries else { return nil }
      value = sum
    }
    return value
  }

  /// The address whose four numbers, from 0 to 255 and without zeros before them, stand from `start` to the end of `text`.
  private static func ipv4(_ text: Span<UInt8>, from start: Int) -> UInt32? {
    var value: UInt32 = 0
    var offset = start
    for number in 0..<4 {
      if number > 0 {
        guard offset < text.count, text[offset] == UInt8(ascii: ".") else { return nil }
        offset += 1
      }
      let first = offset
      var part: UInt32 = 0
      while offset < text.count, offset < first + 3, isDigit(text[offset]) {
        part = part * 10 + UInt32(text[offset] - UInt8(ascii: "0"))
        offset += 1
      }
      guard offset > first, part <= 255, offset == first + 1 || text[first] != UInt8(ascii: "0") else { return nil }
      value = value << 8 | part
    }
    return offset == text.count ? value : nil
  }

  /// The address that `text` spells by RFC 4291, section 2.2: eight groups, of which `::` stands for one or more that are 0.
  private static func ipv6(_ text: Span<UInt8>) -> UInt128? {
    let colon = UInt8(ascii: ":")
    var value: UInt128 = 0
    var groupCount = 0
    // How many groups stand before `::`.
    var gap: Int?
    var offset = 0
    if text.count >= 2, text[0] == colon, text[1] == colon {
      gap = 0
      offset = 2
    }
    while offset < text.count {
      let start = offset
      var group: UInt128 = 0
      while offset < text.count, offset < start + 4, let digit = hexadecimal(text[offset]) {
        group = group << 4 | UInt128(digit)
        offset += 1
      }
      if offset < text.count, text[offset] == UInt8(ascii: ".") {
        guard groupCount <= 6, let last = ipv4(text, from: start) else { return nil }
        value = value << 32 | UInt128(last)
        groupCount += 2
        break
      }
      guard offset > start, groupCount < 8 else { return nil }
      value = value << 16 | group
      groupCount += 1
      guard offset < text.count else { break }
      guard text[offset] == colon, offset + 1 < text.count else { return nil }
      offset += 1
      if text[offset] == colon {
        guard gap == nil else { return nil }
        gap = groupCount
        offset += 1
      }
    }
    guard let gap else { return groupCount == 8 ? value : nil }
    guard groupCount < 8 else { return nil }
    let lowBits = 16 * (groupCount - gap)
    let low = value & (1 << lowBits - 1)
    return (value >> lowBits) << (16 * (8 - gap)) | low
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
