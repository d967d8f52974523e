import Foundation
import FuseDB

extension Table {
  /// Seconds since 1970 and nanoseconds, where the encoding of a timestamp changes.
  private static let moments: [(Int64, UInt32)] = [
    (0, 0), (0, 1), (0, 999_999_999), (-1, 0), (-1, 5), (1 << 32 - 1, 0), (1 << 32, 0), (1 << 32, 7),
    ((1 << 34) - 1, 999_999_999), (1 << 34, 0), (1 << 34, 1), (1_795_277_472, 250_000_000), (.max, 0),
    (.min, 999_999_999),
  ]

  /// Seconds since 1970 that a `Date` holds exactly.
  private static let dates: [Double] = [
    0, -1, 978_307_200, 1_795_277_472, 1_795_277_472.25, 4_294_967_296, -62_135_596_800,
  ]

  static func addMoments(to rows: inout Rows) throws {
    for (seconds, nanoseconds) in moments {
      let time = FuseTimestamp(seconds: seconds, nanoseconds: nanoseconds)
      try rows.add("timestamp \(seconds) \(nanoseconds)", time)
    }
    for seconds in dates {
      let date = Date(timeIntervalSince1970: seconds)
      try rows.add("date \(seconds)", date)
      try rows.add("date as seconds \(seconds)", date, dates: .secondsSince1970)
      try rows.add("date as text \(seconds)", date, dates: .text)
      try rows.add("date as its own \(seconds)", date, dates: .own)
    }
    try rows.add("dates", ["a": [Date(timeIntervalSince1970: 5)]])
    try rows.add("dates by seconds", ["a": Date(timeIntervalSince1970: 5)], dates: .secondsSince1970)
  }
}
