internal import FuseDBFormat

extension FuseStore {
  /// The SHA-256 of an object's contents: what an object is called. `sha256sum` prints the same. [SK1]
  public struct ObjectID: Hashable, Sendable, Comparable, BitwiseCopyable, CustomStringConvertible {
    // The digest's bytes, eight at a time, in the order of memory.
    var first, second, third, fourth: UInt64

    /// How many bytes it has.
    public static let byteCount = 32

    /// The 32 bytes from `offset` on; nil where they are not there.
    package init?(_ bytes: RawSpan, at offset: Int = 0) {
      guard let first = bytes.load(at: offset, as: UInt64.self),
        let second = bytes.load(at: offset + 8, as: UInt64.self),
        let third = bytes.load(at: offset + 16, as: UInt64.self),
        let fourth = bytes.load(at: offset + 24, as: UInt64.self)
      else { return nil }
      (self.first, self.second) = (first.bigEndian, second.bigEndian)
      (self.third, self.fourth) = (third.bigEndian, fourth.bigEndian)
    }

    /// What 64 hexadecimal digits spell; nil for anything else.
    public init?(_ text: some StringProtocol) {
      let digits = Array(text.utf8)
      guard digits.count == 2 * Self.byteCount else { return nil }
      var bytes: [UInt8] = []
      for place in stride(from: 0, to: digits.count, by: 2) {
        guard let high = Hexadecimal.value(digits[place]), let low = Hexadecimal.value(digits[place + 1]) else {
          return nil
        }
        bytes.append(high << 4 | low)
      }
      self.init(bytes.rawSpan)
    }

    /// The digest's bytes.
    public var bytes: [UInt8] {
      [first, second, third, fourth].flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: word.bigEndian >> (56 - 8 * $0)) }
      }
    }

    /// 64 hexadecimal digits.
    public var description: String { Hexadecimal.text(of: bytes) }

    /// By the bytes, as an index has them in order.
    public static func < (left: ObjectID, right: ObjectID) -> Bool {
      if left.first != right.first { return left.first.bigEndian < right.first.bigEndian }
      if left.second != right.second { return left.second.bigEndian < right.second.bigEndian }
      if left.third != right.third { return left.third.bigEndian < right.third.bigEndian }
      return left.fourth.bigEndian < right.fourth.bigEndian
    }
  }
}

/// Bytes as digits, two each.
enum Hexadecimal {
  static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  static func text(of bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// So many random digits, for names that nobody else chooses.
  static func random(_ count: Int) -> String {
    String(decoding: (0..<count).map { _ in Array("0123456789abcdef".utf8)[Int.random(in: 0..<16)] }, as: UTF8.self)
  }
}
