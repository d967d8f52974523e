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
    public init?(_ text: some StringProtocol) { self.init(digits: text.utf8) }

    /// What 64 hexadecimal digits spell, as bytes of a text.
    init?(digits: some Sequence<UInt8>) {
      var words: [4 of UInt64] = [0, 0, 0, 0]
      var count = 0
      for digit in digits {
        guard count < 2 * Self.byteCount, let value = Hexadecimal.value(digit) else { return nil }
        words[count / 16] = words[count / 16] << 4 | UInt64(value)
        count += 1
      }
      guard count == 2 * Self.byteCount else { return nil }
      (first, second, third, fourth) = (
        words[0].bigEndian, words[1].bigEndian, words[2].bigEndian, words[3].bigEndian
      )
    }

    /// Zeros, to be filled in.
    init() { (first, second, third, fourth) = (0, 0, 0, 0) }

    /// The digest's bytes.
    public var bytes: [UInt8] {
      // SAFETY: the words are in the order of memory, without gaps; the array copies them.
      unsafe withUnsafeBytes(of: self) { unsafe Array($0) }
    }

    /// 64 hexadecimal digits.
    public var description: String {
      // SAFETY: two digits for each of the 32 bytes.
      unsafe String(unsafeUninitializedCapacity: 2 * Self.byteCount) { text in
        unsafe withUnsafeBytes(of: self) { bytes in
          for place in 0..<Self.byteCount {
            unsafe text[2 * place] = Hexadecimal.digit(bytes[place] >> 4)
            unsafe text[2 * place + 1] = Hexadecimal.digit(bytes[place] & 15)
          }
        }
        return 2 * Self.byteCount
      }
    }

    /// Appends 64 hexadecimal digits.
    func appendDigits(to text: inout [UInt8]) {
      // SAFETY: the words are in the order of memory, without gaps.
      unsafe withUnsafeBytes(of: self) { bytes in
        for place in 0..<Self.byteCount {
          unsafe text.append(Hexadecimal.digit(bytes[place] >> 4))
          unsafe text.append(Hexadecimal.digit(bytes[place] & 15))
        }
      }
    }

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

  static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
  }

  static func text(of bytes: [UInt8]) -> String {
    String(decoding: bytes.flatMap { [digit($0 >> 4), digit($0 & 15)] }, as: UTF8.self)
  }

  /// So many random digits, for names that nobody else chooses.
  static func random(_ count: Int) -> String {
    String(decoding: (0..<count).map { _ in digit(UInt8.random(in: 0..<16)) }, as: UTF8.self)
  }
}
