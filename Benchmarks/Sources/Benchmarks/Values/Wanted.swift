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
