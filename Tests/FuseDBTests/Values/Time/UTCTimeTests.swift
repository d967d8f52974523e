import Foundation
import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBValues

struct `A time as text` {
  /// The calendar of the other implementation. Before October 15, 1582 it is another one.
  private static let calendar: Calendar = {
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = TimeZone(secondsFromGMT: 0)!
    return calendar
  }()
  private static let firstDay = -141_427

  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("1970-01-01", 0), ("2026-11-21T16:11:12Z", 1_795_277_472),
    ("2026-11-21t16:11:12z", 1_795_277_472), ("2026-11-21 16:11:12Z", 1_795_277_472),
    ("2026-11-21T17:11:12+01:00", 1_795_277_472), ("2026-11-21T02:41:12-13:30", 1_795_277_472),
    ("2026-11-21T16:11:12-00:00", 1_795_277_472), ("2026-11-21T16:11:12.25Z", 1_795_277_472.25),
    ("2026-11-21T16:11:12.000000000000001Z", 1_795_277_472), ("1969-12-31T23:59:59.5Z", -0.5),
    ("2000-02-29", 951_782_400), ("2016-12-31T23:59:60Z", 1_483_228_800), ("2017-01-01T05:29:60+05:30", 1_483_228_800),
    ("0001-01-01", -62_135_596_800), ("9999-12-31T23:59:59Z", 253_402_300_799),
    ("0", 0), ("1795277472", 1_795_277_472), ("1795277472.5", 1_795_277_472.5), ("-1", -1),
    ("1.795277472e9", 1_795_277_472),
    ("1795277472.0", 1_795_277_472), ("1.5E+3", 1500), ("007", 7), ("2026", 2026), ("20261121", 20_261_121),
  ])
  func `is so many seconds after 1970`(text: String, seconds: Double) { #expect(UTCTime.seconds(in: text) == seconds) }

  @Test(arguments: [
    "", " ", "yesterday", "2026-11", "2026-11-21T", "2026-11-21T16", "2026-11-21T16:11Z", "2026-11-21T16:11:12",
    "2026-11-21T16:11:12+0100", "2026-11-21T16:11:12+01", "2026-11-21T16:11:12Z ", " 2026-11-21", "2026-11-21Z",
    "2026-1-21", "26-11-21", "02026-11-21", "+2026-11-21", "-2026-11-21", "2026-00-21", "2026-13-21", "2026-11-00",
    "2026-11-31", "2026-02-29", "1900-02-29", "0000-01-01", "0004-02-30", "2026-11-21T24:00:00Z",
    "2026-11-21T16:60:12Z",
    "2026-11-21T16:11:60Z", "2026-11-21T23:59:61Z", "2026-11-21T16:11:12.Z", "2026-11-21T16:11:12,5Z",
    "2026-11-21T16:11:12+24:00", "2026-11-21T16:11:12+01:60", "2026-11-21T16:11:12+1:00", "2026-11-21T16:11:12ZZ",
    "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2026/11/21", "2026-11-2１", "٢٠٢٦-11-21",
    "1e400", "253402300800", "-62135596801", "1795277472000", "nan", "inf", "infinity", "0x10", "+5", "1.", ".5", "1e",
    "-",
    "1_000", "1 ", #"{"$float64":"nan"}"#, "null", "true", "[1]", "1.5.2", "--1", "1\u{0}",
  ])
  func `is none when it is anything else`(text: String) { #expect(UTCTime.seconds(in: text) == nil) }

  @Test func `agrees with another calendar on the last second of many days`() throws {
    let formatter = ISO8601DateFormatter()
    var random = SeededRandom.announced()
    // Every day around a leap year that is none, and around one that is.
    let days =
      Array(stride(from: Self.firstDay, through: 2_932_896, by: 577)) + Array(-25_600 ... -25_400)
      + Array(10_950...11_100)
    for day in days {
      let last = Double(day) * 86_400 + 86_399
      #expect(UTCTime.text(of: last) == formatter.string(from: Date(timeIntervalSince1970: last)))
      let seconds = last - Double(random.below(86_400))
      #expect(UTCTime.seconds(in: formatter.string(from: Date(timeIntervalSince1970: seconds))) == seconds)
    }
  }

  @Test func `agrees with counting the days of all months`() {
    var day = -719_162
    for year in 1...9999 {
      let isLeap = year % 400 == 0 || year % 4 == 0 && year % 100 != 0
      for (month, dayCount) in zip(1..., [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
        let isRight =
          UTCTime.day(ofYear: year, month: month, day: 1) == day
          && UTCTime.day(ofYear: year, month: month, day: dayCount) == day + dayCount - 1
          && UTCTime.day(ofYear: year, month: month, day: dayCount + 1) == nil
        if !isRight { Issue.record("\(year)-\(month)") }
        if year % 37 == 0 || year < 5 {
          #expect(UTCTime.text(of: Double(day) * 86_400) == String(format: "%04d-%02d-01T00:00:00Z", year, month))
        }
        day += dayCount
      }
    }
    #expect(day == 2_932_897)
  }

  @Test func `has the days that its month has`() {
    for year in [1600, 1700, 1900, 1999, 2000, 2023, 2024, 2100, 9999] {
      for month in 0...14 {
        for day in -1...33 {
          let text = String(format: "%04d-%02d-%02d", year, month, day)
          var parts = DateComponents(year: year, month: month, day: day)
          parts.calendar = Self.calendar
          #expect((UTCTime.day(ofYear: year, month: month, day: day) != nil) == parts.isValidDate, "\(text)")
        }
      }
    }
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00Z"), (0.999, "1970-01-01T00:00:00Z"), (-0.001, "1969-12-31T23:59:59Z"),
    (1_795_277_472, "2026-11-21T16:11:12Z"), (951_782_400, "2000-02-29T00:00:00Z"),
    (-62_135_596_800, "0001-01-01T00:00:00Z"), (-1e300, "0001-01-01T00:00:00Z"), (1e300, "9999-12-31T23:59:59Z"),
    (253_402_300_799.9, "9999-12-31T23:59:59Z"),
  ])
  func `is written in whole seconds, rounded down`(seconds: Double, text: String) {
    #expect(UTCTime.text(of: seconds) == text)
  }

  @Test func `is read back as it was written`() {
    var random = SeededRandom.announced()
    for _ in 0..<2000 {
      let seconds = Double(random.below(315_537_897_600)) - 62_135_596_800
      #expect(UTCTime.seconds(in: UTCTime.text(of: seconds)) == seconds)
    }
  }
}
