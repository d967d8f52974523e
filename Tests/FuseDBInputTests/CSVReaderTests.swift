import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBInput

/// A row and the line on which it begins.
private struct Row: Equatable {
  var line: Int
  var cells: [[UInt8]]

  init(_ line: Int, _ cells: [[UInt8]]) {
    self.line = line
    self.cells = cells
  }

  init(_ line: Int, _ cells: String...) { self.init(line, cells.map { Array($0.utf8) }) }
}

/// The rows of a text, or the line of the row that is refused.
private enum Outcome: Equatable {
  case rows([Row])
  case refused(line: Int)
}

private func read(
  _ bytes: [UInt8], format: FuseInput.Format = .csv, takesQuotes: Bool = true, commentPrefix: String = "",
  blockByteCount: Int = 1 << 12, in scratch: Scratch = Scratch()
) throws -> Outcome {
  let commentPrefix = Array(commentPrefix.utf8)
  let blocks = try BlockCutter.blocks(
    of: bytes, takesQuotes ? .row(separator: format.separator, commentPrefix: commentPrefix) : .lineFeed,
    byteCount: blockByteCount, format: format, in: scratch)
  let reader = CSVReader(takesQuotes: takesQuotes, commentPrefix: commentPrefix)
  var rows: [Row] = []
  for block in blocks {
    do throws(FuseError) {
      try reader.takeRows(off: block) { bytes, cells, line throws(FuseError) in
        rows.append(Row(line, cells.indices.map { bytes.extracting(cells[$0]).array() }))
        return true
      }
    } catch {
      #expect(error.code == .invalidValue)
      return .refused(line: reader.line)
    }
  }
  return .rows(rows)
}

/// RFC 4180 one byte at a time, as a machine of five states.
private func model(_ bytes: [UInt8], separator: UInt8, takesQuotes: Bool) -> Outcome {
  enum State { case cellStart, plain, quoted, quoteInQuoted, carriageReturnAfterQuote }
  var rows: [Row] = []
  var state = State.cellStart
  var cells: [[UInt8]] = []
  var cell: [UInt8] = []
  var wasQuoted = false
  var line = 1
  var rowLine = 1
  func endCell() {
    cells.append(cell)
    cell = []
  }
  func endRow(dropsCarriageReturn: Bool) {
    if dropsCarriageReturn, cell.last == UInt8(ascii: "\r") { cell.removeLast() }
    endCell()
    if cells != [[]] || wasQuoted { rows.append(Row(rowLine, cells)) }
    cells = []
    wasQuoted = false
    rowLine = line
  }
  for byte in bytes {
    if byte == UInt8(ascii: "\n") { line += 1 }
    switch (state, byte) {
    case (.cellStart, UInt8(ascii: "\"")) where takesQuotes:
      state = .quoted
      wasQuoted = true
    case (.cellStart, separator), (.plain, separator), (.quoteInQuoted, separator):
      endCell()
      state = .cellStart
    case (.cellStart, UInt8(ascii: "\n")), (.plain, UInt8(ascii: "\n")):
      endRow(dropsCarriageReturn: true)
      state = .cellStart
    case (.quoteInQuoted, UInt8(ascii: "\n")), (.carriageReturnAfterQuote, UInt8(ascii: "\n")):
      endRow(dropsCarriageReturn: false)
      state = .cellStart
    case (.cellStart, _), (.plain, _):
      cell.append(byte)
      state = .plain
    case (.quoted, UInt8(ascii: "\"")): state = .quoteInQuoted
    case (.quoted, _): cell.append(byte)
    case (.quoteInQuoted, UInt8(ascii: "\"")):
      cell.append(byte)
      state = .quoted
    case (.quoteInQuoted, UInt8(ascii: "\r")): state = .carriageReturnAfterQuote
    case (.quoteInQuoted, _), (.carriageReturnAfterQuote, _): return .refused(line: rowLine)
    }
  }
  switch state {
  case .quoted: return .refused(line: rowLine)
  case .cellStart where cells.isEmpty: break
  case .cellStart, .plain: endRow(dropsCarriageReturn: true)
  case .quoteInQuoted, .carriageReturnAfterQuote: endRow(dropsCarriageReturn: false)
  }
  return .rows(rows)
}

