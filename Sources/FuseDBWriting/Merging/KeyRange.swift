internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// The keys from one to another.
struct KeyRange: Equatable, Sendable {
  var lower: [UInt8]
  /// The first key after it; nil where there is no end.
  var upper: [UInt8]?

  static let all = KeyRange(lower: [], upper: nil)

  /// The keys that begin with any of `prefixes`: ranges in order that don't meet. All keys where there are none.
  static func ranges(ofPrefixes prefixes: [[UInt8]]) -> [KeyRange] {
    guard !prefixes.isEmpty else { return [.all] }
    var kept: [[UInt8]] = []
    for prefix in prefixes.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      // A prefix stands after those that it begins with itself.
      if let last = kept.last, prefix.starts(with: last) { continue }
      kept.append(prefix)
    }
    return kept.map { KeyRange(lower: $0, upper: end(of: $0)) }
  }

  /// The keys that begin with "ab" end before "ac"; those that begin with bytes of 255 alone have no end.
  private static func end(of prefix: [UInt8]) -> [UInt8]? {
    var end = prefix
    while end.last == 0xFF { end.removeLast() }
    guard let last = end.popLast() else { return nil }
    return end + [last + 1]
  }
}
