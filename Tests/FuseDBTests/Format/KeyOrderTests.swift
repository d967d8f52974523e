import Testing

import FuseDB

struct `The order of keys [I4]` {
  /// Pairs of every two lengths up to 40 that are equal, or differ in one place, up or down.
  private static func forEachPair(_ body: ([UInt8], [UInt8]) -> Void) {
    for left in 0...40 {
      for right in 0...40 {
        let first = (0..<left).map { UInt8(truncatingIfNeeded: 0x7E + $0 % 3) }
        let second = (0..<right).map { UInt8(truncatingIfNeeded: 0x7E + $0 % 3) }
        body(first, second)
        for place in 0..<min(left, right) {
          // 0x00 and 0xFF show whether bytes are compared unsigned.
          for byte: UInt8 in [0x00, 0x7F, 0x80, 0xFF] {
            var changed = second
            changed[place] = byte
            body(first, changed)
          }
        }
      }
    }
  }

  private static func sign(_ number: Int) -> Int { number.signum() }

  private static func model(_ left: [UInt8], _ right: [UInt8]) -> Int {
    Key(left) < Key(right) ? -1 : left == right ? 0 : 1
  }

  @Test func `compare and equals agree with a model at all lengths to 40 and all places`() {
    var wrong = 0
    var pairs = 0
    Self.forEachPair { left, right in
      pairs += 1
      let expected = Self.model(left, right)
      if left.rawSpan.compare(right.rawSpan).signum() != expected { wrong += 1 }
      if right.rawSpan.compare(left.rawSpan).signum() != -expected { wrong += 1 }
      if left.rawSpan.equals(right.rawSpan) != (expected == 0) { wrong += 1 }
    }
    #expect(wrong == 0)
    #expect(pairs > 80_000)
  }

  @Test func `isAscending agrees with the model, wherever in the buffer the two keys stand`() {
    var wrong = 0
    Self.forEachPair { left, right in
      let expected = Self.model(left, right) < 0
      let gap = (left.count + right.count) % 5
      // The later key ends with the buffer, where 16 bytes at once would read beyond it.
      let atEnd = left + [UInt8](repeating: 0xAA, count: gap) + right
      if atEnd.rawSpan.isAscending(0..<left.count, left.count + gap..<atEnd.count) != expected { wrong += 1 }
      let swapped = right + [UInt8](repeating: 0xAA, count: gap) + left
      if swapped.rawSpan.isAscending(right.count + gap..<swapped.count, 0..<right.count) != expected { wrong += 1 }
      // The same with 16 bytes and more after both, which must not matter; equal bytes there would mislead a careless comparison.
      for filler: UInt8 in [0x00, 0x7F, 0xFF] {
        let tail = [UInt8](repeating: filler, count: 16)
        let inside = left + tail + right + tail
        let second = left.count + 16..<left.count + 16 + right.count
        if inside.rawSpan.isAscending(0..<left.count, second) != expected { wrong += 1 }
      }
    }
    #expect(wrong == 0)
  }

  @Test func `of two keys in one index does not depend on what follows the shorter`() {
    // "ab" followed by bytes that continue like "abc", and by ones that do not.
    for tail in ["c", "b", "d", "\u{0}"] {
      let bytes =
        [UInt8]("ab".utf8) + [UInt8](tail.utf8) + [UInt8](repeating: 0x20, count: 16) + [UInt8]("abc".utf8)
        + [UInt8](repeating: 0x20, count: 16)
      let ascends = bytes.rawSpan.isAscending(0..<2, 19..<22)
      let descends = bytes.rawSpan.isAscending(19..<22, 0..<2)
      #expect(ascends)
      #expect(!descends)
    }
  }

  @Test func `is that of the specification's example`() {
    let keys = [Key(""), Key("a"), Key([0x61, 0]), Key("ab"), Key("b"), Key([0xFF])]
    for (left, right) in zip(keys, keys.dropFirst()) {
      let order = left.bytes.rawSpan.compare(right.bytes.rawSpan)
      #expect(order < 0, "\(left) \(right)")
    }
  }

  @Test func `long keys that differ late, or only in length, are told apart`() {
    for length in [100, 1000, 65_535] {
      let key = [UInt8](repeating: 0xFF, count: length)
      let shorter = [UInt8](repeating: 0xFF, count: length - 1)
      var smaller = key
      smaller[length - 1] = 0xFE
      let results = [
        shorter.rawSpan.compare(key.rawSpan).signum(), smaller.rawSpan.compare(key.rawSpan).signum(),
        smaller.rawSpan.compare(shorter.rawSpan).signum(), key.rawSpan.compare(key.rawSpan),
      ]
      #expect(results == [-1, -1, 1, 0])
    }
  }

  @Test func `big-endian integers load from any address, and not beyond the end [B1]`() {
    let bytes = (1...40).map { UInt8($0 * 5) }
    for offset in -2...42 {
      let loaded = [
        bytes.rawSpan.load(at: offset, as: UInt8.self).map(UInt64.init),
        bytes.rawSpan.load(at: offset, as: UInt16.self).map(UInt64.init),
        bytes.rawSpan.load(at: offset, as: UInt32.self).map(UInt64.init),
        bytes.rawSpan.load(at: offset, as: UInt64.self),
      ]
      let expected = [1, 2, 4, 8].map { offset < 0 || offset + $0 > 40 ? nil : bytes.number(at: offset, $0) }
      #expect(loaded == expected)
    }
    let none = bytes.rawSpan.load(at: .max, as: UInt64.self)
    #expect(none == nil)
  }
}
