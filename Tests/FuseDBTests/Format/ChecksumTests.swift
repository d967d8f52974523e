import Testing

@testable import FuseDB

struct `A checksum [B2]` {
  @Test func `of the nine bytes 123456789 is the check value`() {
    let bytes = [UInt8]("123456789".utf8)
    let found = Checksum.of(bytes.rawSpan)
    #expect(found == 0xCBF4_3926)
    #expect(ReferenceFile.bitwiseCRC(bytes) == 0xCBF4_3926)
    #expect(ReferenceFile.crc(bytes) == 0xCBF4_3926)
  }

  @Test func `of no bytes is zero`() {
    let none: [UInt8] = []
    let found = Checksum.of(none.rawSpan)
    #expect(found == 0)
    #expect(Checksum().value == 0)
  }

  @Test func `is that of a bitwise model, at every length and alignment`() {
    var random = SeededRandom.announced()
    let bytes = random.bytes(700)
    for start in 0..<17 {
      for length in Array(0...80) + [127, 128, 255, 256, 511, 512, 600] {
        let found = Checksum.of(bytes.rawSpan.extracting(start..<start + length))
        #expect(found == ReferenceFile.bitwiseCRC(bytes[start..<start + length]), "\(length) bytes from \(start) on")
      }
    }
  }

  @Test func `of a long buffer is that of the model`() {
    var random = SeededRandom.announced()
    let bytes = random.bytes(100_003)
    let found = Checksum.of(bytes.rawSpan)
    #expect(found == ReferenceFile.bitwiseCRC(bytes))
  }

  @Test func `taken in parts, empty ones among them, is that of the whole`() {
    var random = SeededRandom.announced()
    for _ in 0..<50 {
      let bytes = random.bytes(random.below(300))
      var checksum = Checksum()
      var start = 0
      while start < bytes.count {
        let end = min(bytes.count, start + random.below(40))
        checksum.update(bytes.rawSpan.extracting(start..<end))
        start = end
      }
      let none: [UInt8] = []
      checksum.update(none.rawSpan)
      #expect(checksum.value == ReferenceFile.crc(bytes))
    }
  }

  @Test(arguments: [(0, "0x00000000"), (0xA7FA_5365, "0xa7fa5365"), (0xF, "0x0000000f"), (.max, "0xffffffff")])
  func `is shown with all its digits`(value: UInt32, text: String) { #expect(value.hexadecimal == text) }
}
