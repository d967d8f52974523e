import FuseDB

/// Values at the edges of every width of MessagePack, with the bytes that its specification gives them. §12
enum ValueSamples {
  typealias Sample = (value: FuseValue, bytes: [UInt8])

  static let all: [Sample] = scalars + integers + texts + payloads + containers + moments

  static let scalars: [Sample] = [
    (.null, [0xC0]), (.bool(false), [0xC2]), (.bool(true), [0xC3]),
    (.float(1.5), [0xCA, 0x3F, 0xC0, 0, 0]), (.float(0), [0xCA, 0, 0, 0, 0]), (.float(-0.0), [0xCA, 0x80, 0, 0, 0]),
    (.float(Float(bitPattern: 0x7FC0_0000)), [0xCA, 0x7F, 0xC0, 0, 0]),
    (.float(Float(bitPattern: 0xFF80_0001)), [0xCA, 0xFF, 0x80, 0, 1]),
    (.double(1.5), [0xCB, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0]), (.double(0), [0xCB, 0, 0, 0, 0, 0, 0, 0, 0]),
    (.double(-0.0), [0xCB, 0x80, 0, 0, 0, 0, 0, 0, 0]), (.double(.infinity), [0xCB, 0x7F, 0xF0, 0, 0, 0, 0, 0, 0]),
    (.double(Double(bitPattern: 0x7FF8_0000_0000_0000)), [0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0]),
    (.double(Double(bitPattern: 0x7FF0_0000_0000_0001)), [0xCB, 0x7F, 0xF0, 0, 0, 0, 0, 0, 1]),
  ]

  static let integers: [Sample] = [
    (.int(0), [0]), (.int(127), [0x7F]), (.int(128), [0xCC, 0x80]), (.int(255), [0xCC, 0xFF]),
    (.int(256), [0xCD, 1, 0]), (.int(0xFFFF), [0xCD, 0xFF, 0xFF]), (.int(0x1_0000), [0xCE, 0, 1, 0, 0]),
    (.int(0xFFFF_FFFF), [0xCE, 0xFF, 0xFF, 0xFF, 0xFF]), (.int(0x1_0000_0000), [0xCF, 0, 0, 0, 1, 0, 0, 0, 0]),
    (.int(.max), [0xCF, 0x7F] + ones(7)), (.uint(1 << 63), [0xCF, 0x80, 0, 0, 0, 0, 0, 0, 0]),
    (.uint(.max), [0xCF] + ones(8)),
    (.int(-1), [0xFF]), (.int(-32), [0xE0]), (.int(-33), [0xD0, 0xDF]), (.int(-128), [0xD0, 0x80]),
    (.int(-129), [0xD1, 0xFF, 0x7F]), (.int(-0x8000), [0xD1, 0x80, 0]),
    (.int(-0x8001), [0xD2, 0xFF, 0xFF, 0x7F, 0xFF]),
    (.int(-0x8000_0000), [0xD2, 0x80, 0, 0, 0]), (.int(-0x8000_0001), [0xD3] + ones(4) + [0x7F] + ones(3)),
    (.int(.min), [0xD3, 0x80, 0, 0, 0, 0, 0, 0, 0]),
  ]

  static let texts: [Sample] =
    [0, 1, 31, 32, 255, 256, 0xFFFF, 0x1_0000].map { count in
      (.string(String(repeating: "x", count: count)), head(count, (0xA0, 32), [0xD9, 0xDA, 0xDB]) + body(count, "x"))
    } + [
      // Texts that Swift takes for equal.
      (.string("é"), [0xA2, 0xC3, 0xA9]), (.string("e\u{301}"), [0xA3, 0x65, 0xCC, 0x81]),
      (.string("a\u{323}\u{307}"), [0xA5, 0x61, 0xCC, 0xA3, 0xCC, 0x87]),
      (.string("a\u{307}\u{323}"), [0xA5, 0x61, 0xCC, 0x87, 0xCC, 0xA3]),
      (.string("\0"), [0xA1, 0]), (.string("🛰"), [0xA4, 0xF0, 0x9F, 0x9B, 0xB0]),
    ]

  static let payloads: [Sample] =
    [0, 1, 255, 256, 0xFFFF, 0x1_0000].map { count in
      (.bytes(body(count, "y")), head(count, nil, [0xC4, 0xC5, 0xC6]) + body(count, "y"))
    }
    + [0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 255, 256, 0xFFFF, 0x1_0000].map { count in
      let fixed = [1, 2, 4, 8, 16].firstIndex(of: count).map { [0xD4 + UInt8($0)] }
      return (
        .ext(type: -2, bytes: body(count, "z")),
        (fixed ?? head(count, nil, [0xC7, 0xC8, 0xC9])) + [0xFE] + body(count, "z")
      )
    }
    + [
      // Extensions of the type of moments that say none, or not in the shortest way.
      (.ext(type: -1, bytes: []), [0xC7, 0, 0xFF]),
      (.ext(type: -1, bytes: [0, 0, 0, 0, 0, 0, 0, 5]), [0xD7, 0xFF, 0, 0, 0, 0, 0, 0, 0, 5]),
      (.ext(type: -1, bytes: ones(8)), [0xD7, 0xFF] + ones(8)),
      (.ext(type: -1, bytes: ones(12)), [0xC7, 12, 0xFF] + ones(12)),
    ]

