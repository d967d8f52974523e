import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBInput

struct LineReaderTests {
  @Test(arguments: [
    ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("a\n\nb\n", ["a", "", "b"]),
    ("a\r\nb\r\n", ["a", "b"]),
    ("\r\n", [""]), ("a\rb\n", ["a\rb"]), ("a\r", ["a\r"]), ("a\r\r\n", ["a\r"]),
    ("\u{FEFF}a\n\u{FEFF}b\n", ["a", "\u{FEFF}b"]),
    ("\u{FEFF}", []), ("\u{FEFF}\n", [""]),
  ])
  func `lines end with a line feed, one carriage return before it included`(text: String, expected: [String]) throws {
    for byteCount in [4, 5, 7, 64] {
      let found = try lines(Array(text.utf8), blockByteCount: byteCount)
      #expect(found == expected.map { Array($0.utf8) }, "with blocks of \(byteCount) bytes")
    }
  }

  @Test func `lines are those of splitting, whatever the size of the blocks`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let scratch = Scratch()
    for _ in 0..<200 {
      let bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
        [UInt8(ascii: "a"), UInt8(ascii: "b"), UInt8(ascii: "\n"), 0x00, 0xFF].randomElement(using: &random)!
      }
      var expected = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
      if expected.last == [] { expected.removeLast() }
      let byteCount = Int.random(in: 4...90, using: &random)
      #expect(try lines(bytes, blockByteCount: byteCount, in: scratch) == expected, "seed \(seed)")
    }
  }
}