struct CSVReaderTests {
  private static let good: [(String, [Row])] = [
    ("", []),
    ("a,b\n1,2\n", [Row(1, "a", "b"), Row(2, "1", "2")]),
    ("a,b\r\n1,2\r\n", [Row(1, "a", "b"), Row(2, "1", "2")]),
    ("a,b\n1,2", [Row(1, "a", "b"), Row(2, "1", "2")]),
    ("a\n\n\r\nb\n", [Row(1, "a"), Row(4, "b")]),
    (",\n", [Row(1, "", "")]),
    ("a,", [Row(1, "a", "")]),
    ("\"\"\n", [Row(1, "")]),
    ("\"\"", [Row(1, "")]),
    ("\"a\",\"b\"\r\n", [Row(1, "a", "b")]),
    ("\"a,b\",\"c\"\"d\"\n", [Row(1, "a,b", "c\"d")]),
    ("\"\"\"\"\n", [Row(1, "\"")]),
    ("\"\"\"a\"\"\",\"\"\"\"\"\"\n", [Row(1, "\"a\"", "\"\"")]),
    ("\"two\nlines\",x\nnext,y\n", [Row(1, "two\nlines", "x"), Row(3, "next", "y")]),
    ("\"two\r\nlines\"\r\nnext", [Row(1, "two\r\nlines"), Row(3, "next")]),
    ("a\"b,c\"\n", [Row(1, "a\"b", "c\"")]),
    (" \"a\"\n", [Row(1, " \"a\"")]),
    ("a\rb,c\r\n", [Row(1, "a\rb", "c")]),
    ("a,b\r", [Row(1, "a", "b")]),
    ("a,b\r\r", [Row(1, "a", "b\r")]),
    ("a,\r", [Row(1, "a", "")]),
    ("\"a\"\r", [Row(1, "a")]),
    ("\"a\",\"b\r\"\r", [Row(1, "a", "b\r")]),
    ("\"b\r\"", [Row(1, "b\r")]),
    ("a\n\r", [Row(1, "a")]),
    ("\r", []),
    ("\u{FEFF}", []),
    ("\u{FEFF}\r", []),
    ("\u{FEFF}\"a\",b\n", [Row(1, "a", "b")]),
    ("a\tb,c\n", [Row(1, "a\tb", "c")]),
    (" , \n", [Row(1, " ", " ")]),
  ]

  @Test(arguments: good)
  private func `cells are those of RFC 4180`(text: String, rows: [Row]) throws {
    for byteCount in [4, 6, 9, 1 << 16] {
      let found = try read(Array(text.utf8), blockByteCount: byteCount)
      #expect(found == .rows(rows), "with blocks of \(byteCount) bytes")
    }
  }

  @Test(arguments: [
    ("\"a", 1), ("a\n\"b\nc\nd", 2), ("\"a\"b\n", 1), ("x\n\"a\" ,b\n", 2), ("\"a\"\rb\n", 1), ("\"a\"\r\r", 1),
    ("\"a\r", 1), ("\"a\nb\"\n\"", 3),
    ("a,\"b\"\"\n", 1), ("\"a\"\"\"\"\"b\"c\n", 1),
  ])
  func `quotes that do not close, or close too early, are refused with the line of their row`(text: String, line: Int)
    throws
  {
    for byteCount in [4, 6, 9, 1 << 16] {
      let found = try read(Array(text.utf8), blockByteCount: byteCount)
      #expect(found == .refused(line: line), "with blocks of \(byteCount) bytes")
    }
  }

  @Test(
    arguments: [
      [0xFF], [0x61, 0x2C, 0xC3], [0xC3, 0x2C, 0xA9], [0x22, 0xC3, 0x22, 0x22, 0xA9, 0x22],
      // What a cell leaves behind itself when its doubled quotes become single would make this one whole.
      [0x22, 0x22, 0x22, 0xE2, 0x82, 0x22, 0x2C, 0x61],
    ] as [[UInt8]])
  func `a cell that is not UTF-8 is refused`(row: [UInt8]) throws {
    #expect(try read(Array("a\n".utf8) + row) == .refused(line: 2))
  }

