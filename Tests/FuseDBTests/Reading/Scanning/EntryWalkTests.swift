import Glibc
import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBFormat
@testable import FuseDBReading

@safe
struct `A walk over entries` {
  /// The index ends with a page, and what comes after it ends the process when it is read.
  @Test func `reads nothing after the index where that has no room for an entry [I2]`() throws {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let mapped = unsafe mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    let start = unsafe try #require(mapped)
    try #require(unsafe start != MAP_FAILED)
    defer { unsafe munmap(start, 2 * page) }
    try #require(unsafe mprotect(start + page, page, PROT_NONE) == 0)
    // SAFETY: the first page is there until the function returns.
    let file = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(start), byteCount: page)
    for offset in page - 9...page {
      var walk = EntryWalk(from: offset, until: page, in: file)
      #expect(walk.next() == nil)
      let isPassed = walk.skip()
      #expect(!isPassed && walk.offset == offset)
    }
    // All zeros: an entry of the empty key.
    var last = EntryWalk(from: page - 10, until: page, in: file)
    #expect(last.next()?.end == page)
    // Nor is the key compared by 16 bytes where there are not so many.
    last = EntryWalk(from: page - 10, until: page, in: file)
    let question: [UInt8] = [0x61]
    let passed = last.pass(before: SoughtKey(question.rawSpan, .first), atMost: 1)
    #expect(passed == 1)
  }

  /// Keys and questions that share beginnings of all lengths around 16, with nothing after the index and with much.
  @Test(arguments: [0, 5, 40])
  func `passes over the keys before another, as comparing them byte by byte says [I2] [I4]`(byteCountAfter: Int) throws
  {
    var random = SeededRandom.announced()
    let stem = random.bytes(18)
    func key() -> [UInt8] {
      let shared = stem.prefix(random.below(19))
      return shared + (0..<random.below(5)).map { _ in random.element([0, 1, 0x80, 0xFF]) as UInt8 }
    }
    for _ in 0..<40 {
      let keys = Set((0..<random.below(20)).map { _ in key() }).sorted { $0.lexicographicallyPrecedes($1) }
      var index: [UInt8] = []
      var ends = [0]
      for key in keys {
        index += ReferenceFile.big(key.count, 2) + key + ReferenceFile.big(7, 8)
        ends.append(index.count)
      }
      let file = index + [UInt8](repeating: 0xFF, count: byteCountAfter)
      for question in (0..<40).map({ _ in key() }) + keys {
        for goal in [FuseReader.SearchGoal.first, .firstOther] {
          let expected = keys.count { stored in
            stored.lexicographicallyPrecedes(question) || goal == .firstOther && stored.starts(with: question)
          }
          for most in [keys.count, expected, expected / 2] {
            var walk = EntryWalk(from: 0, until: index.count, in: file.rawSpan)
            let passed = walk.pass(before: SoughtKey(question.rawSpan, goal), atMost: most)
            let offset = walk.offset
            let count = min(expected, most)
            #expect(passed == count && offset == ends[count])
          }
        }
      }
    }
  }

  @Test func `passes over no key that is out of order, and none that runs past the index [I2] [I4]`() {
    let entries: [[UInt8]] = [[0, 1, 0x62], [0, 1, 0x61], [0, 2, 0x63, 0x63]].map { $0 + ReferenceFile.big(7, 8) }
    let question: [UInt8] = [0x7A]
    let disorder = entries[0] + entries[1]
    var walk = EntryWalk(from: 0, until: disorder.count, in: disorder.rawSpan)
    let overDisorder = walk.pass(before: SoughtKey(question.rawSpan, .first), atMost: 2)
    #expect(overDisorder == nil && walk.offset == entries[0].count)
    let cut = Array((entries[0] + entries[2]).dropLast())
    walk = EntryWalk(from: 0, until: cut.count, in: cut.rawSpan)
    let overEnd = walk.pass(before: SoughtKey(question.rawSpan, .first), atMost: 2)
    #expect(overEnd == nil && walk.offset == entries[0].count)
  }
}
