import Glibc

extension [UInt8] {
  /// The bytes that `hex` spells. Spaces and line ends between digits say nothing.
  init(hex: String) {
    let digits = hex.compactMap(\.hexDigitValue)
    precondition(digits.count.isMultiple(of: 2), "an odd number of digits: \(hex)")
    self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// `part` so many times, one after the other.
  init(_ part: [UInt8], times count: Int) {
    self = part
    while self.count < part.count * count { self += self }
    removeLast(self.count - part.count * count)
  }

  /// Two lower-case digits for each byte.
  var hex: String {
    var text = ""
    for byte in self { text += byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16) }
    return text
  }

  /// These bytes as one MessagePack value, of the format bin.
  var asBin: [UInt8] {
    var head: [UInt8] = [0xC6, 0, 0, 0, 0]
    head.put(UInt32(count), at: 1)
    return head + self
  }

  /// Puts a big-endian integer over the bytes at `offset`.
  mutating func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    put(UInt64(truncatingIfNeeded: value), byteCount: T.bitWidth / 8, at: offset)
  }

  /// Puts the lower bytes of `value`, the highest first, over those at `offset`.
  mutating func put(_ value: UInt64, byteCount: Int, at offset: Int) {
    // Plain loops here and below: these tests are not optimised, and make and take apart millions of numbers.
    var place = offset + byteCount
    var rest = value
    while place > offset {
      place -= 1
      self[place] = UInt8(rest & 0xFF)
      rest &>>= 8
    }
  }

  /// The same bytes with one bit the other way round; bits count from the lowest of the first byte.
  func flipping(bit: Int) -> [UInt8] {
    var copy = self
    copy[bit / 8] ^= 1 << UInt8(bit % 8)
    return copy
  }

  /// The unsigned big-endian integer of `byteCount` bytes at `offset`.
  func number(at offset: Int, _ byteCount: Int) -> UInt64 {
    var value: UInt64 = 0
    var place = offset
    while place < offset + byteCount {
      value = value &<< 8 | UInt64(self[place])
      place += 1
    }
    return value
  }
}

/// A byte string as the keys of a database are: ordered by their bytes, unsigned, the shorter first.
struct Key: Hashable, Comparable, CustomStringConvertible {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }
  init(_ text: String) { bytes = [UInt8](text.utf8) }

  // SAFETY: the calls read the bytes of arrays, and no more than both have.
  static func < (left: Key, right: Key) -> Bool {
    let difference = unsafe memcmp(left.bytes, right.bytes, min(left.bytes.count, right.bytes.count))
    return difference == 0 ? left.bytes.count < right.bytes.count : difference < 0
  }

  static func == (left: Key, right: Key) -> Bool {
    unsafe left.bytes.count == right.bytes.count && memcmp(left.bytes, right.bytes, left.bytes.count) == 0
  }

  func hash(into hasher: inout Hasher) { unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) } }

  var description: String { bytes.count > 40 ? "\(bytes.count) bytes" : bytes.hex }
}
