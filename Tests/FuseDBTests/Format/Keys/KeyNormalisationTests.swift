import FuseDB
import ProgramSupport
import Testing

struct `A rule for keys` {
  /// The rule; the key; what it becomes, nil where it is refused.
  static let cases: [(rule: KeyNormalisation, key: String, result: String?)] = [
    (.lower, "GMail.Com", "gmail.com"), (.lower, "", ""), (.lower, "ÄÖ@[`{", "ÄÖ@[`{"), (.lower, "AZ", "az"),
    (.domain, "Example.COM.", "example.com"), (.domain, "example.com", "example.com"), (.domain, "com", "com"),
    (.domain, ".Example.com", ".example.com"), (.domain, "*.Example.com.", "*.example.com"), (.domain, "*", "*"),
    (.domain, "BÜCHER.example", "bÜcher.example"), (.domain, "xn--bcher-kva.Example", "xn--bcher-kva.example"),
    (.domain, "Me@Example.COM", "me@example.com"),
    (.domain, "", nil), (.domain, ".", nil), (.domain, "..", nil), (.domain, "example.com..", nil),
    (.domain, "example..com", nil), (.domain, "..example.com", nil),
    (.mac, "00:1B:63:84:45:E6", "001b638445e6"), (.mac, "00-1b-63-84-45-e6", "001b638445e6"),
    (.mac, "001B.6384.45E6", "001b638445e6"), (.mac, "001B638445E6", "001b638445e6"),
    (.mac, "00:1B:63", "001b63"), (.mac, "001B63", "001b63"), (.mac, "001B638", "001b638"),
    (.mac, "001B63844", "001b63844"), (.mac, "00-1B-63-8", "001b638"), (.mac, "00:1B:63:84:4", "001b63844"),
    (.mac, "001b.63", "001b63"), (.mac, "001b.638", "001b638"), (.mac, "001b.6384.4", "001b63844"),
    (.mac, "", nil), (.mac, "001b6", nil), (.mac, "00:1b", nil), (.mac, "00:1b:6", nil), (.mac, "001b638445e61", nil),
    (.mac, "00:1b:63:84:45:e6:77", nil), (.mac, "00:1b-63:84:45:e6", nil), (.mac, "001b:6384:45e6", nil),
    (.mac, "00.1b.63.84.45.e6", nil), (.mac, "0:1b:63:84:45:e6", nil), (.mac, "00:1b:63:84:45:", nil),
    (.mac, "00:1b:63:", nil), (.mac, ":00:1b:63", nil), (.mac, "001b63:84:45:e6", nil), (.mac, "00::1b:63:84", nil),
    (.mac, "00:1b:63:84:45:eg", nil), (.mac, "001b6384 5e6", nil), (.mac, "00:1b6384:45", nil),
    (.mac, "001b6384:45", nil), (.mac, "001b63844.5e6", nil),
    (.mac, "001b63-8445e6", nil), (.mac, "00:1b:63:84:45e6", nil),
    (.network, "2001:DB8::/32", "2001:db8::/32"), (.network, "2001:db8:0::/32", "2001:db8::/32"),
    (.network, "8.8.8.8", "8.8.8.8"), (.network, "8.8.8.8/32", "8.8.8.8/32"), (.network, "010.0.0.0/8", "10.0.0.0/8"),
    (.network, "1.2.3.0/024", "1.2.3.0/24"), (.network, "::ffff:1.2.3.4", "1.2.3.4"),
    (.network, "0.0.0.0/0", "0.0.0.0/0"),
    (.network, "example.com", "example.com"), (.network, "", ""), (.network, "00:1B:63:84:45:E6", "00:1B:63:84:45:E6"),
    (.network, "8.8.8.8/16", nil), (.network, "8.8.8.8/33", nil), (.network, "8.8.8/24", nil),
    (.network, "300.1.1.1", nil),
    (.network, "2001:db8::/129", nil),
  ]

