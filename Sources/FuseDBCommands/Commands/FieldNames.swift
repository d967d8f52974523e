internal import FuseDB
internal import FuseDBInput

/// The paths of the fields of values, as `--field` takes them: for who has to guess them.
struct FieldNames {
  private static let mostNames = 1000
  private static let mostDepth = 8
  private static let mostKeys = 100

  /// In the order in which they came up.
  private(set) var names: [String] = []
  private var known: Set<String> = []

  init() {}

  /// Those of the first keys of a database; none where it can't be read.
  init(inFileAt path: String) {
    guard let reader = try? FuseReader.forCommand(path), var scan = try? reader.entries() else { return }
    for _ in 0..<Self.mostKeys {
      guard let entry = try? scan.next() else { return }
      add(of: entry)
    }
  }

  /// Adds those of a key's value, if it has one.
  mutating func add(of entry: Entry) {
    guard let bytes = try? entry.bytes, let view = try? FuseView(validating: bytes) else { return }
    add(view, under: "", depth: 0)
  }

  /// Adds those that others have.
  mutating func add(_ other: FieldNames) {
    for name in other.names where names.count < Self.mostNames && known.insert(name).inserted { names.append(name) }
  }

  mutating func add(_ value: FuseView) { add(value, under: "", depth: 0) }

  private mutating func add(_ value: FuseView, under path: String, depth: Int) {
    guard depth < Self.mostDepth, var pairs = value.pairs else { return }
    while names.count < Self.mostNames, let pair = pairs.next() {
      guard let name = pair.key.string else { continue }
      let whole = path + Self.step(name)
      if known.insert(whole).inserted { names.append(whole) }
      add(pair.value, under: whole + ".", depth: depth + 1)
    }
  }

  /// A name as a step of a path: what would end it has a backslash before it. See spec/values.md §5.
  fileprivate static func step(_ name: String) -> String {
    var step = ""
    for character in name.unicodeScalars {
      if character == "." || character == "\\" { step.append("\\") }
      step.unicodeScalars.append(character)
    }
    return step
  }

  /// The name that `field` was probably meant to be, as `; did you mean 'x'?`, or nothing.
  func hint(for field: String) -> String {
    guard !known.contains(field) else { return "" }
    // Where the path goes on beyond what is there, no name was misspelled.
    return nearestName(to: field, among: names.filter { !field.hasPrefix($0 + ".") })
  }
}

/// Says which field of a value was probably meant: a few times, for it may be absent from millions.
final class FieldHints {
  private var left = 3

  /// ` (did you mean 'x'?)`, or nothing.
  func hint(for field: String, in value: FuseView) -> String {
    guard left > 0 else { return "" }
    left -= 1
    var names = FieldNames()
    names.add(value)
    let hint = names.hint(for: field)
    return hint.isEmpty ? "" : " (" + hint.dropFirst(2) + ")"
  }
}

extension FusePath {
  /// The path as ``FieldNames`` spells it.
  var text: String {
    steps.map { FieldNames.step(String(decoding: $0.name, as: UTF8.self)) }.joined(separator: ".")
  }
}