  static let containers: [Sample] =
    [0, 1, 15, 16, 0xFFFF, 0x1_0000].flatMap { count -> [Sample] in
      let numbers = (0..<count).map { $0 % 128 }
      let pairs = numbers.map { FuseValue.Pair(key: .int(Int64($0)), value: .null) }
      return [
        (
          .array(numbers.map { .int(Int64($0)) }),
          head(count, (0x90, 16), [nil, 0xDC, 0xDD]) + numbers.map { UInt8($0) }
        ),
        (.map(pairs), head(count, (0x80, 16), [nil, 0xDE, 0xDF]) + numbers.flatMap { [UInt8($0), 0xC0] }),
      ]
    } + [
      (["a": 1, "b": [nil]], [0x82, 0xA1, 0x61, 1, 0xA1, 0x62, 0x91, 0xC0]),
      // Another order, and equal names.
      (["b": [nil], "a": 1], [0x82, 0xA1, 0x62, 0x91, 0xC0, 0xA1, 0x61, 1]),
      (["a": 1, "a": 2], [0x82, 0xA1, 0x61, 1, 0xA1, 0x61, 2]),
      ([[:]: [], true: false], [0x82, 0x80, 0x90, 0xC3, 0xC2]),
    ]

  /// By MessagePack's specification, "Timestamp extension type".
  static let moments: [Sample] = [
    (.timestamp(FuseTimestamp(seconds: 0)), [0xD6, 0xFF, 0, 0, 0, 0]),
    (.timestamp(FuseTimestamp(seconds: 0xFFFF_FFFF)), [0xD6, 0xFF] + ones(4)),
    (.timestamp(FuseTimestamp(seconds: 0, nanoseconds: 1)), [0xD7, 0xFF, 0, 0, 0, 4, 0, 0, 0, 0]),
    (.timestamp(FuseTimestamp(seconds: 0x1_0000_0000)), [0xD7, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0]),
    (
      .timestamp(FuseTimestamp(seconds: 0x3_FFFF_FFFF, nanoseconds: 999_999_999)),
      [0xD7, 0xFF, 0xEE, 0x6B, 0x27, 0xFF] + ones(4)
    ),
    (.timestamp(FuseTimestamp(seconds: 0x4_0000_0000)), [0xC7, 12, 0xFF, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]),
    (.timestamp(FuseTimestamp(seconds: -1, nanoseconds: 1)), [0xC7, 12, 0xFF, 0, 0, 0, 1] + ones(8)),
    (.timestamp(FuseTimestamp(seconds: .min)), [0xC7, 12, 0xFF, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]),
  ]

  /// What only reading gives: longer encodings, and strings that are not UTF-8.
  static let verbatim: [[UInt8]] = [
    [0xCC, 5], [0xCD, 0, 5], [0xCE, 0, 0, 0, 5], [0xCF, 0, 0, 0, 0, 0, 0, 0, 5], [0xD0, 5], [0xD0, 0xFF],
    [0xD1, 0xFF, 0xFF], [0xD2, 0, 0, 0, 5], [0xD3] + ones(8), [0xD9, 1, 0x61], [0xDA, 0, 1, 0x61],
    [0xDB, 0, 0, 0, 1, 0x61],
    [0xA1, 0xFF], [0xA2, 0xC3, 0x28], [0xD9, 1, 0xFF], [0xC5, 0, 1, 7], [0xC6, 0, 0, 0, 1, 7], [0xC7, 1, 5, 7],
    [0xC8, 0, 1, 5, 7],
    [0xC9, 0, 0, 0, 3, 5, 7, 7, 7], [0xC7, 4, 0xFF, 0, 0, 0, 5], [0xDC, 0, 1, 0x01], [0xDD, 0, 0, 0, 1, 0xCC, 5],
    [0xDE, 0, 1, 0xA1, 0x61, 1],
    [0xDF, 0, 0, 0, 0],
  ]

  private static func ones(_ count: Int) -> [UInt8] { [UInt8](repeating: 0xFF, count: count) }

  private static func body(_ count: Int, _ letter: Unicode.Scalar) -> [UInt8] {
    [UInt8](repeating: UInt8(ascii: letter), count: count)
  }

  /// The shortest head for a count: one byte below a bound, otherwise the first of three widths that holds it.
  private static func head(_ count: Int, _ fixed: (first: UInt8, below: Int)?, _ wide: [UInt8?]) -> [UInt8] {
    if let fixed, count < fixed.below { return [fixed.first + UInt8(count)] }
    let width = (0..<3).first { wide[$0] != nil && count < 1 << (8 << $0) }!
    return [wide[width]!] + ReferenceValue.bigEndian(UInt64(count), 1 << width)
  }
}
