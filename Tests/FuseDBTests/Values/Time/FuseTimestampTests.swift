import Foundation
import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBValues

struct `A moment` {
  /// What the other implementation makes of it: `msgpack.Timestamp(seconds, nanoseconds).to_bytes()` in Python.
  @Test(
    arguments: [
      (0, 0, "00000000"), (1, 0, "00000001"), (0xFFFF_FFFF, 0, "ffffffff"),
      (0x1_0000_0000, 0, "0000000100000000"), (0, 1, "0000000400000000"), (0, 999_999_999, "ee6b27fc00000000"),
      (0xFFFF_FFFF, 1, "00000004ffffffff"), (0x3_FFFF_FFFF, 0, "00000003ffffffff"),
      (0x3_FFFF_FFFF, 999_999_999, "ee6b27ffffffffff"), (0x4_0000_0000, 0, "000000000000000400000000"),
      (0x4_0000_0000, 999_999_999, "3b9ac9ff0000000400000000"), (-1, 0, "00000000ffffffffffffffff"),
      (-1, 999_999_999, "3b9ac9ffffffffffffffffff"), (.min, 0, "000000008000000000000000"),
      (.max, 999_999_999, "3b9ac9ff7fffffffffffffff"), (1_795_277_472, 250_000_000, "3b9aca006b01c2a0"),
    ] as [(Int64, UInt32, String)])
  func `has the shortest of three payloads`(seconds: Int64, nanoseconds: UInt32, hex: String) throws {
    let moment = FuseTimestamp(seconds: seconds, nanoseconds: nanoseconds)
    #expect(moment.payload.hex == hex)
    let payload = [UInt8](hex: hex)
    #expect(FuseTimestamp(payload: payload.rawSpan) == moment)
    #expect(moment.payloadByteCount == payload.count)
  }

  @Test(
    arguments: [
      ("0000000000000005", 5, 0), ("00000000ffffffff", 0xFFFF_FFFF, 0), ("000000000000000000000005", 5, 0),
      ("3b9ac9ff0000000000000000", 0, 999_999_999),
    ] as [(String, Int64, UInt32)])
  func `is read from longer payloads too`(hex: String, seconds: Int64, nanoseconds: UInt32) {
    let payload = [UInt8](hex: hex)
    #expect(FuseTimestamp(payload: payload.rawSpan) == FuseTimestamp(seconds: seconds, nanoseconds: nanoseconds))
  }

  @Test(arguments: [
    "", "00", "000000", "0000000000", "00000000000000", "000000000000000000", "0000000000000000000000",
    "00000000000000000000000000",
    // A second of nanoseconds, and all bits.
    "ee6b280000000000", "ffffffffffffffff", "3b9aca000000000000000000", "ffffffffffffffffffffffff",
  ])
  func `is not read from any other payload`(hex: String) {
    let payload = [UInt8](hex: hex)
    #expect(FuseTimestamp(payload: payload.rawSpan) == nil)
  }

  @Test(
    arguments: [
      (0, 0, "1970-01-01T00:00:00Z"), (0, 1, "1970-01-01T00:00:00.000000001Z"),
      (-1, 500_000_000, "1969-12-31T23:59:59.5Z"),
      (1_795_277_472, 250_000_000, "2026-11-21T16:11:12.25Z"),
      (1_795_277_472, 999_999_999, "2026-11-21T16:11:12.999999999Z"),
      (1_795_277_472, 100, "2026-11-21T16:11:12.0000001Z"), (-62_135_596_800, 0, "0001-01-01T00:00:00Z"),
      (253_402_300_799, 999_999_999, "9999-12-31T23:59:59.999999999Z"), (253_402_300_800, 0, "253402300800"),
      (253_402_300_800, 50_000_000, "253402300800.05"), (-62_135_596_801, 0, "-62135596801"),
      (-62_135_596_801, 999_999_999, "-62135596800.000000001"), (.min, 0, "-9223372036854775808"),
      (.min, 1, "-9223372036854775807.999999999"), (.max, 999_999_999, "9223372036854775807.999999999"),
    ] as [(Int64, UInt32, String)])
  func `is written by RFC 3339, and read back`(seconds: Int64, nanoseconds: UInt32, text: String) {
    let moment = FuseTimestamp(seconds: seconds, nanoseconds: nanoseconds)
    #expect(moment.description == text)
    #expect(FuseTimestamp(text) == moment)
  }

