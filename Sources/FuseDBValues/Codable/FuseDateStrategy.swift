internal import FuseDBFormat

/// How Foundation's `Date` is written and read. See spec/values.md §4.
///
/// ``FuseTimestamp`` is always MessagePack's timestamp.
public enum FuseDateStrategy: Sendable {
  /// As MessagePack's timestamp: an extension of type -1, to the nanosecond.
  case timestamp
  /// As a float64, seconds since the beginning of 1970.
  case secondsSince1970
  /// As a text by RFC 3339 in UTC, such as `2026-11-21T16:11:12Z`, to the nanosecond.
  case text
  /// As `Date` codes itself: a float64, seconds since the beginning of 2001.
  case own
}

extension FuseDateStrategy {
  /// The beginning of 2001, from which a `Date` counts its seconds, in seconds since the beginning of 1970.
  static let reference: Double = 978_307_200

  /// The moment of a number of seconds since ``reference``, to the nanosecond; nil where there is none.
  static func timestamp(ofReferenceSeconds seconds: Double) -> FuseTimestamp? {
    let whole = seconds.rounded(.down)
    // Beyond 2^53 a second is no longer one step of a float64.
    guard abs(whole) < 0x1p53 else { return nil }
    let nanoseconds = ((seconds - whole) * 1e9).rounded()
    let carry: Int64 = nanoseconds >= 1e9 ? 1 : 0
    return FuseTimestamp(
      seconds: Int64(whole) + Int64(reference) + carry, nanoseconds: carry == 1 ? 0 : UInt32(nanoseconds))
  }

  /// The other way round.
  static func referenceSeconds(of timestamp: FuseTimestamp) -> Double {
    Double(timestamp.seconds &- Int64(reference)) + Double(timestamp.nanoseconds) / 1e9
  }
}
