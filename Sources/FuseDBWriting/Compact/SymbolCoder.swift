internal import FuseDBCompact
internal import FuseDBFormat

/// A text of one to eight bytes: as a number, the first byte highest, and its length. It compares as texts do.
package struct SymbolText: Hashable, Comparable, Sendable {
  package let bits: UInt64
  package let byteCount: Int

  @inline(__always)
  package init(bits: UInt64, byteCount: Int) {
    self.bits = bits
    self.byteCount = byteCount
  }

  /// This text and another after it.
  /// - Precondition: both have one byte, and together no more than eight.
  @inline(__always)
  func followed(by other: SymbolText) -> SymbolText {
    SymbolText(bits: bits | other.bits &>> UInt64(8 &* byteCount), byteCount: byteCount &+ other.byteCount)
  }

  @inline(__always)
  package static func < (left: SymbolText, right: SymbolText) -> Bool {
    left.bits == right.bits ? left.byteCount < right.byteCount : left.bits < right.bits
  }

  /// The bits of the first bytes of a word.
  @inline(__always)
  static func mask(_ byteCount: Int) -> UInt64 { ~0 << UInt64(64 - 8 * byteCount) }
}

/// Writes texts by symbols: up to 255 texts of one to eight bytes, each of which is one byte; 255 stands before a byte that is none of
/// them. See spec/decisions/0041-compact.md.
package struct SymbolCoder: Sendable {
  /// What a text begins with.
  struct Token {
    let text: SymbolText
    /// Nil for a byte that is no symbol.
    let number: UInt8?
  }

  private struct Candidate {
    let bits: UInt64
    let mask: UInt64
    let byteCount: Int
    let number: UInt8
  }

  /// By their numbers.
  package let symbols: [SymbolText]
  /// All symbols by their first bytes, the longest first.
  private let candidates: [Candidate]
  /// Where those of each first byte begin, and where the last ones end.
  private let starts: [Int]

  /// - Precondition: the symbols are different, and no more than ``CompactForm/mostSymbols``.
  package init(_ symbols: [SymbolText]) {
    precondition(symbols.count <= CompactForm.mostSymbols, "a symbol's number is below 255")
    self.symbols = symbols
    var candidates: [Candidate] = []
    for (number, symbol) in symbols.enumerated() {
      candidates.append(
        Candidate(
          bits: symbol.bits, mask: SymbolText.mask(symbol.byteCount), byteCount: symbol.byteCount,
          number: UInt8(number)))
    }
    candidates.sort { left, right in
      let (first, second) = (left.bits >> 56, right.bits >> 56)
      return first == second ? left.byteCount > right.byteCount : first < second
    }
    var starts = [Int](repeating: 0, count: 257)
    for candidate in candidates { starts[Int(candidate.bits >> 56) + 1] += 1 }
    for byte in 1...256 { starts[byte] += starts[byte - 1] }
    self.candidates = candidates
    self.starts = starts
  }

  /// The longest symbol that `text` has at an offset, or the byte that is there.
  /// - Precondition: the range is not empty, and lies inside the bytes.
  @inline(__always)
  func token(at range: Range<Int>, of bytes: RawSpan) -> Token {
    let word = Self.word(at: range.lowerBound, of: bytes)
    let left = range.count
    let first = Int(truncatingIfNeeded: word &>> 56)
    for place in starts[first]..<starts[first + 1] {
      let candidate = candidates[place]
      if (word ^ candidate.bits) & candidate.mask == 0, candidate.byteCount <= left {
        return Token(
          text: SymbolText(bits: candidate.bits, byteCount: candidate.byteCount), number: candidate.number)
      }
    }
    return Token(text: SymbolText(bits: word & 0xFF << 56, byteCount: 1), number: nil)
  }

  /// Eight bytes, or those that are there and zeros.
  @inline(__always)
  private static func word(at offset: Int, of bytes: RawSpan) -> UInt64 {
    if let word = bytes.load(at: offset, as: UInt64.self) { return word }
    var word: UInt64 = 0
    for place in 0..<min(8, bytes.byteCount - offset) {
      word |= UInt64(bytes.loadInside(at: offset + place, as: UInt8.self)) << UInt64(56 - 8 * place)
    }
    return word
  }

  /// Writes a part of `bytes` into `out`, from its start on.
  ///
  /// - Parameter out: has one byte more than `most`.
  /// - Returns: how many bytes it took; nil where it would take more than `most`.
  @inline(__always)
  package func code(_ range: Range<Int>, of bytes: RawSpan, into out: inout [UInt8], atMost most: Int) -> Int? {
    var at = range.lowerBound
    var count = 0
    while at < range.upperBound {
      guard count < most else { return nil }
      let token = token(at: at..<range.upperBound, of: bytes)
      if let number = token.number {
        out[count] = number
        count &+= 1
      } else {
        out[count] = CompactForm.escape
        out[count &+ 1] = UInt8(truncatingIfNeeded: token.text.bits &>> 56)
        count &+= 2
      }
      at &+= token.text.byteCount
    }
    return count <= most ? count : nil
  }
}

extension SymbolCoder {
  /// The section of the symbols.
  package var sectionBytes: [UInt8] {
    var out: [UInt8] = []
    for symbol in symbols {
      out.append(UInt8(symbol.byteCount))
      out.append(bigEndian: symbol.bits)
    }
    return out
  }
}
