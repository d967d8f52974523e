internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// How large one record may be, so that no input takes more memory than there is. See spec/json.md, "Inputs". [S6]
///
/// A record is held whole, beside what its parser and the writer make of it: some six times its bytes at the worst.
package struct RecordLimit: Sendable, Equatable {
  /// A record that is longer than the largest object and 64 thousand of the longest keys cannot be of use.
  package static let mostBytes = 1 << 33
  /// The default is this share of the memory.
  static let shareOfMemory = 32
  /// The default is at least this.
  static let leastBytes = 1 << 16
  /// A record may have this many values whatever the limit.
  private static let leastValues = 1 << 12

  /// The largest limit, for where no other is given.
  package static let none = RecordLimit(byteCount: mostBytes)

  /// How many bytes a record may have, its line end not counted.
  package let byteCount: Int
  /// What messages call the options that could help.
  let names: OptionNames

  package init(byteCount: Int, names: OptionNames = .command) {
    self.byteCount = min(byteCount, Self.mostBytes)
    self.names = names
  }

  /// The default for a build that may take `memory` bytes.
  package init(memory: Int, names: OptionNames = .command) {
    self.init(byteCount: max(memory / Self.shareOfMemory, Self.leastBytes), names: names)
  }

  /// How many values, members or elements, the JSON or the top level of the MessagePack of a record may have: what is noted
  /// for each is longer than the shortest ones.
  var valueCount: Int { max(byteCount / 16, Self.leastValues) }
  /// How many columns a table may have.
  var columnCount: Int { max(byteCount / 64, Self.leastValues) }

  /// The errors of records that have more bytes.
  var tooLongLine: FuseError { tooLong("the line", "is this NDJSON, one object a line? If so") }
  var tooLongElement: FuseError {
    tooLong(
      "the record", "where the records lie inside of the document, name their array with \(names.records); otherwise")
  }
  var tooLongRow: FuseError {
    tooLong(
      "the row that begins here",
      "close the quote that may be open in it, take quotes as they are with \(names.noQuotes), or"
    )
  }
  var tooLongValue: FuseError { tooLong("the record", "is this a stream of MessagePack? If so") }

  private func tooLong(_ record: String, _ doubt: String) -> FuseError {
    FuseError(
      .limitExceeded, "\(record) is longer than \(Humans.size(byteCount)), the limit for one; \(doubt) \(advice)")
  }

  /// The error of a record that has more than `count` of something.
  func tooMany(_ things: String, _ count: Int) -> FuseError {
    FuseError(
      .limitExceeded, "the record has more than \(Humans.number(count)) \(things), the limit for one; \(advice)")
  }

  private var advice: String {
    "raise \(names.recordLimit), and \(names.memory) if that is too little for such records"
  }
}

/// The names that messages use for what chooses how inputs are read: options of the command, or properties of
/// ``FuseInput``.
package enum OptionNames: Sendable {
  case command, library

  private func name(_ option: String, _ property: String) -> String { self == .command ? option : property }

  var keys: String { name("--key", "keyFields") }
  var kept: String { name("--keep", "keptFields") }
  var dropped: String { name("--drop", "droppedFields") }
  var range: String { name("--range", "addressRange") }
  var types: String { name("--type", "types") }
  var columns: String { name("--columns A,B,C", "columns") }
  var noQuotes: String { name("--no-quotes", "takesQuotes = false") }
  var allowMissing: String { name("--allow-missing", "allowsMissingFields = true") }
  var skipHeaders: String { name("--skip-headers", "skipsRepeatedHeaders = true") }
  var padRows: String { name("--pad-rows", "padsRows = true") }
  var skipBadRows: String { name("--skip-bad-rows", "skipsBadRecords = true") }
  var records: String { name("--records PATH", "recordsPath") }
  var recordLimit: String { name("--record-limit", "recordLimit") }
  var masking: String { name("--mask-host-bits", "the writer's masksHostBits") }
  var normaliseNetworks: String { name("--normalise network", "the writer's normalisation = .network") }
  var overlap: String { name("--overlap", "overlap") }
  var onDuplicate: String { name("--on-duplicate", "the writer's onDuplicate") }
  var memory: String { name("--memory", "the writer's memory") }

  /// How a format is chosen.
  func format(_ format: FuseInput.Format) -> String { name("--format \(format)", "format: .\(format)") }

  /// How a delimiter is chosen.
  func delimiter(_ character: Unicode.Scalar) -> String {
    character == " "
      ? name("--delimiter whitespace", "delimiter = .whitespace")
      : name("--delimiter '\(character)'", "delimiter = .byte(UInt8(ascii: \"\(character)\"))")
  }

  /// How the field is named that holds the key.
  func example(key: String) -> String { name("--key \(key)", "keyFields = [\"\(key)\"]") }
}

extension FuseError {
  /// The same error with the position of the record as its path, unless it has a path already.
  func located(at position: String, offset: UInt64? = nil) -> FuseError {
    path == nil ? FuseError(code, message, offset: offset, path: position, errno: errno) : self
  }
}
