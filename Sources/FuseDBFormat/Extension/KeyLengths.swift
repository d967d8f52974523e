/// The section `KLEN`: which lengths the keys of a file have, so that a search for the longest match asks for those alone. See
/// spec/matches.md §5.
///
///     var lengths = KeyLengths()
///     lengths.add("*.example.com".keyBytes)
///     lengths.bytes.count   // 136
package struct KeyLengths: Equatable, Sendable {
  /// How a key covers names.
  package enum Form: Int, Sendable, CaseIterable {
    /// A name as it is.
    case plain = 0
    /// A name after `.`.
    case dotted = 1
    /// A name after `*.`.
    case wild = 2

    /// The bytes before the name.
    @inlinable package var mark: Int { rawValue }

    /// The form of a key.
    package init(of key: RawSpan) {
      let dot = UInt8(ascii: ".")
      let first = key.load(at: 0, as: UInt8.self)
      if first == dot {
        self = .dotted
      } else if first == UInt8(ascii: "*"), key.load(at: 1, as: UInt8.self) == dot {
        self = .wild
      } else {
        self = .plain
      }
    }
  }

  /// Where things stand among the section's words of 64 bits.
  @usableFromInline package enum Word {
    /// The numbers of dots in names, a word for each form.
    @inlinable package static var dots: Int { 0 }
    /// What else is known of the keys.
    @inlinable package static var flags: Int { 3 }
    /// The lengths of names, four words for each form.
    @inlinable package static var names: Int { 4 }
    /// The lengths of keys.
    @inlinable package static var keys: Int { 16 }
  }

  /// The longest name that is asked for.
  @inlinable package static var nameByteCount: Int { 253 }
  /// So many dots, and more, count as one.
  @inlinable package static var mostDots: Int { 63 }
  /// The flag of a file in which a key has an `@`.
  package static let hasAt: UInt64 = 1
  private static let mostWords = Word.keys + (FormatLimits.keyByteCount + 64) / 64
  /// The longest section.
  package static let mostBytes = 8 * mostWords

  /// The section's words. A number *n* in a set is bit *n* mod 64 of its word *n* / 64.
  package private(set) var words = [UInt64](repeating: 0, count: Word.keys)

  /// Those of no key.
  package init() {}

  /// Adds a key.
  package mutating func add(_ key: RawSpan) {
    let word = Word.keys + key.byteCount / 64
    while words.count <= word { words.append(0) }
    words[word] |= 1 << UInt64(key.byteCount % 64)
    if words[Word.flags] == 0, key.count(of: UInt8(ascii: "@")) > 0 { words[Word.flags] = Self.hasAt }
    let form = Form(of: key)
    let length = key.byteCount - form.mark
    guard length <= Self.nameByteCount else { return }
    let dots = key.count(of: UInt8(ascii: ".")) - min(form.mark, 1)
    words[Word.dots + form.rawValue] |= 1 << UInt64(min(dots, Self.mostDots))
    words[Word.names + 4 * form.rawValue + length / 64] |= 1 << UInt64(length % 64)
  }

  /// The section's bytes.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 * words.count)
    for word in words { for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * byte))) } }
    return bytes
  }

  /// Reads a section and compares its checksum. [Q9] [Q10]
  ///
  /// - Parameter offset: where the section begins in the file.
  package init(parsing section: RawSpan, checksum: UInt32, at offset: Int) throws(FuseError) {
    guard section.byteCount >= 8 * Word.keys, section.byteCount <= Self.mostBytes, section.byteCount % 8 == 0 else {
      throw .corrupted(
        "the section of key lengths has \(counted(section.byteCount, "byte")), which is no length of it", at: offset)
    }
    let found = Checksum.of(section)
    guard found == checksum else {
      throw .corrupted(
        "the section of key lengths has checksum \(found.hexadecimal) and the directory says \(checksum.hexadecimal)",
        at: offset)
    }
    words = (0..<section.byteCount / 8).map { section.loadInside(at: 8 * $0, as: UInt64.self).byteSwapped }
  }
}
