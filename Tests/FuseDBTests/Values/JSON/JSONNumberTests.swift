import ProgramSupport
import Testing

import FuseDB

struct `A number in JSON` {
  private static func refusal(_ text: String) -> FuseError? { failure { _ = try FuseJSON.messagePack(from: text) } }

  @Test func `without point and exponent is an integer of 64 bits [J3]`() throws {
    #expect(try FuseJSON.messagePack(from: "9223372036854775807").hex == "cf7fffffffffffffff")
    #expect(try FuseJSON.messagePack(from: "9223372036854775808").hex == "cf8000000000000000")
    #expect(try FuseJSON.messagePack(from: "18446744073709551615").hex == "cfffffffffffffffff")
    #expect(try FuseJSON.messagePack(from: "-9223372036854775808").hex == "d38000000000000000")
    #expect(try FuseJSON.messagePack(from: "-0").hex == "00")
    for text in [
      "18446744073709551616", "18446744073709551625", "99999999999999999999", "-9223372036854775809",
      "-18446744073709551615",
      "100000000000000000000000000000", "-100000000000000000000000000000",
    ] {
      #expect(Self.refusal(text)?.code == .invalidValue, "\(text)")
      #expect(Self.refusal("[\(text)]")?.code == .invalidValue, "\(text)")
      // With a point it is a float64.
      #expect(try FuseJSON.messagePack(from: text + ".0").first == 0xCB, "\(text)")
    }
  }

  @Test func `with point or exponent is a float64, rounded to the nearest, ties to even [J4]`() throws {
    for (text, bits) in [
      ("1.0", 0x3FF0_0000_0000_0000), ("1e0", 0x3FF0_0000_0000_0000), ("0.0", 0), ("-0.0", 1 << 63), ("-0e5", 1 << 63),
      ("9007199254740993.0", 0x4340_0000_0000_0000), ("9007199254740995.0", 0x4340_0000_0000_0002),
      ("9007199254740993.00000000000000000000000000000000000000001", 0x4340_0000_0000_0001),
      ("4.9e-324", 1), ("2.4703282292062328e-324", 1), ("2.4703282292062327e-324", 0), ("1e-400", 0),
      ("-1e-400", 1 << 63),
      ("2.2250738585072014e-308", 0x0010_0000_0000_0000), ("2.2250738585072011e-308", 0x000F_FFFF_FFFF_FFFF),
      ("1.7976931348623157e308", 0x7FEF_FFFF_FFFF_FFFF), ("1.7976931348623158e308", 0x7FEF_FFFF_FFFF_FFFF),
    ] as [(String, UInt64)] {
      #expect(try FuseJSON.messagePack(from: text).number(at: 1, 8) == bits, "\(text)")
    }
    for text in ["1e400", "-1e400", "1.7976931348623159e308", "2e308", "1e99999999999999999999"] {
      #expect(Self.refusal(text)?.code == .invalidValue, "\(text)")
    }
  }

  @Test func `of a finite float64 reads back as the same bits, with the fewest digits [J4]`() throws {
    var random = SeededRandom.announced()
    var all: [UInt64] = [
      0, 1, 1 << 63, 1 << 63 | 1, 0x7FEF_FFFF_FFFF_FFFF, 0x000F_FFFF_FFFF_FFFF, 0x0010_0000_0000_0000,
    ]
    for exponent in stride(from: UInt64(0), to: 2047, by: 13) {
      all += [exponent << 52, exponent << 52 | 1, exponent << 52 | 0xF_FFFF_FFFF_FFFF]
    }
    for _ in 0..<2000 { all.append(random.next()) }
    for bits in all where Double(bitPattern: bits).isFinite {
      let bytes = [0xCB] + ReferenceValue.bigEndian(bits, 8)
      let text = try FuseJSON.text(from: bytes)
      #expect(text.contains(".") || text.contains("e"), "\(text)")
      #expect(try FuseJSON.messagePack(from: text) == bytes, "\(text)")
      #expect(try FuseJSON.messagePack(from: "{\"$float64\":\"\(bits.hexadecimal)\"}") == bytes)
      // No text of one digit less, up or down, reads back.
      let digits = text.prefix { $0 != "e" }.filter(\.isNumber)
      let significant = digits.drop { $0 == "0" }.reversed().drop { $0 == "0" }.count
      for shorter in Self.roundings(Double(bitPattern: bits), digits: significant - 1) where significant > 1 {
        #expect(Double(shorter)?.bitPattern != bits, "\(text) and \(shorter)")
      }
    }
  }

  /// Decimal texts of so many significant digits beside `value`: from more digits than it has, cut and raised by one in the last place.
  private static func roundings(_ value: Double, digits: Int) -> [String] {
    guard digits > 0 else { return [] }
    // Swift's own text has all the digits that matter.
    let text = value.magnitude.description.lowercased()
    let parts = text.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let all = mantissa.joined()
    let leading = all.prefix { $0 == "0" }.count
    let kept = all.dropFirst(leading).prefix(digits)
    let exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + mantissa[0].count - leading - digits
    guard let number = UInt64(kept) else { return [] }
    return [number, number + 1].map { (value < 0 ? "-" : "") + "\($0)e\(exponent)" }
  }

