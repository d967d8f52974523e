import FuseDB
import Glibc
import ProgramSupport
import Testing

@testable import FuseDBInput

/// What a block holds, as text.
private func text(_ block: InputBlock) -> String { String(decoding: block.bytes[block.range], as: UTF8.self) }

struct BlockCutterTests {
  @Test(arguments: [
    ("", []), ("a", ["a"]), ("a\nb\nc\n", ["a\nb\n", "c\n"]), ("abcdefghij\nklmnopq\n", ["abcdefghij\n", "klmnopq\n"]),
    ("a\nbcdefg", ["a\n", "bcdefg"]), ("\n\n\n\n\n", ["\n\n\n\n", "\n"]),
    ("\u{FEFF}a\n\u{FEFF}b", ["a\n", "\u{FEFF}b"]),
    ("\u{FEFF}", []), ("\"a\nb\"\nc", ["\"a\n", "b\"\n", "c"]),
  ])
  func `blocks of lines end with the last line feed that fits`(
    text input: String, expected: [String]
  ) throws {
    let blocks = try BlockCutter.blocks(of: Array(input.utf8), byteCount: 4, in: Scratch())
    #expect(blocks.map { text($0) } == expected)
  }

  @Test(arguments: [
    ("\"a\nb\"\ncde", ["\"a\nb\"\n", "cde"]), ("a\n\"b\n", ["a\n", "\"b\n"]), ("x\"\ny\"\nz", ["x\"\n", "y\"\n", "z"]),
    ("a,\"\n\"\nbcd", ["a,\"\n\"\n", "bcd"]), ("\"\"\"\n\"\nbcd", ["\"\"\"\n\"\n", "bcd"]),
    ("\"\"\n\"\"\n", ["\"\"\n", "\"\"\n"]),
    ("\"a\"b\n\"c\n", ["\"a\"b\n", "\"c\n"]),
  ])
  func `blocks of rows do not end inside of quotes`(text input: String, expected: [String]) throws {
    let blocks = try BlockCutter.blocks(
      of: Array(input.utf8), .row(separator: UInt8(ascii: ","), commentPrefix: []), byteCount: 4, format: .csv,
      in: Scratch())
    #expect(blocks.map { text($0) } == expected)
  }

  @Test(arguments: [
    ("#\"\na\nb\n", ["#\"\n", "a\nb\n"]), ("\"\n#\"\n#\"\nx", ["\"\n#\"\n#\"\n", "x"]),
    ("a\n#,\"\nbc\nd\n", ["a\n", "#,\"\n", "bc\n", "d\n"]),
    ("#a\"bcdefgh\nijklmnop\n", ["#a\"bcdefgh\n", "ijklmnop\n"]),
  ])
  func `quotes in comments are none`(text input: String, expected: [String]) throws {
    let boundary = BlockCutter.Boundary.row(separator: UInt8(ascii: ","), commentPrefix: [UInt8(ascii: "#")])
    let blocks = try BlockCutter.blocks(
      of: Array(input.utf8), boundary, byteCount: 4, format: .csv, in: Scratch())
    #expect(blocks.map { text($0) } == expected)
  }

  @Test func `blocks of values end after a value, and know the number and the place of their first`() throws {
    // Values of 1, 5, 1 and 3 bytes.
    let bytes: [UInt8] = [0x01, 0xA4, 0x61, 0x62, 0x63, 0x64, 0xC0, 0x92, 0x01, 0x02]
    let blocks = try BlockCutter.blocks(
      of: bytes, .value, dropsByteOrderMark: false, byteCount: 4, format: .msgpack, in: Scratch())
    #expect(blocks.map { Array($0.bytes[$0.range]) } == [[0x01], Array(bytes[1..<7]), Array(bytes[7...])])
    #expect(blocks.map { $0.firstLine } == [1, 2, 4])
    #expect(blocks.map { $0.offset } == [0, 1, 7])
  }

  @Test func `blocks are the input, know their first lines and whether they have quotes, and have their padding`()
    throws
  {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let alphabet = Array("a,\"\n\r".utf8)
    let scratch = Scratch()
    for _ in 0..<300 {
      let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      let byteCount = Int.random(in: 1...70, using: &random)
      let boundary: BlockCutter.Boundary =
        Bool.random(using: &random) ? .lineFeed : .row(separator: UInt8(ascii: ","), commentPrefix: [])
      let blocks = try BlockCutter.blocks(of: bytes, boundary, byteCount: max(4, byteCount), in: scratch)
      #expect(blocks.flatMap { Array($0.bytes[$0.range]) } == bytes, "seed \(seed)")
      var line = 1
      for block in blocks {
        let own = block.bytes[block.range]
        #expect(block.firstLine == line, "seed \(seed)")
        line += own.count { $0 == UInt8(ascii: "\n") }
        if case .row = boundary, own.contains(UInt8(ascii: "\"")) { #expect(block.hasQuotes, "seed \(seed)") }
        #expect(block.range.upperBound + InputBlock.padding <= block.bytes.count, "seed \(seed)")
      }
      for block in blocks.dropLast() { #expect(block.bytes[block.range].last == UInt8(ascii: "\n"), "seed \(seed)") }
    }
  }

  @Test func `lines are handed over as they come in, where whole blocks are not waited for`() throws {
    var pipes: [Int32] = [0, 0]
    #expect(unsafe pipe(&pipes) == 0)
    let output = Descriptor(pipes[1])
    defer { Descriptor(pipes[0]).close() }
    func write(_ text: String) throws { try output.write(Array(text.utf8), name: "pipe") }
    try write("first\nse")
    var cutter = BlockCutter(
      try InputFile(Descriptor(pipes[0]), name: "pipe", isOwned: false), .lineFeed, waitsForWholeBlocks: false)
    let block = try InputBlock(byteCount: 16)
    var hasMore = true
    hasMore = try cutter.next(block)
    #expect(hasMore)
    #expect(text(block) == "first\n")
    try write("cond\nthird\na line that is longer than a block")
    hasMore = try cutter.next(block)
    #expect(hasMore)
    #expect(text(block) == "second\nthird\n")
    try write(", and goes on\nend")
    output.close()
    hasMore = try cutter.next(block)
    #expect(hasMore)
    #expect(text(block).hasPrefix("a line that is longer than a block, and goes on\n"))
    var rest = String(text(block).dropFirst("a line that is longer than a block, and goes on\n".count))
    while try cutter.next(block) { rest += text(block) }
    #expect(rest == "end")
  }
}