  @Test func `the separator may be a tab`() throws {
    #expect(
      try read(Array("a,b\tc\n\"d\te\"\t\"\"\n".utf8), format: .tsv)
        == .rows([Row(1, "a,b", "c"), Row(2, "d\te", "")]))
  }

  @Test func `quotes may be characters like others`() throws {
    #expect(
      try read(Array("\"a\"\t\"b\n\"\n".utf8), format: .tsv, takesQuotes: false)
        == .rows([Row(1, "\"a\"", "\"b"), Row(2, "\"")]))
  }

  @Test(
    arguments: [
      ("# a,\"b\na,b\n#\r\n1,2\n", "#", [Row(2, "a", "b"), Row(4, "1", "2")]),
      ("#", "#", []), ("\u{FEFF}#\n#x", "#", []), ("a\n#b", "#", [Row(1, "a")]),
      ("a,#\n #b,c\n\"#\",d\n", "#", [Row(1, "a", "#"), Row(2, " #b", "c"), Row(3, "#", "d")]),
      ("\"a\n#b\"\n#c\n", "#", [Row(1, "a\n#b")]),
      ("//a\n/b\n/\n//\n/", "//", [Row(2, "/b"), Row(3, "/"), Row(5, "/")]),
    ] as [(String, String, [Row])])
  private func `lines that begin as comments do are passed over`(text: String, prefix: String, rows: [Row]) throws {
    for byteCount in [4, 6, 9, 1 << 16] {
      let found = try read(Array(text.utf8), commentPrefix: prefix, blockByteCount: byteCount)
      #expect(found == .rows(rows), "with blocks of \(byteCount) bytes")
    }
  }

  @Test func `a comment need not be UTF-8`() throws {
    #expect(try read([0x23, 0xFF, 0x0A, 0x61], commentPrefix: "#") == .rows([Row(2, "a")]))
  }

  @Test(arguments: [true, false])
  func `any text gives the rows of a slow and simple reader, whatever the size of the blocks`(takesQuotes: Bool) throws
  {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let alphabet = Array("a\"\"\",,\n\r\n\r\u{0}".utf8)
    var refusedCount = 0
    let scratch = Scratch()
    for _ in 0..<2000 {
      let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      let byteCount = Int.random(in: 4...30, using: &random)
      let expected = model(bytes, separator: UInt8(ascii: ","), takesQuotes: takesQuotes)
      let found = try read(bytes, takesQuotes: takesQuotes, blockByteCount: byteCount, in: scratch)
      #expect(found == expected, "seed \(seed): \(hex(bytes)) with blocks of \(byteCount) bytes")
      if case .refused = expected { refusedCount += 1 }
    }
    #expect(takesQuotes ? refusedCount > 50 : refusedCount == 0)
  }

  @Test func `any cells that are written by the rules are read back`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let alphabet = ["a", "b", "\"", ",", "\n", "\r", " ", "é"]
    let scratch = Scratch()
    for _ in 0..<300 {
      let rows = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        (0..<Int.random(in: 1...4, using: &random)).map { _ in
          (0..<Int.random(in: 0...6, using: &random)).flatMap { _ in Array(alphabet.randomElement(using: &random)!.utf8)
          }
        }
      }
      let quote = UInt8(ascii: "\"")
      let written = rows.map { row in
        row.map { cell in [quote] + cell.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote] }.joined(separator: [
          UInt8(ascii: ",")
        ])
      }
      let found = try read(Array(written.joined(separator: Array("\r\n".utf8))), blockByteCount: 8, in: scratch)
      guard case .rows(let read) = found else {
        Issue.record("seed \(seed): refused")
        continue
      }
      #expect(read.map { $0.cells } == rows, "seed \(seed)")
    }
  }
}
