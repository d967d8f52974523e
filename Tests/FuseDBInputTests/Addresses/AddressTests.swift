import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBInput

private func address(_ text: String) -> Address? {
  let bytes = Array(text.utf8)
  let span = bytes.rawSpan
  return Address(span)
}

/// The text of an address, by way of the block that holds it alone.
private func text(_ family: AddressFamily, _ value: UInt128) -> String {
  var out: [UInt8] = []
  AddressBlock(family: family, address: value, prefixLength: family.bitCount).append(to: &out)
  return String(decoding: out, as: UTF8.self)
}

struct AddressTests {
  @Test(arguments: [
    ("0.0.0.0", 0), ("255.255.255.255", 0xFFFF_FFFF), ("1.2.3.4", 0x0102_0304), ("10.0.200.99", 0x0A00_C863),
  ])
  func `four numbers are an IPv4 address, and its text`(spelling: String, value: UInt128) {
    #expect(address(spelling) == Address(.ipv4, value))
    #expect(text(.ipv4, value) == spelling + "/32")
  }

  @Test(
    arguments: [
      ("::", 0, "::"), ("::1", 1, "::1"), ("1::", 1 << 112, "1::"), ("0:0:0:0:0:0:0:0", 0, "::"),
      ("2001:db8::", 0x2001_0DB8 << 96, "2001:db8::"), ("2001:0DB8::0001", 0x2001_0DB8 << 96 | 1, "2001:db8::1"),
      (
        "1:2:3:4:5:6:7:8", 0x0001_0002_0003_0004_0005_0006_0007_0008, "1:2:3:4:5:6:7:8"
      ),
      ("1:2:3:4:5:6:7::", 0x0001_0002_0003_0004_0005_0006_0007_0000, "1:2:3:4:5:6:7:0"),
      ("::2:3:4:5:6:7:8", 0x0002_0003_0004_0005_0006_0007_0008, "0:2:3:4:5:6:7:8"),
      ("1:0:0:2:0:0:0:3", 1 << 112 | 2 << 64 | 3, "1:0:0:2::3"),
      ("1:0:0:2:3:0:0:4", 1 << 112 | 2 << 64 | 3 << 48 | 4, "1::2:3:0:0:4"),
      ("::ffff:1.2.3.4", 0xFFFF_0102_0304, "::ffff:1.2.3.4"), ("::ffff:102:304", 0xFFFF_0102_0304, "::ffff:1.2.3.4"),
      ("::1.2.3.4", 0x0102_0304, "::102:304"), ("64:ff9b::1.2.3.4", 0x64_FF9B << 96 | 0x0102_0304, "64:ff9b::102:304"),
      ("1:2:3:4:5:6:7.8.9.10", 0x0001_0002_0003_0004_0005_0006_0708_090A, "1:2:3:4:5:6:708:90a"),
      ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", .max, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ] as [(String, UInt128, String)])
  func `groups with colons are an IPv6 address, whose text is that of RFC 5952`(
    spelling: String, value: UInt128, canonical: String
  ) {
    #expect(address(spelling) == Address(.ipv6, value))
    #expect(text(.ipv6, value) == canonical + "/128")
  }

  @Test(
    arguments: [
      ("0", 0), ("16777216", 1 << 24), ("0016777216", 1 << 24), ("4294967296", 1 << 32),
      ("340282366920938463463374607431768211455", .max),
    ] as [(String, UInt128)])
  func `decimal digits are an integer`(spelling: String, value: UInt128) {
    #expect(address(spelling) == Address(.integer, value))
  }

  @Test(arguments: [
    "", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4000", "01.2.3.4", "1.2.3.00", "0x1.2.3.4", "1..2.3", ".1.2.3",
    "1.2.3.",
    "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "+1", "-1", "0x10", "1e3", "340282366920938463463374607431768211456",
    "99999999999999999999999999999999999999999999", ":", ":::", "1:", ":1", "1:2", "1:::2", "1::2::3", "::1:",
    "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "12345::",
    "g::", "::1%eth0", "[::1]", "::1/128", "1.2.3.0/24", "1.2.3.4::", "::1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5:6::1.2.3.4", "1:2:3:4:5:1.2.3.4", "::1.2.3.256", "example.com", "١",
  ])
  func `nothing else is an address`(spelling: String) {
    #expect(address(spelling) == nil)
  }

  @Test func `every cut and every changed byte of an address is an address or none, never a crash`() {
    for spelling in ["1.20.255.3", "2001:db8:1::ff:0", "::ffff:255.1.0.99", "1:2:3:4:5:6:7:8", "34028236692093846346"] {
      let bytes = Array(spelling.utf8)
      for place in bytes.indices {
        _ = address(String(decoding: bytes[..<place], as: UTF8.self))
        for byte in UInt8.min...UInt8.max {
          var changed = bytes
          changed[place] = byte
          let span = changed.rawSpan
          _ = Address(span)
        }
      }
    }
  }

  @Test func `a random address is what its text says`() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    for _ in 0..<20_000 {
      // Groups of zeros come often.
      var value: UInt128 = 0
      for _ in 0..<8 {
        value = value << 16 | (Bool.random(using: &random) ? 0 : UInt128.random(in: 0...0xFFFF, using: &random))
      }
      value >>= UInt128.random(in: 0...127, using: &random)
      #expect(address(String(text(.ipv6, value).dropLast(4)))?.value == value, "seed \(seed)")
      let low = value & 0xFFFF_FFFF
      #expect(address(String(text(.ipv4, low).dropLast(3))) == Address(.ipv4, low), "seed \(seed)")
    }
  }
}
