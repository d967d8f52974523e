/// What is summed of answers: a number that tells whether it is the right one.
enum Word {
  @inline(__always)
  static func text(first: UInt8, count: Int) -> UInt64 { UInt64(count) << 8 | UInt64(first) }

  @inline(__always)
  static func text(_ text: String) -> UInt64 { Word.text(first: text.utf8.first ?? 0, count: text.utf8.count) }

  /// Of a whole value: how many members it has, and its second one.
  @inline(__always)
  static func value(count: Int, asn: UInt64) -> UInt64 { UInt64(count) << 32 | asn }
}

extension NetworkRecord {
  /// What a loop that wants it sums.
  func word(_ wanted: Wanted) -> UInt64 {
    switch wanted {
    case .bytes: 1
    case .string, .text: Word.text(org)
    case .int: UInt64(asn)
    case .double: lat.bitPattern
    case .element: Word.text(tags[0])
    case .structure:
      Word.text(org) &+ UInt64(asn) &+ Word.text(country) &+ lat.bitPattern &+ tags.reduce(0) { $0 &+ Word.text($1) }
    case .flatStructure: Word.text(org) &+ UInt64(asn) &+ Word.text(country) &+ lat.bitPattern &+ lon.bitPattern
    case .value: Word.value(count: 5, asn: UInt64(asn))
    }
  }
}
