public import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// One thing that is wrong with a file.
public struct Damage: Sendable, Hashable, CustomStringConvertible {
  /// Which rule of the format is broken. See spec/format.md §10.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// The file does not begin with "FSDB".
    case magic
    /// The format's version is neither 2 nor 3.
    case version
    /// A field of the header holds what it cannot hold.
    case header
    /// The header counts more or fewer keys or objects than there are.
    case count
    /// The bytes after the header differ from their checksum.
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
    /// A key points at an offset where no record begins.
    case keyTarget
    /// Bytes follow the last index entry.
    case trailingBytes
    /// The file ends before its content.
    case truncated
    /// The footer of the extension block breaks its rules. See spec/extension.md §10.
    case footer
    /// The header differs from the checksum in the footer.
    case headerChecksum
    /// The directory of the extension block breaks its rules.
    case directory
    /// A byte between two sections is not zero.
    case padding
    /// A section differs from its checksum.
    case sectionChecksum
    /// The hash section does not lead to the keys of the index.
    case hash
    /// The order section does not say where the strides of the index begin, or their checksums.
    case order
    /// The metadata are no map with names.
    case metadata
    /// The section of networks is not what the keys make of it. See spec/network.md §7.
    case network
    /// The section of key lengths is not what the keys make of it. See spec/matches.md.
    case lengths
    /// The reverse index is not what the keys make of it. See spec/reverse.md §6.
    case reverse
    /// Of a compact file: a block of keys is not what was written, or breaks its rules. See spec/compact.md.
    case keyBlock
    /// Of a compact file: a shape or a part is not what was written, or breaks its rules.
    case sharedValue
    /// Of a set of shards: the manifest is damaged; a shard is missing, or another file; or a key stands in a shard that it does not belong to. See
    /// spec/sharding.md.
    case shard
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

/// What verification found, without the single damages.
public struct VerificationSummary: Sendable, Hashable {
  /// The file.
  public var path: String
  /// The file's length.
  public var byteCount = 0
  /// Index entries found; at level ``VerificationLevel/checksums``, as many as the header says.
  public var keyCount = 0
  /// Records found.
  public var objectCount = 0
  /// How many damages were found.
  public var damageCount = 0

  /// Whether nothing is wrong.
  public var isSound: Bool { damageCount == 0 }
}

/// What ``FuseReader/verify(path:level:progress:)`` found.
public struct VerificationReport: Sendable {
  /// The file, and what was counted.
  public var summary: VerificationSummary
  /// All that is wrong, in the order of the file: its header, its checksum, its objects, its keys.
  public var damage: [Damage]

  /// The file.
  public var path: String { summary.path }
  /// The file's length.
  public var byteCount: Int { summary.byteCount }
  /// Index entries found; at level ``VerificationLevel/checksums``, as many as the header says.
  public var keyCount: Int { summary.keyCount }
  /// Records found.
  public var objectCount: Int { summary.objectCount }
  /// Whether nothing is wrong.
  public var isSound: Bool { damage.isEmpty }
}

extension FuseReader {
  /// Checks every byte of this reader's file, with all processors, and lists all damage, not only the first.
  ///
  /// - Parameters:
  ///   - level: how much is looked at.
  ///   - progress: called now and then with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` with code `truncated` when the file shrank meanwhile, `inputOutput` when memory is short.
  /// - Complexity: O(bytes of the file). Memory: one byte for each 64 bytes of the data section, and the list; where
  ///   a record's length is wrong, 8 bytes a key.
  public func verify(
    level: VerificationLevel = .full, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> VerificationReport {
    var list = DamageList()
    let summary = try verify(level: level, progress: progress) { list.append($0) }
    return VerificationReport(summary: summary, damage: list.damage)
  }

  /// Checks every byte of a file, also of one that cannot be opened, and lists all damage, not only the first.
  ///
  ///     let report = try FuseReader.verify(path: "geo.fsdb")
  ///     report.isSound                        // false
  ///     report.damage.first!.description      // "offset 52: objectChecksum: …"
  ///
  /// The list of a badly damaged file is long: a hole of a megabyte in the data section can be 131,072 damages. If you
  /// don't need all of it at once, use ``verify(path:level:progress:onDamage:)``.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - level: how much is looked at.
  ///   - progress: called now and then with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` with code `notFound` or `inputOutput` when the file cannot be read, `truncated` when it
  ///   shrank meanwhile.
  /// - Complexity: O(bytes of the file). Memory: one byte for each 64 bytes of the data section, and the list; where
  ///   a record's length is wrong, 8 bytes a key.
  public static func verify(
    path: String, level: VerificationLevel = .full, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> VerificationReport {
    var list = DamageList()
    let summary = try verify(path: path, level: level, progress: progress) { list.append($0) }
    return VerificationReport(summary: summary, damage: list.damage)
  }

  /// Checks every byte of a file, also of one that cannot be opened, and hands out each damage when it is found.
  ///
  ///     let summary = try FuseReader.verify(path: "geo.fsdb") { damage in print(damage) }
  ///     summary.isSound                       // false
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - level: how much is looked at.
  ///   - progress: called now and then with the share that is done, from 0 to 1.
  ///   - onDamage: called on this thread, in the order of the file: its header, its checksum, its objects, its keys. An
  ///     error that it throws ends the verification.
  /// - Throws: ``FuseError`` with code `notFound` or `inputOutput` when the file cannot be read, `truncated` when it
  ///   shrank meanwhile; what was handed out is then not all. And whatever `onDamage` throws.
  /// - Complexity: O(bytes of the file). Memory: one byte for each 64 bytes of the data section; where a record's
  ///   length is wrong, 8 bytes a key.
  public static func verify(
    path: String, level: VerificationLevel = .full, progress: ((Double) -> Void)? = nil,
    onDamage: @escaping (Damage) throws(FuseError) -> Void
  ) throws(FuseError) -> VerificationSummary {
    let mapping: FileMapping
    do {
      mapping = try FileMapping(path: path)
    } catch {
      if error.code == .notFound, error.errno == nil, let set = try SetPlace(path) {
        return try verify(set: set, level: level, progress: progress, onDamage: onDamage)
      }
      // An empty file can be read; there is nothing in it.
      guard error.code == .truncated else { throw error }
      try onDamage(Damage(kind: .truncated, offset: 0, message: error.message))
      return VerificationSummary(path: path, damageCount: 1)
    }
    return try Verifier.run(mapping, level: level, progress: progress, onDamage: onDamage)
  }
}

/// Damages in the order in which they come.
private struct DamageList {
  private(set) var damage: [Damage] = []

  mutating func append(_ next: Damage) {
    // A hole in a large file is millions of damages in the same words: they share one string.
    let known = damage.last?.message
    damage.append(Damage(kind: next.kind, offset: next.offset, message: known == next.message ? known! : next.message))
  }
}

/// How much verification looks at.
public enum VerificationLevel: Sendable, Hashable, CaseIterable {
  /// Everything: the header, all checksums, every object, every key and where it points, and every way that leads to it. A
  /// sound file keeps all rules of the format: no look-up of it goes wrong.
  case full
  /// The header, the file's checksum, each record's bounds and checksum, how many records there are, and the footer and
  /// directory of the block.
  ///
  /// It proves that the file is as it was written: no copy that was cut, no disk that changed a bit. It does not prove that
  /// it was written right. A file made by a faulty program or by an attacker passes under right checksums: with keys twice
  /// or out of order, keys that point nowhere, an index that calls keys absent that are there, or objects that are no
  /// MessagePack. Keys are not counted.
  case checksums
}
