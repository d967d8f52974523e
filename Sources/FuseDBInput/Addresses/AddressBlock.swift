/// A CIDR block: the addresses that share their first ``prefixLength`` bits.
struct AddressBlock: Equatable {
  var family: AddressFamily
  /// The first of them.
  var address: UInt128
  var prefixLength: Int

  /// Appends the block as text, such as `8.8.8.0/24` or `2001:db8::/32`.
  func append(to out: inout [UInt8]) {
    switch family {
    case .ipv4: Self.append(ipv4: UInt32(truncatingIfNeeded: address), to: &out)
    case .ipv6: Self.append(ipv6: address, to: &out)
    }
    out.append(UInt8(ascii: "/"))
    Self.append(decimal: prefixLength, to: &out)
  }

  /// Appends a number below 1000.
  private static func append(decimal number: Int, to out: inout [UInt8]) {
    if number >= 100 { out.append(UInt8(ascii: "0") + UInt8(number / 100)) }
    if number >= 10 { out.append(UInt8(ascii: "0") + UInt8(number / 10 % 10)) }
    out.append(UInt8(ascii: "0") + UInt8(number % 10))
  }

  private static func append(ipv4 address: UInt32, to out: inout [UInt8]) {
    for shift in [24, 16, 8, 0] {
      append(decimal: Int(address >> UInt32(shift) & 0xFF), to: &out)
      if shift > 0 { out.append(UInt8(ascii: ".")) }
    }
  }

  /// By RFC 5952: lower case, no zeros before a group, `::` for the first of the longest runs of two or more groups
  /// that are 0, and the last 32 bits as IPv4 where the address is one that stands for such.
  private static func append(ipv6 address: UInt128, to out: inout [UInt8]) {
    if address >> 32 == 0xFFFF {
      out.append(contentsOf: "::ffff:".utf8)
      return append(ipv4: UInt32(truncatingIfNeeded: address), to: &out)
    }
    let gap = longestRunOfZeros(in: address)
    var group = 0
    while group < 8 {
      if group == gap.lowerBound, !gap.isEmpty {
        out.append(contentsOf: "::".utf8)
        group = gap.upperBound
        continue
      }
      if group > 0, group != gap.upperBound || gap.isEmpty { out.append(UInt8(ascii: ":")) }
      append(hexadecimal: self.group(group, of: address), to: &out)
      group += 1
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

  private static func append(hexadecimal group: UInt16, to out: inout [UInt8]) {
    var shift = 12
    while shift > 0, group >> UInt16(shift) == 0 { shift -= 4 }
    while shift >= 0 {
      let digit = UInt8(group >> UInt16(shift) & 0xF)
      out.append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
      shift -= 4
    }
  }
}

/// The kinds of addresses of the internet.
enum AddressFamily {
  case ipv4, ipv6

  /// How many bits an address has.
  var bitCount: Int { self == .ipv4 ? 32 : 128 }
}
