extension [UInt8] {
  /// The bytes that `hex` spells. Spaces and line ends between digits say nothing.
  init(hex: String) {
    let digits = hex.compactMap(\.hexDigitValue)
    precondition(digits.count.isMultiple(of: 2), "an odd number of digits: \(hex)")
    self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
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
    for i in 0..<T.bitWidth / 8 { self[offset + i] = UInt8(truncatingIfNeeded: value >> T(T.bitWidth - 8 - 8 * i)) }
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
    for byte in self[offset..<offset + byteCount] { value = value << 8 | UInt64(byte) }
    return value
  }
}

/// A byte string as the keys of a database are: ordered by their bytes, unsigned, the shorter first.
struct Key: Hashable, Comparable, CustomStringConvertible {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }
  init(_ text: String) { bytes = [UInt8](text.utf8) }

  static func < (left: Key, right: Key) -> Bool {
    for (l, r) in zip(left.bytes, right.bytes) where l != r { return l < r }
    return left.bytes.count < right.bytes.count
  }

  var description: String { bytes.count > 40 ? "\(bytes.count) bytes" : bytes.hex }
}
