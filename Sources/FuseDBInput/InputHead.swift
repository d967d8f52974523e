internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// What the first bytes of an input say about it: how its lines end, and whether it is something that has no records.
struct InputHead {
  /// How much is looked at, however much is read at once.
  static let byteCount = 1 << 16

  /// Whether lines end with a carriage return alone, as old Macs and some programs write them. [T15]
  let endsLinesWithReturns: Bool
  /// Whether the first character is the bracket of an array: so no line of NDJSON begins.
  let beginsArray: Bool

  /// Looks at the beginning of `file`.
  ///
  /// - Parameter skipsBadRecords: whether there may be records that are none.
  /// - Throws: ``FuseError`` with code `invalidValue` when it can hold no records; and what reading throws.
  init(
    _ file: InputFile, _ format: FuseInput.Format, _ names: OptionNames, skipsBadRecords: Bool = false
  ) throws(FuseError) {
    let head = try file.peek(Self.byteCount)
    if let kind = ForeignKind(head, format, names, skipsBadRecords: skipsBadRecords) {
      throw FuseError(.invalidValue, kind.refusal, path: file.name)
    }
    // What is cut off after the last byte might be a line feed.
    let known = head.count < Self.byteCount ? head[...] : head.dropLast()
    let text = head.drop { [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
    beginsArray = text.first == UInt8(ascii: "[")
    endsLinesWithReturns =
      format != .msgpack && !head.contains(UInt8(ascii: "\n")) && known.contains(UInt8(ascii: "\r"))
  }
}

/// Something else than records, by what it begins with.
package struct ForeignKind {
  /// What it is and what to do.
  package let refusal: String

  private static let magics: [(bytes: [UInt8], refusal: String)] = [
    (
      Array("FSDB".utf8),
      "this is a FuseDB database and no records; 'fusedb merge' joins databases, and 'fusedb dump' writes one as records"
    ),
    (Array("FSDPAT".utf8), "this is a patch of a database and no records; 'fusedb patch' applies it"),
    ([0x04, 0x22, 0x4D, 0x18], packed("lz4", "lz4 -dc")),
    (Array("LZIP".utf8), packed("lzip", "lzip -dc")),
    ([0x1F, 0x9D], packed("compress", "gzip -dc")),
    ([0x1F, 0x8B], packedTwice("gzip", "gzip -dc")),
    ([0x28, 0xB5, 0x2F, 0xFD], packedTwice("zstd", "zstd -dc")),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], packedTwice("xz", "xz -dc")),
    (Array("BZh91AY&SY".utf8), packedTwice("bzip2", "bzip2 -dc")),
    (
      [0x50, 0x4B, 0x03, 0x04],
      "this is a zip archive, or an Excel or other file that is one; read the output of 'unzip -p', or export a table as CSV"
    ),
    ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], packed("7-Zip", "7z x -so")),
    (
      Array("SQLite format 3\0".utf8),
      "this is an SQLite database; export a table, as by 'sqlite3 -csv -header FILE \"select * from t\"'"
    ),
    (Array("PAR1".utf8), "this is a Parquet file; export it as CSV or NDJSON, as by DuckDB's COPY"),
    (Array("ARROW1".utf8), "this is an Arrow file; export it as CSV or NDJSON"),
    (Array("%PDF-".utf8), noRecords("a PDF")),
    ([0x5D, 0x00, 0x00], packed("lzma", "xz -dc --format=lzma")),
    ([0x50, 0x4B, 0x05, 0x06], "this is a zip archive with nothing in it"),
    ([0x52, 0x61, 0x72, 0x21, 0x1A, 0x07], packed("RAR", "unrar p -inul")),
    ([0x7F, 0x45, 0x4C, 0x46], noRecords("a program or a library (ELF)")),
    ([0xCF, 0xFA, 0xED, 0xFE], noRecords("a program or a library (Mach-O)")),
    ([0xCE, 0xFA, 0xED, 0xFE], noRecords("a program or a library (Mach-O)")),
    ([0xFE, 0xED, 0xFA, 0xCF], noRecords("a program or a library (Mach-O)")),
    ([0xFE, 0xED, 0xFA, 0xCE], noRecords("a program or a library (Mach-O)")),
    ([0xCA, 0xFE, 0xBA, 0xBE], noRecords("a class of Java, or a program (Mach-O)")),
    ([0x00, 0x61, 0x73, 0x6D], noRecords("a module of WebAssembly")),
    ([0x4D, 0x5A, 0x90, 0x00], noRecords("a program of Windows")),
    ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], noRecords("a PNG image")),
    ([0xFF, 0xD8, 0xFF], noRecords("a JPEG image")),
    (Array("GIF87a".utf8), noRecords("a GIF image")),
    (Array("GIF89a".utf8), noRecords("a GIF image")),
  ]

  private static func noRecords(_ name: String) -> String {
    "this is \(name); records are NDJSON, JSON, CSV, TSV or MessagePack"
  }

  private static func packed(_ name: String, _ command: String) -> String {
    "this is packed by \(name), and only gzip, zstd, xz and bzip2 are unpacked; read the output of '\(command)'"
  }

  private static func packedTwice(_ name: String, _ command: String) -> String {
    "this is packed twice, the last time by \(name); read the output of '\(command)'"
  }

  /// What a tar archive has, and where.
  private static let tar = (offset: 257, bytes: Array("ustar".utf8))

  /// Nil when `head` may begin records of the format.
  ///
  /// - Parameter skipsBadRecords: whether there may be records that are none.
  package init?(
    _ head: [UInt8], _ format: FuseInput.Format, _ names: OptionNames, skipsBadRecords: Bool = false
  ) {
    if let magic = Self.magics.first(where: { Self.begins(head, with: $0.bytes, format) }) {
      refusal = magic.refusal
    } else if head.count > Self.tar.offset, head[Self.tar.offset...].starts(with: Self.tar.bytes) {
      refusal = "this is a tar archive; read the output of 'tar -xO'"
    } else if Self.isUTF16(head), format != .msgpack {
      refusal = "this is UTF-16 and not UTF-8; read the output of 'iconv -f UTF-16 -t UTF-8'"
    } else if let markup = Self.markup(head) {
      refusal = "this is \(markup), perhaps what a server says instead of the file; look at it, and download it again"
    } else if format == .msgpack, let first = head.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      // Numbers, which are no records.
      refusal = "this looks like JSON and not like MessagePack; say \(names.format(.ndjson))"
    } else if format != .msgpack,
      Self.isBinary(head.prefix(Self.textByteCount), mayBeText: format.isTable || skipsBadRecords)
    {
      refusal = Self.noRecords("binary: there is a zero byte near its beginning")
    } else {
      return nil
    }
  }

  /// In so many bytes at the beginning, what is no text mostly has a zero byte.
  private static let textByteCount = 512

  /// Whether there is a zero byte, and it is not a flaw of one line among others.
  ///
  /// - Parameter mayBeText: whether a zero byte alone says nothing: one may stand in a cell, or in a line that is skipped.
  private static func isBinary(_ head: ArraySlice<UInt8>, mayBeText: Bool) -> Bool {
    guard head.contains(0) else { return false }
    // The last character may be cut.
    return !mayBeText && head.prefix { $0 != UInt8(ascii: "\n") }.contains(0)
      || Array(head).rawSpan.validUTF8Prefix + 4 <= head.count
  }

  private static func begins(_ head: [UInt8], with magic: [UInt8], _ format: FuseInput.Format) -> Bool {
    guard head.starts(with: magic) else { return false }
    // Letters alone may be the name of a column, unless something follows that no text has.
    guard format.isTable, magic.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return true }
    return head.prefix(64).contains { $0 < 0x09 }
  }

  /// Whether it has the mark of UTF-16, or every second byte of it is 0.
  private static func isUTF16(_ head: [UInt8]) -> Bool {
    if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) { return true }
    guard head.count >= 4 else { return false }
    let zeros = head.prefix(4).map { $0 == 0 }
    return zeros == [false, true, false, true] || zeros == [true, false, true, false]
  }

  private static func markup(_ head: [UInt8]) -> String? {
    let start = head.drop { [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }.prefix(16)
    let text = String(decoding: start, as: UTF8.self).lowercased()
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") { return "an HTML page" }
    return text.hasPrefix("<?xml") ? "XML" : nil
  }
}
