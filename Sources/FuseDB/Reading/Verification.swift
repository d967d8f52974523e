/// One thing that is wrong with a file.
public struct Damage: Sendable, Hashable, CustomStringConvertible {
  /// Which rule of the format is broken. See spec/format.md §10.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// The file does not begin with "FSDB".
    case magic
    /// The format's version is not 2.
    case version
    /// A field of the header holds what it cannot hold.
    case header
    /// The header counts more or fewer keys or objects than there are.
    case count
    /// The bytes behind the header differ from their checksum.
    case fileChecksum
    /// A record runs past the end of the data section.
    case objectBounds
    /// An object's bytes differ from their checksum.
    case objectChecksum
    /// An object is not exactly one MessagePack value.
    case objectValue
    /// An index entry runs past the end of the file.
    case keyBounds
    /// A key does not come after the one before it.
    case keyOrder
    /// A key points at a place where no record begins.
    case keyTarget
    /// Bytes follow the last index entry.
    case trailingBytes
    /// The file ends before its content.
    case truncated
  }

  /// Which rule is broken.
  public var kind: Kind
  /// Where, in bytes from the start of the file.
  public var offset: UInt64
  /// What is wrong, as a sentence.
  public var message: String

  /// `offset n: kind: message`.
  public var description: String { "offset \(offset): \(kind.rawValue): \(message)" }
}

/// What ``FuseReader/verify(path:progress:)`` found.
public struct VerificationReport: Sendable {
  /// The file.
  public var path: String
  /// The file's length.
  public var byteCount = 0
  /// Index entries found.
  public var keyCount = 0
  /// Records found.
  public var objectCount = 0
  /// All that is wrong, in the order in which it was found.
  public var damage: [Damage] = []

  /// Whether nothing is wrong.
  public var isSound: Bool { damage.isEmpty }
}

extension FuseReader {
  /// Checks every byte of this reader's file and lists all damage, not only the first.
  ///
  /// - Throws: ``FuseError`` with code `truncated` when the file shrank meanwhile.
  /// - Complexity: O(bytes of the file); one bit of memory for each byte of the data section.
  public func verify(progress: ((Double) -> Void)? = nil) throws(FuseError) -> VerificationReport {
    try Verifier.report(on: mapping, progress: progress)
  }

  /// Checks every byte of a file, also of one that cannot be opened, and lists all damage, not only the first.
  ///
  ///     let report = try FuseReader.verify(path: "geo.fsdb")
  ///     report.isSound                        // false
  ///     report.damage.first!.description      // "offset 52: objectChecksum: …"
  ///
  /// - Parameter progress: called now and then with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` with code `notFound` or `inputOutput` when the file cannot be read, `truncated` when it
  ///   shrank meanwhile.
  /// - Complexity: O(bytes of the file); one bit of memory for each byte of the data section.
  public static func verify(
    path: String, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> VerificationReport {
    let mapping: FileMapping
    do {
      mapping = try FileMapping(path: path)
    } catch {
      // An empty file can be read; there is nothing in it.
      guard error.code == .truncated else { throw error }
      return VerificationReport(
        path: path, damage: [Damage(kind: .truncated, offset: 0, message: error.message)])
    }
    return try Verifier.report(on: mapping, progress: progress)
  }
}
