import ProgramSupport
import Testing

import FuseDB

struct `A string of bytes` {
  @Test(arguments: [
    "", "a", "é", "e\u{301}", "\0", "🛰", "\u{FFFD}", "fifteen bytes..", "sixteen bytes...", "\u{10FFFF}\u{800}",
  ])
  func `is the text that they are in UTF-8`(text: String) {
    let bytes = Array(text.utf8)
    #expect(String(payload: bytes.rawSpan).map { Array($0.utf8) } == bytes)
  }

  @Test(arguments: [
    "ff", "80", "c3", "c328", "c080", "e282", "e28228", "eda080", "f0908d", "f4908080", "f8", "61ff62",
    "616161616161616161616161616161e2", "61616161616161616161616161616161f09f",
  ])
  func `is none when they are not UTF-8`(hex: String) {
    let bytes = [UInt8](hex: hex)
    #expect(String(payload: bytes.rawSpan) == nil)
  }

  @Test func `agrees with the check in place on random bytes`() {
    var random = SeededRandom.announced()
    let pieces = ["a", "é", "€", "🛰"].map { Array($0.utf8) }
    for _ in 0..<20_000 {
      // Long ones are checked in another way, from 257 bytes on.
      let count = random.below(20) == 0 ? 60 + random.below(120) : random.below(9)
      var bytes = (0..<count).flatMap { _ in random.element(pieces) }
      if !bytes.isEmpty, random.below(2) == 0 { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      #expect(String(payload: bytes.rawSpan).map { Array($0.utf8) } == (bytes.rawSpan.isUTF8 ? bytes : nil))
    }
  }
}
