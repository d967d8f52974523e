import Foundation
import FuseDB
import Testing

/// The table of spec/values.md §7.
struct `A worked example of typed values` {
  private struct Org: Encodable {
    var name = "Google LLC"
    var asn = 15169
    var parent: String?
  }

  private enum Shape: Encodable {
    case circle(Double)
    case rectangle(width: Int, height: Int)
  }

  /// What the first column says, row by row.
  private static func rows() throws -> [[[UInt8]]] {
    let encoder = FuseEncoder()
    return try [
      [encoder.encode(Org())],
      [encoder.encode([2: "b", -1: "a"])],
      [encoder.encode(Set(["bb", "a", "b"]))],
      [encoder.encode(Data([1, 2])), encoder.encode([1, 2])],
      [encoder.encode(1.5), encoder.encode(1.5 as Float)],
      [encoder.encode(Shape.circle(2)), encoder.encode(Shape.rectangle(width: 1, height: 2))],
      [
        encoder.encode(FuseTimestamp(seconds: 1)), encoder.encode(FuseTimestamp(seconds: 1, nanoseconds: 1)),
        encoder.encode(FuseTimestamp(seconds: -1)),
      ],
    ]
  }

  @Test func `is what the encoder writes [W1] [W2] [W3] [W4] [W5] [W6] [W7] [W16]`() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: "spec/values.md"), encoding: .utf8)
    let chapter = try #require(text.components(separatedBy: "\n## 7. Worked examples").last)
    let examples = chapter.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { row in
      row.split(separator: "|")[1].split(separator: "`").filter { $0.contains { $0.isHexDigit } }
        .map { $0.filter { !$0.isWhitespace } }
    }
    let written = try Self.rows().map { $0.map { $0.map { String(format: "%02x", $0) }.joined() } }
    #expect(examples.count == written.count)
    for (example, bytes) in zip(examples, written) { #expect(example == bytes) }
  }
}
