public import FuseDBFormat
public import FuseDBValues

/// Files of records that a database is built from: NDJSON, JSON, CSV, TSV, MessagePack or MaxMind DB, as they are or packed with gzip,
/// zstd, xz or bzip2.
///
///     var input = FuseInput("networks.csv")    // network,asn,name
///     input.keyFields = ["network"]
///     input.types = ["asn": .int]
///     let writer = FuseWriter()
///     let read = try writer.add(input)         // read.recordCount == 585321
///     try writer.build(to: "networks.fsdb")
///
/// Without ``keyFields`` and ``addressRange`` each record has its own keys, as `{"keys": ["8.8.8.8"], "value": …}`
/// in NDJSON: the form that `fusedb dump` writes. Such files and tables are read in a stream: however large one is, it
/// takes no more memory than the writer has. See spec/json.md, "Inputs".
public struct FuseInput: Sendable {
  /// The paths of the files, read in their order.
  public var paths: [String]
  /// How their records are written; nil to go by the ending of each name, and NDJSON where that is unknown.
  public var format: Format?
  /// Where the array of the records is in a JSON document; nil where it is the document. Inputs of `ndjson` are
  /// read as `json` with it.
  public var recordsPath: FusePath?
  /// The names of the fields, or columns, that hold keys. In NDJSON and MessagePack a field may hold a list of keys.
  public var keyFields: [String] = []
  /// The names of the fields that hold the first and the last address of a range: the CIDR blocks that cover it are keys. All ranges that are added in
  /// one call are seen together; see ``overlap``.
  public var addressRange: (first: String, last: String)?
  /// Who has the addresses of two ranges that overlap; nil to refuse ranges that overlap in part.
  public var overlap: Overlap?
  /// The names of the fields that are stored in the object; where this is empty, all fields that hold no keys. Where records have keys of their own,
  /// they are fields of the values.
  public var keptFields: [String] = []
  /// The names of the fields that are not stored, of those that would be.
  ///
  /// In NDJSON, JSON and MessagePack, a name that a record does not have itself is a path into it, as of ``FusePath``:
  /// `geo.country`, `tags.0`. This goes for ``keyFields``, ``keptFields`` and ``addressRange``, too.
  public var droppedFields: [String] = []
  /// Of MaxMind DB files, the languages whose names stay, such as `["en"]`; empty for all. In each map called `names` that holds texts alone, the
  /// other members are left out.
  public var languages: [String] = []
  /// Whether ``keyFields``, ``keptFields`` and ``droppedFields`` may name a field that no record has. A table always needs its columns.
  public var allowsMissingFields = false
  /// The names of a table's columns; nil when its first row has them.
  public var columns: [String]?
  /// The types of columns that are not text, by name. An empty cell of such a column is null.
  public var types: [String: FieldType] = [:]
  /// What stands between the cells of tables; nil for a comma in `csv` and a tab in `tsv`. With one, inputs
  /// whose name says nothing are tables.
  public var delimiter: Delimiter?
  /// Whether a row may lack cells at its end; they are null.
  public var padsRows = false
  /// Cells that are one of these words are null, whatever the type of their column, and give no key.
  public var nullWords: [String] = []
  /// Whether the last column holds a list: of all cells that a row has from there on, or none.
  public var lastColumnIsList = false
  /// Whether rows that repeat the row of names, as where files were joined, are skipped. They are refused otherwise.
  public var skipsRepeatedHeaders = false
  /// Whether a cell of a table may stand in quotes, as RFC 4180 says.
  public var takesQuotes = true
  /// Lines of a table that begin with this are skipped; empty when all lines are rows.
  public var commentPrefix = ""
  /// Whether records that cannot be read are left out and counted, instead of refused: all but those after which it is not
  /// known where the next one begins.
  public var skipsBadRecords = false
  /// How many bytes a record may have, up to 8 GiB; nil for a thirty-second of the writer's memory, and at least 64 KiB.
  public var recordLimit: Int?

  /// - Parameters:
  ///   - paths: the files; at least one, and no more than 65,536.
  ///   - format: how their records are written; nil to go by the ending of each name.
  public init(_ paths: String..., format: Format? = nil) { self.init(paths: paths, format: format) }

  /// - Parameters:
  ///   - paths: the files; at least one, and no more than 65,536.
  ///   - format: how their records are written; nil to go by the ending of each name.
  public init(paths: [String], format: Format? = nil) {
    precondition(
      (1...InputPosition.mostInputs).contains(paths.count), "an input has 1 to \(InputPosition.mostInputs) files")
    self.paths = paths
    self.format = format
  }

  /// What stands between the cells of a row.
  public enum Delimiter: Sendable, Hashable {
    /// One byte of ASCII other than a quote and those that end lines.
    case byte(UInt8)
    /// Spaces and tabs, any number of them; those around a row say nothing. Quotes are as any character, and a cell that
    /// begins with ``FuseInput/commentPrefix`` ends its row.
    case whitespace

    /// Whether it can stand between cells.
    package var isValid: Bool {
      guard case .byte(let byte) = self else { return true }
      return byte < 0x80 && ![UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\"")].contains(byte)
    }
  }

  /// Who has the addresses of two ranges that overlap.
  ///
  /// Without one, ranges may lie in each other, and an address has the object of the innermost; two that overlap in part are refused, and
  /// so are two that are the same but for their objects, unless the writer's ``FuseWriter/Options/onDuplicate`` says which one counts.
  public enum Overlap: String, Sendable, CaseIterable {
    /// The range that was read first. A later one inside of it has nothing left.
    case first
    /// The range that was read last. An earlier one inside of it has nothing left.
    case last
    /// The one with fewer addresses; of equal ones, the one that was read first.
    case smallest
  }

  /// How much was read.
  public struct Counts: Sendable, Equatable {
    /// How many records were read; each gives an object.
    public var recordCount = 0
    /// How many keys they gave, repeated ones included.
    public var keyCount = 0
    /// How many records were skipped, where ``FuseInput/skipsBadRecords`` says so,
    public var skippedCount = 0
    /// and what is wrong with the first of them, in the order of the inputs.
    public var firstSkipped: [FuseError] = []
  }

  /// The files, and how the records of each are written.
  var files: [(name: String, format: Format)] {
    paths.map { ($0, format ?? Format(guessedFrom: $0) ?? (delimiter == nil ? .ndjson : .csv)) }
  }
}

/// Where a record begins: the number of its input, from 0, and the number of its line there, or of the record in
/// MessagePack, from 1.
///
/// Positions are in the order of the records. An input may have 2^48 - 1 lines or records, and there may be 65,536 inputs.
package struct InputPosition {
  package static let mostInputs = 1 << 16
  private static let lineBits: UInt64 = 48

  package let input: Int
  package let line: Int

  init(input: Int, line: Int) {
    self.input = input
    self.line = line
  }

  /// Takes apart a position as a ``RecordBatch`` holds it.
  package init(_ number: UInt64) {
    input = Int(number >> Self.lineBits)
    line = Int(number & (1 << Self.lineBits - 1))
  }

  var number: UInt64 { UInt64(input) << Self.lineBits | UInt64(line) }
}
