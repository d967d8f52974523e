import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBPatching

struct `Edits of an object` {
  /// What the edits make of `old`, as spec/patch.md §5 has it.
  private func applied(_ edits: [RecordEdit], to old: [UInt8], _ new: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var rest = old[...]
    for edit in edits {
      result += rest.prefix(edit.keptCount)
      rest = rest.dropFirst(edit.keptCount + edit.droppedCount)
      result += new[edit.inserted]
    }
    return result + rest
  }

  @Test(arguments: [
    ("", "", 0), ("abc", "abc", 0), ("", "abc", 1), ("abc", "", 1), ("abc", "abxc", 1), ("abc", "ac", 1),
    ("aaaa", "aaaaa", 1), ("abcabc", "abc", 1), ("abc", "xyz", 1),
    ("one two three four five", "oNe two three four fiVe", 2), ("alpha beta gamma", "gamma beta alpha", 2),
    ("0123456789abcdefghij", "01x3456789abXdefghiZj", 3),
  ])
  func `make the new one, and are as few as expected`(old: String, new: String, count: Int) throws {
    let (old, new) = ([UInt8](old.utf8), [UInt8](new.utf8))
    let edits = try RecordEdit.edits(from: old.rawSpan, to: new.rawSpan)
    #expect(applied(edits, to: old, new) == new)
    #expect(edits.count <= count)
    #expect(edits.isEmpty == (old == new))
  }

  @Test func `of random objects make the new one, and each changes something`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<3000 {
      let alphabet = random.below(2) == 0 ? 2 : 256
      let old = (0..<random.below(80)).map { _ in UInt8(random.below(alphabet)) }
      var new = old
      for _ in 0..<random.below(4) {
        let start = random.below(new.count + 1)
        let end = min(new.count, start + random.below(9))
        new.replaceSubrange(start..<end, with: (0..<random.below(9)).map { _ in UInt8(random.below(alphabet)) })
      }
      let edits = try RecordEdit.edits(from: old.rawSpan, to: new.rawSpan)
      #expect(applied(edits, to: old, new) == new, "\(old.hex) -> \(new.hex)")
      #expect(edits.allSatisfy { $0.droppedCount > 0 || !$0.inserted.isEmpty }, "\(old.hex) -> \(new.hex)")
    }
  }
}
