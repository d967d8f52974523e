internal import FuseDBFormat

// SAFETY: the memory has `Word.keys` words and as many as `longest` needs, is written to by its initialiser alone, and stays as long as it,
// which whoever has a table keeps. Lengths of names are below 256.
/// Which lengths the keys of a file may have.
///
/// It is a copy of the section, compared with its checksum, so that what becomes of the file later can hide no key. A table keeps nothing
/// alive, so that a look-up counts no reference.
@safe
@usableFromInline
struct KeyLengthTable: Sendable {
  private nonisolated(unsafe) let words: UnsafePointer<UInt64>
  /// No key is longer.
  let longest: Int
  /// The numbers of dots in names of plain keys, as the section has them.
  private let plainDots: UInt64
  /// The same of all other keys.
  private let markedDots: UInt64
  /// Whether a key may have an `@`.
  let hasAddresses: Bool

  /// - Parameter memory: is kept as long as the table.
  init(in memory: KeyLengthMemory) {
    unsafe words = UnsafePointer(memory.start)
    longest = memory.longest
    unsafe plainDots = words[Word.dots]
    unsafe markedDots = words[Word.dots + 1] | words[Word.dots + 2]
    hasAddresses = unsafe words[Word.flags] & KeyLengths.hasAt != 0
  }

  /// Whether a key may have so many bytes.
  @inline(__always)
  func has(_ length: Int) -> Bool {
    guard length <= longest else { return false }
    return unsafe words[Word.keys &+ length &>> 6] &>> UInt64(length & 63) & 1 != 0
  }

  /// The greatest length, at most `length`, that a key may have.
  @inline(__always)
  func longest(atMost length: Int) -> Int? {
    let length = min(length, longest)
    guard length >= 0 else { return nil }
    var word = length &>> 6
    var bits = unsafe words[Word.keys &+ word] & ~0 &>> UInt64(63 &- length & 63)
    while bits == 0 {
      guard word > 0 else { return nil }
      word &-= 1
      bits = unsafe words[Word.keys &+ word]
    }
    return 64 &* word &+ 63 &- bits.leadingZeroBitCount
  }

  /// The forms of keys that may cover a name, in the order in which they answer, a bit each: of the name that is asked for, itself
  /// and `.x`; of names above it, `*.x`, `.x` and `x`. [Q3]
  ///
  /// - Parameters:
  ///   - length: bytes of the name, at most 255.
  ///   - dots: dots in it.
  @inline(__always)
  func forms(nameLength length: Int, dots: Int, isWhole: Bool) -> UInt64 {
    let dot = UInt64(truncatingIfNeeded: min(dots, 63))
    let plain = has(0, length) & plainDots &>> dot & 1
    guard markedDots &>> dot & 1 != 0 else { return isWhole ? plain : plain &<< 2 }
    let dotted = unsafe has(1, length) & words[Word.dots &+ 1] &>> dot & 1
    let wild = unsafe has(2, length) & words[Word.dots &+ 2] &>> dot & 1
    return isWhole ? plain | dotted &<< 1 : wild | dotted &<< 1 | plain &<< 2
  }

  @inline(__always)
  private func has(_ form: Int, _ length: Int) -> UInt64 {
    unsafe words[Word.names &+ 4 &* form &+ length &>> 6] &>> UInt64(length & 63)
  }

  /// Where the sets are, as constants of this module: a property of another is a call.
  private enum Word {
    static let dots = 0
    static let flags = 3
    static let names = 4
    static let keys = 16
  }
}

/// The words of a ``KeyLengthTable``.
@safe
final class KeyLengthMemory: Sendable {
  // SAFETY: written to by the initialiser alone.
  fileprivate nonisolated(unsafe) let start: UnsafeMutablePointer<UInt64>
  fileprivate let longest: Int

  /// Of a file that does not say it: any.
  static let unknown = KeyLengthMemory([UInt64](repeating: ~0, count: KeyLengths.mostBytes / 8))

  /// Those that a section names.
  convenience init(_ lengths: KeyLengths) { self.init(lengths.words) }

  private init(_ words: [UInt64]) {
    unsafe start = .allocate(capacity: words.count)
    for (number, word) in words.enumerated() { unsafe (start + number).initialize(to: word) }
    let last = words.indices.dropFirst(KeyLengths.Word.keys).last { words[$0] != 0 }
    longest = last.map { 64 * ($0 - KeyLengths.Word.keys) + 63 - words[$0].leadingZeroBitCount } ?? -1
  }

  deinit { unsafe start.deallocate() }
}