  @Test(arguments: [
    (0x7FF8_0000_0000_0000, "nan"), (0x7FF0_0000_0000_0000, "inf"), (0xFFF0_0000_0000_0000, "-inf"),
    (0xFFF8_0000_0000_0000, "0xfff8000000000000"), (0x7FF0_0000_0000_0001, "0x7ff0000000000001"),
    (0x7FFF_FFFF_FFFF_FFFF, "0x7fffffffffffffff"), (UInt64.max, "0xffffffffffffffff"),
    (0x7FF8_0000_0000_0001, "0x7ff8000000000001"),
  ])
  func `that is no finite float64 is $float64, every NaN but one by its bits [J4]`(bits: UInt64, text: String) throws {
    let bytes = [0xCB] + ReferenceValue.bigEndian(bits, 8)
    #expect(try FuseJSON.text(from: bytes) == "{\"$float64\":\"\(text)\"}")
    #expect(try FuseJSON.messagePack(from: "{\"$float64\":\"\(text)\"}") == bytes)
  }

  @Test(arguments: [
    (0x7FC0_0000, "nan"), (0x7F80_0000, "inf"), (0xFF80_0000, "-inf"), (0xFFC0_0000, "0xffc00000"),
    (0x7F80_0001, "0x7f800001"),
    (0x7FFF_FFFF, "0x7fffffff"), (UInt32.max, "0xffffffff"), (0x15AE_43FD, "0x15ae43fd"), (0x95AE_43FD, "0x95ae43fd"),
  ])
  func `that is no plain float32 is $float32 with a word or its bits [J5]`(bits: UInt32, text: String) throws {
    let bytes = [0xCA] + ReferenceValue.bigEndian(UInt64(bits), 4)
    #expect(try FuseJSON.text(from: bytes) == "{\"$float32\":\"\(text)\"}")
    #expect(try FuseJSON.messagePack(from: "{\"$float32\":\"\(text)\"}") == bytes)
  }

  @Test func `of a finite float32 reads back as the same bits, by way of a float64 [J5]`() throws {
    var random = SeededRandom.announced()
    var all: [UInt32] = [
      0, 1, 0x8000_0000, 0x8000_0001, 0x7F7F_FFFF, 0x007F_FFFF, 0x0080_0000, 0x15AE_43FC, 0x15AE_43FE,
    ]
    for exponent in UInt32(0)..<255 { all += [exponent << 23, exponent << 23 | 1, exponent << 23 | 0x7F_FFFF] }
    for _ in 0..<3000 { all.append(UInt32(truncatingIfNeeded: random.next())) }
    for bits in all where Float(bitPattern: bits).isFinite && bits & 0x7FFF_FFFF != 0x15AE_43FD {
      let bytes = [0xCA] + ReferenceValue.bigEndian(UInt64(bits), 4)
      let text = try FuseJSON.text(from: bytes)
      #expect(text == "{\"$float32\":\(Float(bitPattern: bits))}")
      #expect(try FuseJSON.messagePack(from: text) == bytes, "\(text)")
      #expect(try FuseJSON.messagePack(from: "{\"$float32\":\"\(bits.hexadecimal)\"}") == bytes)
    }
  }

  @Test func `in $float32 is rounded to float64 and then to float32 [J5]`() throws {
    // 7.038531e-26 is nearest to 0x15ae43fd, and by way of a float64 gives its neighbour.
    #expect(Float("7.038531e-26")?.bitPattern == 0x15AE_43FD)
    #expect(try FuseJSON.messagePack(from: #"{"$float32":7.038531e-26}"#).hex == "ca15ae43fe")
    for (text, hex) in [
      ("16777217", "ca4b800000"), ("16777219", "ca4b800002"), ("1e-46", "ca00000000"), ("-1e-46", "ca80000000"),
      ("0.1", "ca3dcccccd"),
      ("3.4028235e38", "ca7f7fffff"), ("3.4028235677973362e38", "ca7f7fffff"), ("1", "ca3f800000"),
      ("-1", "cabf800000"),
    ] {
      #expect(try FuseJSON.messagePack(from: "{\"$float32\":\(text)}").hex == hex, "\(text)")
    }
    for text in [
      "3.4028235677973366e38", "3.5e38", "-3.5e38", "1e39", "1e308", "1e400", "true", "\"\"", "\"1.5\"", "\"NaN\"",
      "\"+inf\"",
    ] {
      #expect(Self.refusal("{\"$float32\":\(text)}")?.code == .invalidValue, "\(text)")
    }
    for text in [
      "\"0x3fc0000\"", "\"0x3fc000000\"", "\"3fc00000\"", "\"0X3fc00000\"", "\"0x3fc0000g\"", "\"0x 3fc0000\"",
      "\" nan\"",
    ] {
      #expect(Self.refusal("{\"$float32\":\(text)}")?.code == .invalidValue, "\(text)")
    }
  }

  @Test(arguments: [
    "\"0x3ff\"", "\"0x3ff00000000000000\"", "\"0x3ff000000000000\"", "\"3ff0000000000000\"", "\"0X3ff0000000000000\"",
    "\"NaN\"",
    "\"Inf\"", "\"+inf\"", "\"infinity\"", "\"1.5\"", "\"\"", "1.5", "1", "null", "[\"nan\"]", "\"0x3ff000000000000g\"",
    "\"0x\"",
  ])
  func `in $float64 is one of three words or sixteen digits [J4]`(content: String) {
    #expect(Self.refusal("{\"$float64\":\(content)}")?.code == .invalidValue)
  }

  @Test func `at the edge of every width is written and read as it is [J3]`() throws {
    for shift in 0..<64 {
      for value in [UInt64(1) << shift, UInt64(1) << shift &- 1, UInt64(1) << shift | 1] {
        let bytes = try FuseJSON.messagePack(from: String(value))
        #expect(try FuseJSON.text(from: bytes) == String(value))
        if value <= 1 << 63 {
          let negative = value == 0 ? "0" : "-" + String(value)
          #expect(try FuseJSON.text(from: FuseJSON.messagePack(from: negative)) == negative)
        }
      }
    }
  }
}
