import Glibc
import ProgramSupport
import Testing

import FuseDB

struct `The text of an address` {
  static let read: [(text: String, canonical: String)] = [
    ("0.0.0.0", "0.0.0.0"), ("8.8.8.8", "8.8.8.8"), ("255.255.255.255", "255.255.255.255"),
    ("10.200.30.4", "10.200.30.4"),
    ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
    ("2001:0db8:0:0:0:0:0:1", "2001:db8::1"),
    ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    // The first of the longest runs of zeros, and no single one.
    ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"), ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
    ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("::ffff:8.8.8.8", "8.8.8.8"), ("::ffff:808:808", "8.8.8.8"), ("::FFFF:0:0", "0.0.0.0"),
    ("::ffff:255.255.255.255", "255.255.255.255"),
    ("::1.2.3.4", "::102:304"), ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
    ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
    ("::fffe:1.2.3.4", "::fffe:102:304"), ("1::ffff:1.2.3.4", "1::ffff:102:304"),
  ]

  @Test(arguments: read)
  func `is read in any spelling and written in one [A1] [A2] [A3]`(text: String, canonical: String) throws {
    let address = try #require(FuseAddress(text))
    #expect(address.description == canonical)
    #expect(FuseAddress(canonical) == address)
    #expect(address.family == (canonical.contains(":") ? .ipv6 : .ipv4))
  }

  static let refused = [
    "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.4.", ".1.2.3.4", "1..2.3", "256.1.1.1", "1.2.3.256", "1.2.3.1000",
    "01.2.3.4", "1.2.3.00", "1.2.3.04",
    "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4/32", "1.2.3.a", "+1.2.3.4", "-1.2.3.4", "1.2.3.4\0", "134744072",
    "4294967296.1.1.1",
    ":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:::2", "12345::", "::12345", "::g",
    "::1%eth0", "fe80::1%1", "[::1]",
    "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::1.2.3.256",
    "::01.2.3.4", "::1.2.3.4:5",
    "1.2.3.4::", "::ffff:1.2.3.4.5", "::1:", "1::2:", "2001:db8::1/64", "::1 ", " ::1", "é::1", "１.2.3.4", "::\u{0}",
  ]

  @Test(arguments: refused)
  func `that spells none is refused [A1]`(text: String) { #expect(FuseAddress(text) == nil) }

  @Test func `with digits alone is an integer of up to 128 bits`() {
    #expect(Self.spelling("0") == .integer(0))
    #expect(Self.spelling("0016777216") == .integer(16_777_216))
    #expect(Self.spelling("\(UInt128.max)") == .integer(.max))
    #expect(Self.spelling("340282366920938463463374607431768211456") == nil)
    #expect(Self.spelling("400000000000000000000000000000000000000") == nil)
    #expect(Self.spelling("") == nil)
  }

  private static func spelling(_ text: String) -> AddressSpelling? { AddressSpelling(text.keyBytes) }
  private static func address(_ bytes: [UInt8]) -> FuseAddress? { FuseAddress(bytes: bytes.rawSpan) }

  /// What the C library reads, IPv4-mapped addresses as IPv4.
  private static func reference(_ text: String) -> FuseAddress? {
    guard !text.utf8.contains(0) else { return nil }
    var four = in_addr()
    // SAFETY: each call writes an address of its family.
    if unsafe inet_pton(AF_INET, text, &four) == 1 { return FuseAddress(ipv4: UInt32(bigEndian: four.s_addr)) }
    var six = [UInt8](repeating: 0, count: 16)
    guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
    return address(six)
  }

  private static func random(_ random: inout SeededRandom) -> FuseAddress {
    if random.below(3) == 0 {
      return FuseAddress(ipv4: UInt32(truncatingIfNeeded: random.next()) >> UInt32(random.below(32)))
    }
    var bits: UInt128 = 0
    for _ in 0..<8 {
      bits = bits << 16 | (random.below(2) == 0 ? 0 : UInt128(random.next() & 0xFFFF) >> UInt128(random.below(16)))
    }
    return FuseAddress(ipv6: random.below(10) == 0 ? bits & 0xFFFF_FFFF | 0xFFFF << 32 : bits)
  }

  @Test func `is read as inet_pton reads it, mutated or not`() {
    var random = SeededRandom.announced()
    let bytes = Array("0123456789abcdefABCDEF::::....  /%gx\0".utf8)
    for _ in 0..<200_000 {
      let address = Self.random(&random)
      var text = Array(address.description.utf8)
      if address.family == .ipv4, random.below(4) == 0 { text = Array("::ffff:".utf8) + text }
      if random.below(2) == 0 { text = Array(String(decoding: text, as: UTF8.self).uppercased().utf8) }
      for _ in 0..<random.below(4) {
        let place = random.below(text.count + 1)
        switch random.below(3) {
        case 0: text.insert(random.element(bytes), at: place)
        case 1: if place < text.count { text[place] = random.element(bytes) }
        default: if place < text.count { text.remove(at: place) }
        }
      }
      let spelled = String(decoding: text, as: UTF8.self)
      #expect(FuseAddress(spelled) == Self.reference(spelled), "\(spelled)")
    }
  }

  @Test func `is written as inet_ntop writes it, but for mapped and compatible addresses`() {
    var random = SeededRandom.announced()
    for _ in 0..<50_000 {
      let address = Self.random(&random)
      #expect(FuseAddress(address.description) == address)
      guard address.family == .ipv6, address.bits >> 32 != 0 else { continue }
      var bytes: [UInt8] = []
      bytes.append(bigEndian: address.bits)
      var text = [CChar](repeating: 0, count: 64)
      // SAFETY: 16 bytes are read, and 64 may be written.
      let end = unsafe inet_ntop(AF_INET6, bytes, &text, 64)
      #expect(unsafe end != nil)
      #expect(
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) == address.description)
    }
  }

  @Test func `and its bytes and numbers say the same`() {
    #expect(Self.address([8, 8, 4, 4])?.description == "8.8.4.4")
    #expect(
      Self.address(([UInt8](repeating: 0, count: 10) + [255, 255, 1, 2, 3, 4]))
        == FuseAddress(ipv4: 0x0102_0304))
    #expect(Self.address(([0x20, 1] + [UInt8](repeating: 0, count: 14))) == FuseAddress("2001::"))
    for count in 0...20 where count != 4 && count != 16 {
      #expect(Self.address([UInt8](repeating: 1, count: count)) == nil)
    }
    #expect(FuseAddress(ipv6: 0xFFFF_0808_0808) == FuseAddress(ipv4: 0x0808_0808))
    #expect(FuseAddress(ipv4: .max) < FuseAddress(ipv6: 0))
  }
}
