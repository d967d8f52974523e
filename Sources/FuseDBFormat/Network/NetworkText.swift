/// The canonical text of an address or a block, in place. See spec/network.md §2.
///
/// By RFC 5952: lower case, no zeros before a number, `::` for the first of the longest runs of two or more groups that are 0. [A3]
package struct NetworkText: Sendable {
  /// Eight groups of four digits, seven colons, and a prefix length of three digits after a slash: 43 at most.
  private var storage = InlineArray<48, UInt8>(repeating: 0)
  private var count = 0

  /// The text of an address, such as `8.8.8.8` or `2001:db8::1`.
  package init(_ address: FuseAddress) {
    switch address.family {
    case .ipv4: append(ipv4: UInt32(truncatingIfNeeded: address.bits))
    case .ipv6: append(ipv6: address.bits)
    }
  }

  /// The text of a block, such as `8.8.8.0/24` or `2001:db8::/32`.
  package init(_ network: FuseNetwork) {
    self.init(network.address)
    append(UInt8(ascii: "/"))
    append(decimal: network.prefixLength)
  }

  /// The text's bytes.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: a UInt8 has no padding that could be read.
      unsafe storage.span.bytes.extracting(first: count)
    }
  }

  /// The text.
  package var string: String { String(decoding: bytes.array(), as: UTF8.self) }

  private mutating func append(_ byte: UInt8) {
    storage[count] = byte
    count += 1
  }

  /// Appends a number below 1000.
  private mutating func append(decimal number: Int) {
    let zero = UInt8(ascii: "0")
    if number >= 100 { append(zero + UInt8(number / 100)) }
    if number >= 10 { append(zero + UInt8(number / 10 % 10)) }
    append(zero + UInt8(number % 10))
  }

  private mutating func append(ipv4 address: UInt32) {
    for number in 0..<4 {
      // Without a branch on how many digits there are: that can't be foretold.
      let value = address &>> UInt32(24 &- 8 &* number) & 0xFF
      let hundreds = (value &* 41) &>> 12
      let rest = value &- 100 &* hundreds
      let tens = (rest &* 103) &>> 10
      let digits = hundreds | tens &<< 8 | (rest &- 10 &* tens) &<< 16 | 0x2E30_3030
      let zeros: UInt32 = (value < 100 ? 1 : 0) &+ (value < 10 ? 1 : 0)
      append(digits &>> (8 &* zeros), count: 4 &- Int(zeros))
    }
    // A point follows the last number, too.
    count &-= 1
  }

  /// Appends the lowest bytes of a number.
  ///
  /// - Precondition: a text has four bytes more.
  private mutating func append(_ bytes: UInt32, count added: Int) {
    var span = storage.mutableSpan
    // SAFETY: all bits of an integer are bytes, and all bytes are integers.
    var place = unsafe span.mutableBytes
    place.storeBytes(of: bytes.littleEndian, toByteOffset: count, as: UInt32.self)
    count &+= added
  }

  private mutating func append(ipv6 address: UInt128) {
    let colon = UInt8(ascii: ":")
    let gap = Self.longestRunOfZeros(in: address)
    var number = 0
    while number < 8 {
      if number == gap.lowerBound, !gap.isEmpty {
        append(colon)
        append(colon)
        number = gap.upperBound
        continue
      }
      if number > 0, gap.isEmpty || number != gap.upperBound { append(colon) }
      append(hexadecimal: Self.group(number, of: address))
      number += 1
    }
  }

  private mutating func append(hexadecimal group: UInt16) {
    var shift: UInt16 = 12
    while shift > 0, group >> shift == 0 { shift -= 4 }
    while true {
      let digit = UInt8(group >> shift & 0xF)
      append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
      if shift == 0 { return }
      shift -= 4
    }
  }

  private static func group(_ number: Int, of address: UInt128) -> UInt16 {
    UInt16(truncatingIfNeeded: address >> UInt128(16 * (7 - number)))
  }

  /// Which groups `::` stands for; none is an empty range.
  private static func longestRunOfZeros(in address: UInt128) -> Range<Int> {
    var longest = 0..<1
    var start = 0
    for number in 0..<8 {
      if group(number, of: address) != 0 {
        start = number + 1
      } else if number + 1 - start > longest.count {
        longest = start..<number + 1
      }
    }
    return longest.count > 1 ? longest : 0..<0
  }
}
