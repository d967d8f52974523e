internal import FuseDBFormat

// SAFETY: the memory has `Word.keys` words and as many as `longest` needs, is written to by its owner's initialiser alone, and stays as
// long as this table, which keeps the owner. Lengths of names are below 256, numbers of dots are cut to 63.
/// Which lengths the keys of a file may have.
///
/// It is a copy of the section, compared with its checksum, so that what becomes of the file later can hide no key.
@safe
@usableFromInline
struct KeyLengthTable: Sendable {
  private nonisolated(unsafe) let words: UnsafePointer<UInt64>
  private let memory: Memory
  /// No key is longer.
  let longest: Int

  /// Of a file that does not say it: any.
  static let unknown = KeyLengthTable(
    words: [UInt64](repeating: ~0, count: KeyLengths.mostBytes / 8), longest: FormatLimits.keyByteCount)

  /// Those that a section names.
  init(_ lengths: KeyLengths) {
    let words = lengths.words
    let last = words.indices.dropFirst(KeyLengths.Word.keys).last { words[$0] != 0 }
    self.init(
      words: words,
      longest: last.map { 64 * ($0 - KeyLengths.Word.keys) + 63 - words[$0].leadingZeroBitCount } ?? -1)
  }

  private init(words: [UInt64], longest: Int) {
    memory = Memory(words)
    unsafe self.words = UnsafePointer(memory.start)
    self.longest = longest
  }

  /// Whether a key may have so many bytes.
  @inline(__always)
  func has(_ length: Int) -> Bool {
    guard length <= longest else { return false }
    return unsafe words[KeyLengths.Word.keys &+ length &>> 6] &>> UInt64(length & 63) & 1 != 0
  }

  /// The greatest length, at most `length`, that a key may have.
  @inline(__always)
  func longest(atMost length: Int) -> Int? {
    let length = min(length, longest)
    guard length >= 0 else { return nil }
    var word = length &>> 6
    var bits = unsafe words[KeyLengths.Word.keys &+ word] & ~0 &>> UInt64(63 &- length & 63)
    while bits == 0 {
      guard word > 0 else { return nil }
      word &-= 1
      bits = unsafe words[KeyLengths.Word.keys &+ word]
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
    let plain = has(0, length, dots)
    let dotted = has(1, length, dots) &<< 1
    return isWhole ? plain | dotted : has(2, length, dots) | dotted | plain &<< 2
  }

  @inline(__always)
  private func has(_ form: Int, _ length: Int, _ dots: Int) -> UInt64 {
    let lengths = unsafe words[KeyLengths.Word.names &+ 4 &* form &+ length &>> 6]
    let counts = unsafe words[KeyLengths.Word.dots &+ form]
    return lengths &>> UInt64(length & 63) & counts &>> UInt64(min(dots, KeyLengths.mostDots)) & 1
  }

  /// Whether a key may have an `@`.
  @inline(__always)
  var hasAddresses: Bool { unsafe words[KeyLengths.Word.flags] & KeyLengths.hasAt != 0 }

  @safe
  private final class Memory: Sendable {
    nonisolated(unsafe) let start: UnsafeMutablePointer<UInt64>

    init(_ words: [UInt64]) {
      unsafe start = .allocate(capacity: words.count)
      for (number, word) in words.enumerated() { unsafe (start + number).initialize(to: word) }
    }

    deinit { unsafe start.deallocate() }
  }
}
