import ProgramSupport
import Testing

@testable import FuseDBReading

import FuseDB

@safe
struct `A bucket of the hash index` {
  /// Calls `body` with 64 zeros, aligned as buckets are.
  private static func withBucket(_ body: (UnsafeMutableRawPointer) -> Void) {
    let bucket = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
    unsafe bucket.initializeMemory(as: UInt8.self, repeating: 0, count: 64)
    unsafe body(bucket)
    unsafe bucket.deallocate()
  }

  private static func slots(_ tag: UInt16, _ bucket: UnsafeMutableRawPointer) -> [Int] {
    var matches = unsafe Bucket.matches(tag, in: bucket)
    var slots: [Int] = []
    while let slot = Bucket.next(&matches) { slots.append(slot) }
    return slots
  }

  static let offsets: [Int] = {
    let powers: [Int] = (0...48).map { 1 << $0 }
    let around: [Int] = powers.map { $0 - 1 } + powers + powers.map { $0 + 1 }
    return around.filter { $0 <= 0xFFFF_FFFF_FFFF } + [0x1234_5678_9ABC]
  }()

  @Test(arguments: 0..<8) func `keeps every offset to 2^48 - 1 in every slot [L5]`(slot: Int) {
    unsafe Self.withBucket { bucket in
      for offset in Self.offsets {
        unsafe Bucket.fill(slot, of: bucket, tag: 0xBEEF, offset: offset)
        let read = unsafe Bucket.offset(slot, in: bucket)
        #expect(read == offset)
      }
    }
    #expect(Bucket.largestOffset == 0xFFFF_FFFF_FFFF)
    #expect(Self.offsets.contains(Bucket.largestOffset))
  }

  @Test func `agrees with a list of tags and offsets, whichever slots are filled`() {
    var random = SeededRandom.announced()
    for _ in 0..<2000 {
      var model: [(tag: UInt16, offset: Int)] = []
      let choices: [UInt16] = [
        1, 2, 0x00FF, 0x0100, 0x0101, 0x8000, 0x7FFF, 0xFFFF, UInt16(truncatingIfNeeded: random.next() | 1),
      ]
      unsafe Self.withBucket { bucket in
        for slot in 0..<random.below(9) {
          let row = (tag: random.element(choices), offset: Int(random.next() & 0xFFFF_FFFF_FFFF))
          unsafe Bucket.fill(slot, of: bucket, tag: row.tag, offset: row.offset)
          model.append(row)
        }
        for tag in choices {
          let found = unsafe Self.slots(tag, bucket)
          #expect(found == model.indices.filter { model[$0].tag == tag })
        }
        for slot in model.indices {
          let offset = unsafe Bucket.offset(slot, in: bucket)
          #expect(offset == model[slot].offset)
        }
        let free = unsafe Self.slots(0, bucket)
        let isFull = unsafe Bucket.isFull(bucket)
        #expect(free == Array(model.count..<8))
        #expect(isFull == (model.count == 8))
      }
    }
  }

  @Test func `has the layout of a cache line: eight tags, then eight offsets, big-endian`() {
    unsafe Self.withBucket { bucket in
      for slot in 0..<8 {
        unsafe Bucket.fill(slot, of: bucket, tag: 0xA0B0 + UInt16(slot), offset: 0x0102_0304_0500 + slot)
      }
      let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: bucket, count: 64))
      for slot in 0..<8 {
        #expect(bytes.number(at: 2 * slot, 2) == UInt64(0xA0B0 + slot))
        #expect(bytes.number(at: 16 + 6 * slot, 6) == UInt64(0x0102_0304_0500 + slot))
      }
    }
  }

  @Test func `never tags a taken slot as free`() {
    #expect(Bucket.tag(of: 0) == 1)
    #expect(Bucket.tag(of: 0xFFFF_FFFF_FFFF_0000) == 1)
    for low in 1...UInt64(UInt16.max) where Bucket.tag(of: 0xABCD_0000_0000_0000 | low) != UInt16(low) {
      Issue.record("the tag of \(low) is another")
    }
  }
}
