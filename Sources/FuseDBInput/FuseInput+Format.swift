extension FuseInput {
  /// How the records of an input are written.
  public enum Format: String, Sendable, CaseIterable {
    /// A JSON object a line.
    case ndjson
    /// A JSON array of objects, or JSON objects one after the other, over any number of lines. An input of ``ndjson`` that
    /// begins with `[` is read so, too.
    case json
    /// Cells between commas.
    case csv
    /// Cells between tabs.
    case tsv
    /// Values of MessagePack, one after the other.
    case msgpack
    /// A MaxMind DB: the networks of its tree are the keys. See spec/mmdb.md.
    case mmdb
  }
}

extension FuseInput.Format {
  /// What names end in, and what that says; and one of ``packings`` may follow.
  private static let endings: KeyValuePairs = [
    ".csv": csv, ".tsv": tsv, ".ndjson": ndjson, ".jsonl": ndjson, ".json": ndjson,
    ".msgpack": msgpack, ".mpk": msgpack, ".mmdb": mmdb,
  ]

  /// What the names of packed files end in.
  private static let packings = [".gz", ".zst", ".xz", ".bz2"]

  /// What an input's name ends in says what it holds; nil for a name that says nothing.
  package init?(guessedFrom name: String) {
    let name = name.lowercased()
    let packing = Self.packings.first { name.hasSuffix($0) } ?? ""
    let plain = name.dropLast(packing.count)
    guard let ending = Self.endings.first(where: { plain.hasSuffix($0.key) }) else { return nil }
    self = ending.value
  }

  /// Whether records are rows of cells.
  package var isTable: Bool { self == .csv || self == .tsv }

  /// Where a record is, for messages: by its line, or by its number where there are no lines.
  package func position(in input: String, _ number: Int) -> String {
    switch self {
    case .msgpack, .json: "\(input): record \(number)"
    case .mmdb: "\(input): network \(number)"
    case .ndjson, .csv, .tsv: "\(input):\(number)"
    }
  }

  /// What stands between cells.
  package var separator: UInt8 { self == .tsv ? UInt8(ascii: "\t") : UInt8(ascii: ",") }

  /// The same where it may be said.
  func separator(_ delimiter: FuseInput.Delimiter?) -> UInt8 {
    if case .byte(let byte) = delimiter { byte } else { separator }
  }

  /// What to do where a row is one cell, and `cell` shows that it was meant to be several; empty otherwise.
  ///
  /// - Parameter delimiter: what to do where neither tabs nor commas stand between cells.
  package static func otherSeparator(
    in cell: [UInt8], than separator: UInt8, _ names: OptionNames, delimiter: ((Unicode.Scalar) -> String)? = nil
  ) -> String {
    func has(_ character: Unicode.Scalar) -> Bool { cell.contains(UInt8(ascii: character)) }
    if separator != UInt8(ascii: "\t"), has("\t") { return "; there are tabs in it: say \(names.format(.tsv))" }
    if separator != UInt8(ascii: ","), has(",") { return "; there are commas in it: say \(names.format(.csv))" }
    for (character, name) in [(";" as Unicode.Scalar, "semicolons"), ("|", "bars"), (":", "colons"), (" ", "spaces")]
    where separator != UInt8(ascii: character) && has(character) {
      let advice = delimiter.map { $0(character) } ?? "say \(names.delimiter(character))"
      return "; there are \(name) in it: \(advice)"
    }
    return ""
  }
}
