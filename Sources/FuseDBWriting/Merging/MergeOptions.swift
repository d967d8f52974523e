internal import FuseDBFormat
internal import FuseDBReading
public import FuseDBSystem
internal import FuseDBValues

/// How files are merged.
public struct MergeOptions: Sendable {
  /// Which object a key gets for which several files have different ones. Equal objects are no conflict.
  public enum ConflictPolicy: Sendable {
    /// The object of the file that is named last.
    case last
    /// The object of the file that is named first.
    case first
    /// ``FuseWriter/merge(_:to:options:progress:)`` throws ``FuseError/Code/duplicateKey``, naming the key and both files.
    case error
    /// What this function makes of the two objects; of more, it combines the outcome with the next, in the order of the
    /// files.
    case combine(Combiner)
  }

  /// What becomes of two objects under one key.
  public enum Combination: Sendable {
    /// The key gets the first of them,
    case first
    /// the second,
    case second
    /// or a new object: exactly one MessagePack value.
    case value([UInt8])
  }

  /// Decides between two different objects, in the order of their files.
  ///
  ///     options.onConflict = .combine { key, first, second in
  ///       var org = try FuseDecoder().decode(Org.self, from: first)
  ///       org.tags += try FuseDecoder().decode(Org.self, from: second).tags
  ///       return .value(try FuseEncoder().encode(org))
  ///     }
  ///
  /// It runs on a thread of the library. An error that it throws ends the merge; one that is no ``FuseError`` is told in one
  /// with code `invalidValue`.
  public typealias Combiner =
    @Sendable (_ key: RawSpan, _ first: RawSpan, _ second: RawSpan) throws -> Combination

  /// Which object a key gets for which several files have different ones.
  public var onConflict: ConflictPolicy
  /// The paths of files whose keys are left out, at most 16,384: all of them are mapped at once.
  public var subtracting: [String]
  /// Keys that begin with none of these are left out; when there are none, nothing is.
  public var prefixes: [[UInt8]]
  /// The order of objects in the file. Insertion order is the order in which keys, file by file,
  /// first point at them, and objects that lost a conflict are kept: with a plain layout, what `fusedb` 0.3.0 writes.
  public var order: FuseWriter.Order
  /// What the file has beside data and keys.
  public var layout: FuseWriter.Layout
  /// The metadata of the file. That of the merged files is not carried over, but for the rule that all of them name for
  /// their keys, unless there is another one here: see ``FuseReader/normalisation``.
  public var metadata: [String: String]
  /// Whether the file answers which of its blocks of addresses holds an address: where one of the merged files does, too,
  /// unless this is `never`.
  public var networks: FuseWriter.Networks
  /// Whether the file says which lengths its keys have, also where one of the merged files does.
  public var keyLengths: Bool
  /// Whether the file says which keys share an object, also where one of the merged files does.
  public var reverseIndex: Bool
  /// Which form the new file has, whatever forms the others have.
  public var form: FuseWriter.Form = .family
  /// How many bytes of memory the process may use, pages of the files included; as for ``FuseWriter/Options/memory``.
  public var memory: Int?
  /// The folder of a temporary file, as for ``FuseWriter/Options/temporaryFolder``.
  public var temporaryFolder: String?
  /// How many threads work at the same time; nil for one for each processor. The file does not depend on it.
  public var threadCount: Int?
  /// The fewest keys that the file may have, as for ``FuseWriter/Options/leastKeyCount``.
  public var leastKeyCount: Int
  /// How many of its keys the file that is replaced may lose, as for ``FuseWriter/Options/greatestShrink``.
  public var greatestShrink: Double?
  /// What happens to a symbolic link where the file is to appear.
  public var outputLink: OutputLink
  /// Whether a file that is neither a database nor empty stays, also one that comes while the files are merged.
  package var keepsOtherFiles = false

  /// All keys, the last file counts, canonical order, indexed.
  public init(
    onConflict: ConflictPolicy = .last, subtracting: [String] = [], prefixes: [[UInt8]] = [],
    order: FuseWriter.Order = .key, layout: FuseWriter.Layout = .indexed, metadata: [String: String] = [:],
    memory: Int? = nil, temporaryFolder: String? = nil, threadCount: Int? = nil, leastKeyCount: Int = 0,
    greatestShrink: Double? = nil, outputLink: OutputLink = .refused, networks: FuseWriter.Networks = .automatic,
    keyLengths: Bool = false, reverseIndex: Bool = false
  ) {
    self.onConflict = onConflict
    self.subtracting = subtracting
    self.prefixes = prefixes
    self.order = order
    self.layout = layout
    self.metadata = metadata
    self.memory = memory
    self.temporaryFolder = temporaryFolder
    self.threadCount = threadCount
    self.leastKeyCount = leastKeyCount
    self.greatestShrink = greatestShrink
    self.outputLink = outputLink
    self.networks = networks
    self.keyLengths = keyLengths
    self.reverseIndex = reverseIndex
  }

  /// How many files can be subtracted.
  static let mostSubtracted = 1 << 14

  /// The same for a writer.
  var writerOptions: FuseWriter.Options {
    let policy: FuseWriter.DuplicatePolicy =
      switch onConflict {
      case .last, .combine: .last
      case .first: .first
      case .error: .error
      }
    var options = FuseWriter.Options(
      order: order, onDuplicate: policy, layout: layout, metadata: metadata, memory: memory,
      temporaryFolder: temporaryFolder, threadCount: threadCount, leastKeyCount: leastKeyCount,
      greatestShrink: greatestShrink, outputLink: outputLink, networks: networks, keyLengths: keyLengths,
      reverseIndex: reverseIndex)
    options.keepsOtherFiles = keepsOtherFiles
    options.form = form
    return options
  }
}
