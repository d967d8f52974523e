import CFuseChecksum
import CZlib
import ProgramSupport
import Testing

import FuseDB

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

  @Test func `put together from those of its parts, empty ones among them, is that of the whole`() {
    var random = SeededRandom.announced()
    for _ in 0..<50 {
      let bytes = random.bytes(random.below(3000))
      let cuts = ([0, bytes.count] + (0..<random.below(4)).map { _ in random.below(bytes.count + 1) }).sorted()
      var whole = Checksum()
      for (start, end) in zip(cuts, cuts.dropFirst()) {
        whole.append(ReferenceFile.crc(bytes[start..<end]), byteCount: end - start)
      }
      #expect(whole.value == ReferenceFile.crc(bytes))
    }
  }

  @Test(arguments: [1, 2, 3]) func `taken by many threads is that of the model`(threadCount: Int) throws {
    var random = SeededRandom.announced()
    let bytes = random.bytes(5_000_003)
    let folder = try TemporaryFolder()
    let mapping = try FileMapping(path: folder.write(bytes))
    for range in [0..<0, 7..<8, 40..<bytes.count, 0..<1 << 20, 1..<1 << 20 + 1, 0..<3 << 20] {
      let found = Checksum.of(range, in: mapping, threadCount: threadCount)
      #expect(found == ReferenceFile.crc(bytes[range]), "\(range)")
    }
  }

  @Test(arguments: [(0, "0x00000000"), (0xA7FA_5365, "0xa7fa5365"), (0xF, "0x0000000f"), (.max, "0xffffffff")])
  func `is shown with all its digits`(value: UInt32, text: String) { #expect(value.hexadecimal == text) }

  /// zlib takes a byte more each time, so that its checksums of all lengths cost one pass.
  @Test(arguments: [32, 64]) func `is zlib's of every length and alignment, however many bytes go at once`(width: Int32)
    throws
  {
    var random = SeededRandom.announced()
    let bytes = random.bytes(4096 + 64)
    // As the system lists what the processor has; without it, the library's own way is compared.
    let flags = try String(decoding: contents("/proc/cpuinfo"), as: UTF8.self)
    let canMiddle = flags.contains("vpclmulqdq") && flags.contains("avx2")
    let canDo = width == 32 ? canMiddle : canMiddle && flags.contains("avx512bw") && flags.contains("avx512vl")
    for start in 0..<64 {
      for before: UInt32 in [0, 0x9E37_79B9] {
        var expected = UInt(before)
        for length in 0...4096 {
          let isRight = unsafe bytes.withUnsafeBytes { bytes in
            let first = unsafe bytes.baseAddress! + start
            if length > 0 {
              expected = unsafe crc32(expected, (first + length - 1).assumingMemoryBound(to: UInt8.self), 1)
            }
            var found = before
            let isDone = unsafe fuse_crc32_by(width, &found, first, length) == 1
            guard isDone == (canDo && length >= 64) else { return false }
            return unsafe (!isDone || found == expected) && fuse_crc32(before, first, length) == UInt32(expected)
          }
          guard isRight else {
            Issue.record("\(length) bytes from \(start) on")
            return
          }
        }
      }
    }
  }

  @Test func `of four bytes and some others is zlib's of every length and alignment`() {
    var random = SeededRandom.announced()
    let bytes = random.bytes(1024)
    for start in 32..<96 {
      let four = UInt32(truncatingIfNeeded: start &* 0x9E37_79B9)
      for length in 0...600 {
        let isRight = unsafe bytes.withUnsafeBytes { bytes in
          let first = unsafe bytes.baseAddress! + start
          var expected = unsafe withUnsafeBytes(of: four.littleEndian) { unsafe fuse_crc32(0, $0.baseAddress, 4) }
          if length > 0 { expected = unsafe fuse_crc32(expected, first, length) }
          return unsafe fuse_crc32_after(four, first, length) == expected
        }
        guard isRight else {
          Issue.record("\(length) bytes from \(start) on")
          return
        }
      }
    }
  }
}
