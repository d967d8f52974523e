internal import FuseDBSystem
internal import FuseDBValues

/// Numbers, lengths and times as people read them.
enum Figures {
  /// `1,234,567`.
  static func grouped(_ number: some BinaryInteger) -> String {
    var digits = Array(String(number.magnitude))
    var place = digits.count - 3
    while place > 0 {
      digits.insert(",", at: place)
      place -= 3
    }
    return (number < 0 ? "-" : "") + String(digits)
  }

  /// `1,234 keys`, `1 key`.
  static func count(_ number: Int, _ noun: String) -> String { "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")" }

  /// `54.3 MB`.
  static func bytes(_ count: Int) -> String {
    guard count >= 1000 else { return "\(count) bytes" }
    var value = Double(count)
    var unit = -1
    while value >= 999.95, unit < 4 {
      value /= 1000
      unit += 1
    }
    return "\(oneDecimal(value)) \(["kB", "MB", "GB", "TB", "PB"][unit])"
  }

  /// `57.2 %`.
  static func percent(_ part: Int, of whole: Int) -> String {
    whole == 0 ? "0.0 %" : "\(oneDecimal(100 * Double(part) / Double(whole))) %"
  }

  static func oneDecimal(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(grouped(tenths / 10)).\(abs(tenths) % 10)"
  }

  /// `3 hours`.
  static func duration(_ seconds: Double) -> String {
    let seconds = Int(max(0, min(seconds, 1e12)))
    return switch seconds {
    case 0..<120: count(seconds, "second")
    case 120..<7200: count(seconds / 60, "minute")
    case 7200..<172_800: count(seconds / 3600, "hour")
    default: count(seconds / 86400, "day")
    }
  }

  /// `2026-05-01T12:00:00Z`.
  static func time(_ seconds: Double) -> String { UTCTime.text(of: seconds) }
}
