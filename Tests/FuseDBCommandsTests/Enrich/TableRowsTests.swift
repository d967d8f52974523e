import FuseDB
import FuseDBInput
import ProgramSupport
import Testing

@testable import FuseDBCommands

struct TableRowsTests {
  /// Rows as the texts of their cells, with quotes; and `!` for one with a flaw.
  private static func rows(_ text: String, takesQuotes: Bool = true, comments: String = "") throws -> [[String]] {
    let block = try InputBlock(byteCount: text.utf8.count)
    block.bytes.replaceSubrange(0..<text.utf8.count, with: text.utf8)
    block.range = 0..<text.utf8.count
    block.hasQuotes = text.contains("\"")
    let table = EnrichPlan.Table(
      separator: UInt8(ascii: ","), takesQuotes: takesQuotes, commentPrefix: Array(comments.utf8), columns: nil)
    let bytes = block.bytes
    var scan = TableRows(block, bytes.rawSpan, from: 0, table)
    var rows: [[String]] = []
    var next = 0
    while scan.advance(bytes.rawSpan) {
      #expect(scan.start == next, "rows follow one another")
      next = scan.next
      #expect(scan.end <= scan.next)
      rows.append(scan.flaw != nil ? ["!"] : scan.cells.map { String(decoding: bytes[$0], as: UTF8.self) })
    }
    #expect(next == text.utf8.count)
    return rows
  }

  @Test(arguments: [
    ("a,b\nc,d\n", [["a", "b"], ["c", "d"]]), ("a,b\r\n\r\nc,", [["a", "b"], [], ["c", ""]]),
    ("\"a\nb\",c\n\"\"\"\",d", [["\"a\nb\"", "c"], ["\"\"\"\"", "d"]]), ("\"a\"\r\n\"b\"\r", [["\"a\""], ["\"b\""]]),
    ("\"a\"b,c\nd\n", [["!"], ["d"]]), ("a\n\"b\n", [["a"], ["!"]]), ("x\"y,z\"\n", [["x\"y", "z\""]]),
    (",\n,", [["", ""], ["", ""]]), ("", []), ("\n", [[]]), ("a\rb,c\n", [["a\rb", "c"]]),
  ])
  func `cells stand where they are, with their quotes`(text: String, expected: [[String]]) throws {
    #expect(try Self.rows(text) == expected)
  }

  @Test func `quotes may be text, and comments are no rows`() throws {
    #expect(try Self.rows("\"a,b\"\n#\"x\n\"\n", takesQuotes: false, comments: "#") == [["\"a", "b\""], [], ["\""]])
  }

  @Test(arguments: [1, 63, 64, 65, 127, 128, 200])
  func `cells of any length end at their separator`(count: Int) throws {
    let cell = String(repeating: "x", count: count)
    #expect(try Self.rows("\(cell),\"\(cell)\",\(cell)\n\(cell)") == [[cell, "\"\(cell)\"", cell], [cell]])
  }
}
