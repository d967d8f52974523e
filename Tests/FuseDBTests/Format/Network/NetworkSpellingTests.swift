import ProgramSupport
import Testing

import FuseDB

struct `The spelling of a block` {
  private static func spelling(_ text: String) -> NetworkSpelling? { NetworkSpelling(text.keyBytes) }

  /// A key; its flaws; the key that it should be.
  static let cases: [(key: String, flaws: NetworkSpelling.Flaws, canonical: String)] = [
    ("8.8.8.0/24", [], "8.8.8.0/24"), ("0.0.0.0/0", [], "0.0.0.0/0"), ("::/0", [], "::/0"),
    ("2001:db8::/32", [], "2001:db8::/32"),
    ("8.8.8.8", [], "8.8.8.8"), ("8.8.8.8/32", [], "8.8.8.8/32"), ("::1", [], "::1"), ("::1/128", [], "::1/128"),
    ("8.8.8.8/16", .hostBits, "8.8.0.0/16"), ("255.255.255.255/0", .hostBits, "0.0.0.0/0"),
    ("2001:db8::1/64", .hostBits, "2001:db8::/64"),
    ("2001:DB8::/32", .spelling, "2001:db8::/32"), ("2001:db8:0::/32", .spelling, "2001:db8::/32"),
    ("2001:0db8::/32", .spelling, "2001:db8::/32"), ("1.2.3.0/024", .spelling, "1.2.3.0/24"),
    ("1.2.3.4/032", .spelling, "1.2.3.4/32"),
    ("::ffff:1.2.3.4", .spelling, "1.2.3.4"), ("::ffff:1.2.3.0/120", .spelling, "1.2.3.0/24"),
    ("::ffff:0:0/96", .spelling, "0.0.0.0/0"),
    ("::ffff:1.2.3.4/120", [.hostBits, .spelling], "1.2.3.0/24"), ("::ffff:0:0/95", .hostBits, "::fffe:0:0/95"),
    ("::FFFF:0:0/64", [.hostBits, .spelling], "::/64"),
    ("::1.2.3.4", .spelling, "::102:304"),
  ]

  @Test(arguments: cases)
  func `is told from the one that it has [A2] [A3] [A4]`(
    key: String, flaws: NetworkSpelling.Flaws, canonical: String
  ) throws {
    let found = try #require(Self.spelling(key))
    #expect(found.flaws == flaws)
    #expect(found.canonical.string == canonical)
    let refusal = found.refusal(of: key.keyBytes)
    #expect((refusal == nil) == flaws.isEmpty)
    if let refusal { #expect(refusal.message.hasSuffix("write \(canonical)")) }
    let again = try #require(Self.spelling(canonical))
    #expect(again.network == found.network)
    #expect(again.flaws.isEmpty)
    #expect(again.isAddress == !canonical.contains("/"))
    #expect(FuseNetwork(key) == (flaws.contains(.hostBits) ? nil : found.network))
  }

  static let refused = [
    "", "/", "/8", "8.8.8.0/", "8.8.8.0/33", "8.8.8.0/-1", "8.8.8.0/+8", "8.8.8.0/8 ", "8.8.8.0/ 8", "8.8.8.0 /8",
    "010.0.0.0/8", "8.8.8/24", "8/8",
    "8.8.8.0/255.255.255.0", "::/129", "::/1000", "::/0128", "::/", "2001:db8::/32/32", "example.com", "12",
    "1.2.3.4/24/24", "::%1/64", "8.8.8.0/a",
  ]

  @Test(arguments: refused)
  func `is none where the text is another`(text: String) {
    #expect(Self.spelling(text) == nil)
    #expect(FuseNetwork(text) == nil)
  }

  @Test func `of each length is one, and holds what has its first bits`() {
    var random = SeededRandom.announced()
    for family in [FuseAddress.Family.ipv4, .ipv6] {
      for length in 0...family.bitCount {
        let high = UInt128(random.next()) | 1 << 63
        let bits = (high << 64 | UInt128(random.next())) & FuseAddress.hostMask(family, 0)
        let address = FuseAddress(family: family, bits: bits)
        let network = FuseNetwork(around: address, prefixLength: length)
        #expect(FuseNetwork(network.description) == network)
        #expect(network.contains(address))
        #expect(network.contains(FuseAddress(family: family, bits: network.lastBits)))
        #expect(Self.spelling(network.description)?.flaws == [])
        if length > 0 {
          let beside = FuseAddress(family: family, bits: bits ^ 1 << UInt128(family.bitCount - length))
          #expect(!network.contains(beside))
          #expect(FuseNetwork(around: address, prefixLength: length - 1).contains(network))
          #expect(!network.contains(FuseNetwork(around: address, prefixLength: length - 1)))
        }
      }
    }
    #expect(!FuseNetwork("0.0.0.0/0")!.contains(FuseAddress("::")!))
    #expect(!FuseNetwork("::/0")!.contains(FuseAddress("0.0.0.0")!))
  }
}
