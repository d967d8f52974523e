import Testing

import FuseDB

@testable import FuseDBReading

/// The text is so long that one length is looked up before the search; and the key with which it begins stands several strides before its
/// place in order, so that the search proves nothing about it.
struct `A damaged file, asked for the key with which a long text begins` {
  private static let answer = Key("abcd")
  private static let bench = MatchBench(["A", "abcd", "abcdx0"] + (100..<200).map { "abcd\($0)" })
  private static let question = MatchQuestion.prefix(Array("abcd".utf8) + [UInt8](repeating: 0x78, count: 20_000))

  @Test func `gives it or an error, whatever bit of its entry and of its lines is flipped [Q7] [X16]`() throws {
    let sound = ReferenceBlock(try Self.bench.bytes(.block))
    #expect(try Self.question.key(FuseReader(bytes: sound.bytes)) == Self.answer)
    let entry = try #require(sound.plain.entries.first { $0.key == Self.answer })
    let table = try #require(sound.table)
    let start = try #require(sound.range("HASH")).lowerBound
    let probe = table.probe(of: Self.answer.bytes)
    let lines = [64 + 64 * probe.pilotLine, table.slotLine(probe.line)].map { start + $0..<start + $0 + 64 }
    for range in [entry.offset..<entry.end] + lines {
      var errorCount = 0
      for bit in 8 * range.lowerBound..<8 * range.upperBound {
        var found: Key?
        let error = failure { found = try Self.question.key(FuseReader(bytes: sound.bytes.flipping(bit: bit))) }
        #expect(error == nil ? found == Self.answer : error?.code == .corrupted, "bit \(bit)")
        if error != nil { errorCount += 1 }
      }
      #expect(errorCount > 0)
    }
  }

  /// The rule leads the other key to the slot, with its tag: only the stride's checksum tells.
  @Test func `is an error where that became another key of its slot and tag [Q7] [X18]`() throws {
    var block = ReferenceBlock(try Self.bench.bytes(.block))
    let entry = try #require(block.plain.entries.first { $0.key == Self.answer })
    let table = try #require(block.table)
    let probe = table.probe(of: Self.answer.bytes)
    let other = (0..<1_000_000).lazy.map { Array("a".utf8) + ReferenceFile.big($0, 3) }.first { key in
      let found = table.probe(of: key)
      return found.line == probe.line && found.slot == probe.slot && found.tag == probe.tag
    }
    block.bytes.replaceSubrange(entry.offset + 2..<entry.offset + 6, with: try #require(other))
    let error = failure { _ = try Self.question.key(FuseReader(bytes: block.bytes)) }
    #expect(error?.code == .corrupted)
    #expect(error?.offset == UInt64(block.plain.indexOffset))
  }
}