  @Test(arguments: cases)
  func `says what a key becomes, and the result stays as it is [F2] [F3] [F4] [F5] [F6] [F7]`(
    rule: KeyNormalisation, key: String, result: String?
  ) {
    let found = rule.apply(to: key)
    #expect(found == result.map { Array($0.utf8) })
    if let found { #expect(rule.apply(to: found) == found) }
    #expect((try? KeyRules(normalisation: rule).rewritten(key.keyBytes) ?? Array(key.utf8)) == found)
  }

  @Test func `has a name [F1]`() {
    #expect(KeyNormalisation.allCases.map { $0.rawValue } == ["network", "domain", "lower", "mac"])
    #expect(KeyNormalisation(rawValue: "upper") == nil)
  }

  @Test func `takes any bytes, and what it makes of them stays as it is`() {
    var random = SeededRandom.announced()
    let letters = Array("0019afAFzZ.:-/@*\u{FF}".utf8)
    for _ in 0..<20_000 {
      let key = (0..<Int.random(in: 0...20, using: &random)).map { _ in letters.randomElement(using: &random)! }
      for rule in KeyNormalisation.allCases {
        guard let found = rule.apply(to: key) else { continue }
        #expect(rule.apply(to: found) == found, "\(rule) \(key)")
      }
    }
  }
}

struct `A key among blocks` {
  /// The key; what it becomes by `--network` alone, with masking, with other spellings, with both; nil where it is refused.
  static let cases: [(key: String, plain: String?, masked: String?, spelled: String?, both: String?)] = [
    ("8.8.8.8/16", nil, "8.8.0.0/16", nil, "8.8.0.0/16"),
    ("2001:DB8::/32", nil, nil, "2001:db8::/32", "2001:db8::/32"),
    ("2001:DB8::1/32", nil, nil, nil, "2001:db8::/32"),
    ("2001:db8::1/32", nil, "2001:db8::/32", nil, "2001:db8::/32"),
    ("010.0.0.0/8", nil, nil, "10.0.0.0/8", "10.0.0.0/8"), ("010.0.0.1/8", nil, nil, nil, "10.0.0.0/8"),
    ("1.2.3.0/024", nil, nil, "1.2.3.0/24", "1.2.3.0/24"), ("1.2.3.0/00024", nil, nil, "1.2.3.0/24", "1.2.3.0/24"),
    ("02001:db8::/32", nil, nil, "2001:db8::/32", "2001:db8::/32"), ("01.2.3.4", nil, nil, "1.2.3.4", "1.2.3.4"),
    ("::ffff:1.2.3.4", nil, nil, "1.2.3.4", "1.2.3.4"), ("::ffff:1.2.3.4/120", nil, nil, nil, "1.2.3.0/24"),
    ("8.8.8.8", "8.8.8.8", "8.8.8.8", "8.8.8.8", "8.8.8.8"),
    ("0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0"),
    ("2001:db8::/32", "2001:db8::/32", "2001:db8::/32", "2001:db8::/32", "2001:db8::/32"),
  ]

  @Test(arguments: cases)
  func `is in its one spelling, or refused, or rewritten [F5] [F6]`(
    key: String, plain: String?, masked: String?, spelled: String?, both: String?
  ) {
    for (normalisation, masks, expected) in [
      (nil, false, plain), (nil, true, masked), (.network, false, spelled), (.network, true, both),
    ] as [(KeyNormalisation?, Bool, String?)] {
      let rules = KeyRules(normalisation: normalisation, checksNetworks: true, masksHostBits: masks)
      do throws(FuseError) {
        let found = try rules.rewritten(key.keyBytes) ?? Array(key.utf8)
        #expect(String(decoding: found, as: UTF8.self) == expected)
      } catch {
        #expect(expected == nil)
        #expect(error.code == .invalidValue)
        #expect(error.message.contains("; write \(both!), or let "))
      }
    }
  }

  @Test(arguments: [
    "8.8.8.8/33", "300.1.1.1", "1.2.3.256/24", "8.8.8/24", "10.1/16", "1.2.3.4.5/24", "2001:db8::/129", "::1::2",
    "12345::/16",
    "1:2:3:4:5:6:7:88888", ":1:2:3:4:5:6:7",
  ])
  func `that looks like a block and is none is refused [F5]`(key: String) {
    for normalisation in [nil, KeyNormalisation.network] {
      let rules = KeyRules(normalisation: normalisation, checksNetworks: true, masksHostBits: true)
      let error = #expect(throws: FuseError.self) { try rules.rewritten(key.keyBytes) }
      #expect(error?.message.contains("is no block of addresses: an IPv") == true)
    }
  }

  @Test(arguments: [
    "", "example.com", "8", "10/8", "1.2.3", "1.2.3.", ".1.2.3.4", "1.2.3.4.5", "1..2.3/8", "8.8.8.0/", "8.8.8./24",
    "/8", "8.8.8.0/24/8", "8.8.8.0/a",
    "8.8.8.0/255.255.255.0", " 8.8.8.0/24", "00:1b:63:84:45:e6", "00:1b:63:84:45:e6/28", "12:30:15", "fe80::1%eth0",
    "std::map",
    "a1:b2:c3:d4:e5:f6:a7:b8:c9:d0:e1:f2", "1.2.3.x", "a.b.c.d",
  ])
  func `that does not look like a block stays as it is [F5]`(key: String) throws {
    let rules = KeyRules(normalisation: .network, checksNetworks: true, masksHostBits: true)
    #expect(try rules.rewritten(key.keyBytes) == nil)
  }

  @Test(arguments: [("1.2.3.0/24", true), ("2001:db8::/32", true), ("300.1.1.1", false)])
  func `looks like a block in 128 bytes, and not in 129 [F5] [F6]`(text: String, isBlock: Bool) throws {
    let rules = KeyRules(normalisation: .network, checksNetworks: true, masksHostBits: true)
    let key = String(repeating: "0", count: 128 - text.utf8.count) + text
    if isBlock {
      #expect(try rules.rewritten(key.keyBytes) == Array(text.utf8))
    } else {
      #expect(failure { _ = try rules.rewritten(key.keyBytes) }?.code == .invalidValue)
    }
    #expect(try rules.rewritten("0\(key)".keyBytes) == nil)
  }
}
