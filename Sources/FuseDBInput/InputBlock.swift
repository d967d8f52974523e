package import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Whole records of one input, on their way from the thread that reads to one that parses.
@safe
package final class InputBlock: @unchecked Sendable {
  /// Readable bytes after the records, for those who look at many at once.
  package static let padding = max(JSONParser.padding, RawSpan.matchByteCount) + MessagePackPacker.padding

  private static let zeros = [UInt8](repeating: 0, count: 1 << 16)

  // SAFETY: used by the thread that fills it or by the one that it was handed to, never by both.
  /// The records are in ``range``; at least ``padding`` bytes follow.
  package var bytes: [UInt8]
  package var range = 0..<0
  /// The number of the input among all, from 0.
  package var input = 0
  /// The number of the line on which ``range`` begins, or of its first record where there are no lines, from 1.
  package var firstLine = 1
  /// For JSON: the number of its first record, from 1, in which column of its line ``range`` begins, and whether commas
  /// stand between records.
  var firstRecord = 1
  var firstColumn = 1
  var isList = false
  /// Where in the unpacked input ``range`` begins.
  package var offset = 0
  /// The block's number among all.
  package var number = 0
  /// How the records are written.
  package var format = FuseInput.Format.ndjson
  /// For rows: the columns.
  var columns: TableColumns?
  /// Whether a byte is a quote.
  package var hasQuotes = false

  /// - Parameter byteCount: the room for records.
  package init(byteCount: Int) throws(FuseError) {
    bytes = []
    try grow(to: byteCount)
  }

  /// The room for records.
  var room: Int { bytes.count - Self.padding }

  /// Makes room for `byteCount` bytes.
  func grow(to byteCount: Int) throws(FuseError) {
    try bytes.reserve(byteCount + Self.padding)
    while room < byteCount { bytes.append(contentsOf: Self.zeros.prefix(byteCount - room)) }
  }

  /// Lets go of its memory; it is of no use then.
  func release() { bytes = [] }
}
