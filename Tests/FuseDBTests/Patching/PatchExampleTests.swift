import Foundation
import Testing

import FuseDB

/// The example of spec/patch.md §9, taken from the page itself.
struct `The worked example of a patch` {
  private static let old = WorkedExamples.twoKeysOneObject
  private static let new = ReferenceFile(
    objects: [[0x81, 0xA1, 0x61, 0x02], [0xC0]],
    keys: [([UInt8]("8.8.8.8".utf8), 0), ([UInt8]("gmail.com".utf8), 0), ([UInt8]("k".utf8), 1)]
  ).bytes

  /// The bytes of the page's one block of code: after the offset, up to two spaces.
  private static func page() throws -> [UInt8] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: root.appendingPathComponent("spec/patch.md"), encoding: .utf8)
    var bytes: [UInt8] = []
    for line in text.components(separatedBy: "```")[1].split(separator: "\n") {
      let parts = line.drop { $0 == " " }.split(separator: " ", maxSplits: 1).map(String.init)
      guard parts.count == 2, let offset = Int(parts[0]), parts[1].hasPrefix(" "), !parts[1].hasPrefix("   ") else {
        continue
      }
      #expect(offset == bytes.count)
      let hex = parts[1].drop { $0 == " " }.description.components(separatedBy: "  ")[0]
      bytes += [UInt8](hex: hex)
    }
    return bytes
  }

  @Test func `makes the new file, and its body is what is made [U4] [U5] [U6] [U11]`() throws {
    let patch = try Self.page()
    #expect(patch.count == 142)
    let bench = try PatchBench()
    #expect(try bench.apply(patch, to: Self.old) == Self.new)
    let made = try bench.patch(from: Self.old, to: Self.new)
    #expect(made[8..<32] == patch[8..<32])
    #expect(made[40..<120] == patch[40..<120])
    #expect(try bench.body(of: made) == bench.body(of: patch))
  }
}
