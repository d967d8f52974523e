/// What is wanted of a value.
enum Wanted: String, CaseIterable {
  /// That it is found.
  case bytes
  /// `org`, the first member, as text in place.
  case string
  /// `asn`, the second member.
  case int
  /// `lat`, the fourth member.
  case double
  /// `tags.0`: the first element of the array that is the last member, as text in place.
  case element
  /// `org` as a text of one's own.
  case text
  /// All five members in a struct, the tags as an array of texts.
  case structure = "struct"
  /// Five members in a struct, two texts and three numbers.
  case flatStructure = "struct-flat"
  /// Everything, whatever it is, as the subject makes it.
  case value

  /// Whether look-ups one after the other are measured, too: the fields would tell the same.
  var isMeasuredSerially: Bool {
    switch self {
    case .bytes, .string, .structure, .value: true
    case .int, .double, .element, .text, .flatStructure: false
    }
  }

  /// The name in results.
  func name(_ start: Start) -> String {
    switch start {
    case .key: "get-" + rawValue
    case .keySerially: "get-" + rawValue + "-serial"
    case .found: rawValue
    }
  }
}

/// From where a loop starts each time.
enum Start: CaseIterable {
  /// From a key; the processor begins with the next one when it likes.
  case key
  /// From a key, when the look-up before has ended.
  case keySerially
  /// From a value that was found before.
  case found
}

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
