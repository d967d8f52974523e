/// How the records of an input are written.
enum InputFormat: String, CaseIterable {
  /// A JSON object a line.
  case ndjson
  /// Cells between commas.
  case csv
  /// Cells between tabs.
  case tsv

  /// What an input's name ends in says what it holds; by itself, NDJSON.
  init(guessedFrom name: String) {
    let name = name.lowercased()
    let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
    self = plain.hasSuffix(".csv") ? .csv : plain.hasSuffix(".tsv") ? .tsv : .ndjson
  }

  /// Whether records are rows of cells.
  var isTable: Bool { self != .ndjson }

  /// What stands between cells.
  var separator: UInt8 { self == .tsv ? UInt8(ascii: "\t") : UInt8(ascii: ",") }
}