  @Test(
    arguments: [
      ("2026-11-21T17:11:12.123456789+01:00", 1_795_277_472, 123_456_789), ("2026-11-21", 1_795_219_200, 0),
      ("2026-11-21 16:11:12.1234567890000z", 1_795_277_472, 123_456_789),
      ("2016-12-31T23:59:60.5Z", 1_483_228_800, 500_000_000),
      ("-0.5", -1, 500_000_000), ("-0", 0, 0), ("-0.0", 0, 0), ("1.000000001", 1, 1), ("007.50", 7, 500_000_000),
      ("-9223372036854775808.000", .min, 0),
    ] as [(String, Int64, UInt32)])
  func `is read to the nanosecond`(text: String, seconds: Int64, nanoseconds: UInt32) {
    #expect(FuseTimestamp(text) == FuseTimestamp(seconds: seconds, nanoseconds: nanoseconds))
  }

  @Test(arguments: [
    "", "-", "yesterday", "1e3", "1.5e0", "1.", ".5", "+1", " 1", "1 ", "0x1", "nan", "9223372036854775808",
    "-9223372036854775809", "-9223372036854775808.5", "99999999999999999999999", "0.0000000001", "-0.9999999999",
    "2026-11-21T16:11:12.0000000001Z", "2026-11-21T16:11:12.Z", "2026-11-21T16:11:12", "2026-02-29", "0000-01-01",
    "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.5-00:01", "2026-11-21T16:11:12Z\0",
  ])
  func `is none when the text is anything else`(text: String) { #expect(FuseTimestamp(text) == nil) }

  @Test func `survives payload, text and other coders at random`() throws {
    var random = SeededRandom.announced()
    var moments: [FuseTimestamp] = []
    for _ in 0..<5000 {
      let bits = Int64(bitPattern: random.next()) >> Int64(random.below(64))
      let nanoseconds = random.element([0, UInt32(random.below(1_000_000_000)), 1000 * UInt32(random.below(1_000_000))])
      moments.append(FuseTimestamp(seconds: bits, nanoseconds: nanoseconds))
    }
    for moment in moments {
      let payload = moment.payload
      #expect(FuseTimestamp(payload: payload.rawSpan) == moment)
      #expect(FuseTimestamp(moment.description) == moment)
      // The reading by way of a Double is right to the microsecond or so.
      let seconds = Double(moment.seconds) + Double(moment.nanoseconds) / 1e9
      if UTCTime.range.contains(seconds) {
        #expect(abs((UTCTime.seconds(in: moment.description) ?? .nan) - seconds) < 1e-3)
      }
    }
    #expect(try JSONDecoder().decode([FuseTimestamp].self, from: JSONEncoder().encode(moments)) == moments)
    let sorted = moments.sorted()
    #expect(sorted == moments.sorted { Self.nanoseconds($0) < Self.nanoseconds($1) })
  }

  /// Hands its coder on, as property wrappers do.
  private struct Forwarding<Value: Codable>: Codable {
    let value: Value
    init(_ value: Value) { self.value = value }
    init(from decoder: any Decoder) throws { value = try Value(from: decoder) }
    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
  }

  @Test func `is MessagePack's timestamp also where a type hands its coder on`() throws {
    let bytes = try FuseEncoder().encode(["at": Forwarding(FuseTimestamp(seconds: 1))])
    #expect(bytes == [UInt8](hex: "81a26174d6ff00000001"))
    let back = try FuseDecoder().decode([String: Forwarding<FuseTimestamp>].self, from: bytes)
    #expect(back["at"]?.value == FuseTimestamp(seconds: 1))
    let error = failure {
      _ = try FuseDecoder().decode([String: Forwarding<FuseTimestamp>].self, from: [UInt8](hex: "81a2617405"))
    }
    #expect(error?.codingPath == "at")
  }

  @Test func `is refused by name when another coder has another text`() {
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(FuseTimestamp.self, from: Data(#""noon""#.utf8))
    }
    #expect(String(describing: error).contains("noon"))
  }

  private static func nanoseconds(_ moment: FuseTimestamp) -> Int128 {
    Int128(moment.seconds) * 1_000_000_000 + Int128(moment.nanoseconds)
  }
}
