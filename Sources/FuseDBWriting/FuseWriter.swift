public import FuseDBFormat
internal import FuseDBReading
public import FuseDBSystem
internal import FuseDBValues

/// Collects objects and the keys that point at them, and writes them as one immutable file.
///
///     let writer = FuseWriter()
///     let google = try writer.addObject(messagePack)   // one MessagePack value
///     try writer.addKey("8.8.8.8", for: google)
///     try writer.addKey("gmail.com", for: google)
///     let report = try writer.build(to: "geo.fsdb")    // report.keyCount == 2
///
/// The same mapping from keys to objects gives the same bytes, whatever order it was added in. Until the file is built,
/// what does not fit into ``Options/memory`` is kept in a temporary file. Only one thread at a time may use a writer.
public final class FuseWriter {
  /// The order of objects in the file. See spec/format.md §11.
  public enum Order: Sendable {
    /// By their smallest key; objects without a key are left out. The file depends on the mapping alone.
    case key
    /// As they were added, with or without keys: what `fusedb` 0.3.0 writes.
    case insertion
  }

  /// What happens to objects that hold the same bytes.
  public enum Sharing: Sendable {
    /// They are stored once.
    case identicalObjects
    /// Each is stored as often as it was added.
    case none
  }

  /// What happens when a key is added again.
  public enum DuplicatePolicy: Sendable {
    /// The key points at the object of its last addition.
    case last
    /// The key points at the object of its first addition.
    case first
    /// ``FuseWriter/build(to:progress:)`` throws ``FuseError/Code/duplicateKey``.
    case error
    /// Every key points at a list, an array of the objects of all of its additions in their order; also a key that was
    /// added once. Objects without a key are left out, and the order of objects must be ``Order/key``.
    case collect
  }

  /// What the file has beside data and keys.
  public enum Layout: Sendable {
    /// An extension block: it opens in constant time, and every part of it has a checksum. Some 11 bytes a key.
    case indexed
    /// Nothing: as `fusedb` 0.3.0 writes it.
    case plain
  }

  /// What a file is like inside: both forms hold the same keys and objects, and answer the same questions.
  public enum Form: Sendable, CaseIterable {
    /// Version 2 of the format, which `fusedb` 0.3.0 reads too: keys and objects stand as they were added, so look-ups are the quickest.
    case family
    /// Version 3: half of the bytes and less, for look-ups that take two to three times as long. Members' names, and values that many objects
    /// have, are stored once, and keys are coded by symbols where that saves bytes. See spec/compact.md.
    case compact
    /// The same with keys as they are: more bytes, and quicker.
    case compactFast
  }

  /// Whether the file answers which of its blocks of addresses holds an address. See spec/network.md.
  public enum Networks: Sendable {
    /// Where every key is the canonical text of a block or an address, such as `8.8.8.0/24` or `2001:db8::1`, and at
    /// least one is a block.
    case automatic
    /// In any case. Keys that spell a block or an address in another way are refused; those that spell none are only
    /// found as they are.
    case always
    /// Never.
    case never
  }

  /// How a writer works.
  public struct Options: Sendable {
    /// The order of objects in the file.
    public var order: Order
    /// What happens to objects that hold the same bytes.
    public var sharing: Sharing
    /// What happens when a key is added again.
    public var onDuplicate: DuplicatePolicy
    /// What the file has beside data and keys.
    public var layout: Layout
    /// Whether the file answers which of its blocks of addresses holds an address. Only an indexed file can.
    public var networks: Networks
    /// Whether the file says which lengths its keys have: questions for the longest prefix are quick then, and those for
    /// domains quicker. Only an indexed file can.
    public var keyLengths: Bool
    /// How keys are rewritten when they are added, so that those that say the same are one. The metadata of the file
    /// say so, as `normalise`, and so must have no such entry of their own; only an indexed file has room for it.
    public var normalisation: KeyNormalisation?
    /// Whether the bits after the prefix of a block of addresses become 0 when it is added, as those of `8.8.8.8/16`.
    public var masksHostBits: Bool
    /// Whether the file says which keys share an object, so that ``FuseReader/keys(sharing:_:)-(RawSpan,_)`` need not look
    /// at all keys: a byte or two a key that shares. Only an indexed file can.
    public var reverseIndex: Bool
    /// How many bytes of memory the process may use while it builds, at least 16 MiB; nil for a quarter of what the
    /// machine has available. What does not fit goes to a temporary file.
    public var memory: Int?
    /// The folder of the temporary file, which has no name there; nil for `/var/tmp`.
    public var temporaryFolder: String?
    /// How many threads work at the same time; nil for one for each processor. The file does not depend on it.
    public var threadCount: Int?
    /// The metadata of the file, such as its source or when it was built. Only an indexed file has room for it.
    /// ``ServingCounters/dataAge`` is computed from `built`, such as `2026-11-21T16:11:12Z`.
    public var metadata: [String: String]
    /// The fewest keys that the file may have. With fewer, ``FuseWriter/build(to:progress:)`` throws
    /// ``FuseError/Code/refused`` and the file there stays.
    public var leastKeyCount: Int
    /// The greatest share of the keys, from 0 to 1, that the file may lack compared with the database that it
    /// replaces; nil for any. Beyond it, or where that database is damaged, ``FuseWriter/build(to:progress:)`` throws
    /// ``FuseError/Code/refused``.
    public var greatestShrink: Double?
    /// What happens to a symbolic link where the file is to appear.
    public var outputLink: OutputLink

    /// Which form the file has. Default: ``Form/family``.
    public var form: Form = .family

    /// Canonical order, identical objects stored once, the last addition of a key counts, indexed.
    public init(
      order: Order = .key, sharing: Sharing = .identicalObjects, onDuplicate: DuplicatePolicy = .last,
      layout: Layout = .indexed, metadata: [String: String] = [:], memory: Int? = nil, temporaryFolder: String? = nil,
      threadCount: Int? = nil, leastKeyCount: Int = 0, greatestShrink: Double? = nil, outputLink: OutputLink = .refused,
      networks: Networks = .automatic, keyLengths: Bool = false, reverseIndex: Bool = false,
      normalisation: KeyNormalisation? = nil, masksHostBits: Bool = false
    ) {
      self.order = order
      self.sharing = sharing
      self.onDuplicate = onDuplicate
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
      self.normalisation = normalisation
      self.masksHostBits = masksHostBits
    }

    /// What happens to a key before it is added.
    package var keyRules: KeyRules {
      KeyRules(normalisation: normalisation, checksNetworks: networks == .always, masksHostBits: masksHostBits)
    }

    /// How many bytes the objects of a list may have together under ``DuplicatePolicy/collect``; nil for a thirty-second
    /// of the memory.
    package var mostListBytes: Int?

    /// The metadata of the file, with what the options say, and before it what an input says.
    func allMetadata(of input: [String: String]) -> [String: String] {
      guard !isScratch else { return [:] }
      let metadata = metadata.merging(input) { given, _ in given }
      guard let normalisation else { return metadata }
      return metadata.merging([KeyNormalisation.metadataName: normalisation.rawValue]) { _, rule in rule }
    }

    /// Whether the file is one that nobody sees.
    var isScratch = false

    /// Whether a file that is neither a database nor empty stays, also one that comes while this one is built.
    package var keepsOtherFiles = false

    var replacement: ReplacementRules {
      ReplacementRules(
        links: outputLink, leastKeyCount: leastKeyCount, greatestShrink: greatestShrink,
        kind: keepsOtherFiles ? .database : nil)
    }

    /// What `fusedb` 0.3.0 does: for the same sequence of calls the same bytes.
    public static let compatible = Options(order: .insertion, sharing: .none, layout: .plain)
  }

  /// How this writer works.
  public internal(set) var options: Options

  /// The additions that were made one by one.
  var shard: WriterShard?
  /// All shards.
  var shards: [WriterShard] = []
  var storage: WriterStorage?
  /// Under ``DuplicatePolicy/error``, after ``build(to:progress:)`` threw `duplicateKey`: which key it was.
  package internal(set) var refusedDuplicate: DuplicateKey?
  /// Where one of the files that are merged is to be replaced: what was read.
  var source: FileStamp?
  /// How many bytes of the last lists went to a temporary file.
  var spilledByLists = 0
  /// What the block of the file is to have.
  var sections: SectionRequest
  /// What an input says about itself, which the metadata are to have.
  var inputMetadata: [String: String] = [:]
  let limits: Limits
  private let keyRules: KeyRules
  let plan: MemoryPlan?

  /// The format's limits; tests make them small.
  struct Limits {
    var keyByteCount = FormatLimits.keyByteCount
    var objectByteCount = FormatLimits.objectByteCount
    var count = FormatLimits.count

    var tooManyObjects: FuseError {
      FuseError(.limitExceeded, "there are \(count) objects and the format allows no more; build several files")
    }

    func check(object: RawSpan) throws(FuseError) {
      guard object.byteCount > objectByteCount else { return }
      throw FuseError(
        .limitExceeded,
        "the object has \(object.byteCount) bytes and the format allows \(objectByteCount); split it or store a reference"
      )
    }

    func check(key: RawSpan) throws(FuseError) {
      guard key.byteCount > keyByteCount else { return }
      throw FuseError(
        .limitExceeded,
        "the key \(quoted(key)) has \(key.byteCount) bytes and the format allows \(keyByteCount); use a digest of it as the key"
      )
    }
  }

  /// Makes a writer that holds nothing yet.
  public convenience init(_ options: Options = Options()) {
    self.init(options, plan: nil)
  }

  /// - Parameter plan: how memory is divided; nil as the options say.
  init(_ options: Options, limits: Limits = Limits(), plan: MemoryPlan? = nil) {
    precondition(
      options.onDuplicate != .collect || options.order == .key, "lists of objects have no order of insertion")
    var options = options
    // It is opened when something has to go there, and the process may have another working folder by then.
    options.temporaryFolder = options.temporaryFolder.map { PinnedPath($0).absolute }
    self.options = options
    keyRules = options.keyRules
    sections = SectionRequest(
      networks: options.networks, keyLengths: options.keyLengths, reverseIndex: options.reverseIndex)
    self.limits = limits
    self.plan = plan
  }

  /// How many keys were added, additions of the same key counted each.
  ///
  /// Keys that shards added are not among them.
  public private(set) var addedKeyCount = 0

  /// Adds an object: the bytes of exactly one MessagePack value.
  ///
  /// - Returns: what to pass to ``addKey(_:for:)-(FuseKey,_)``. With ``Sharing/identicalObjects``, bytes added before
  ///   give the same one.
  /// - Throws: ``FuseError`` with code `invalidValue` when the bytes are not one MessagePack value nested at most 128
  ///   deep, `limitExceeded` when they are more than 4 GiB - 1 or there are 2^32 - 1 objects already; the writer is as
  ///   before then. `inputOutput` when a temporary file cannot be written; the writer may not be able to go on then, and
  ///   ``build(to:progress:)`` throws the same.
  /// - Complexity: O(bytes), amortized.
  public func addObject(_ messagePack: RawSpan) throws(FuseError) -> ObjectID {
    try limits.check(object: messagePack)
    try MessagePackCursor.validate(messagePack)
    let store = try openStorage().store
    if store.count >= limits.count, try !store.contains(messagePack) {
      throw limits.tooManyObjects
    }
    return ObjectID(writer: ObjectIdentifier(self), number: try store.add(messagePack))
  }

  /// Adds an object: the bytes of exactly one MessagePack value.
  ///
  /// - Throws: as ``addObject(_:)-(RawSpan)``.
  public func addObject(_ messagePack: [UInt8]) throws(FuseError) -> ObjectID {
    try addObject(messagePack.rawSpan)
  }

  /// Points `key` at an object of this writer.
  ///
  /// - Throws: ``FuseError`` with code `limitExceeded` when the key has more than 65,535 bytes or there are 2^32 - 1
  ///   keys already, `inputOutput` when a temporary file cannot be written, `invalidValue` when the
  ///   options ask for blocks of addresses in their one spelling and the key is one in another, or when
  ///   ``Options/normalisation`` has no place for it. The key is not added then.
  /// - Precondition: `object` was returned by this writer.
  /// - Complexity: O(bytes), amortized.
  public func addKey(_ key: RawSpan, for object: ObjectID) throws(FuseError) {
    precondition(object.writer == ObjectIdentifier(self), "the ObjectID was returned by another FuseWriter")
    if !keyRules.isEmpty, let rewritten = try keyRules.rewritten(key) {
      return try addKey(asItIs: rewritten.rawSpan, for: object)
    }
    try addKey(asItIs: key, for: object)
  }

  private func addKey(asItIs key: RawSpan, for object: ObjectID) throws(FuseError) {
    try limits.check(key: key)
    guard addedKeyCount < limits.count else {
      throw FuseError(
        .limitExceeded,
        "there are \(limits.count) keys and the format allows no more, so \(quoted(key)) cannot be added; build several files"
      )
    }
    let shard = if let shard { shard } else { try openShard() }
    try shard.add(key, object: object.number, position: UInt64(addedKeyCount))
    addedKeyCount += 1
  }

  /// Points `key` at an object of this writer.
  ///
  /// - Throws: as ``addKey(_:for:)-(RawSpan,_)``.
  public func addKey(_ key: some FuseKey, for object: ObjectID) throws(FuseError) {
    guard let keyBytes = key.bytesInPlace else { return try addKey(key.keySpelling, for: object) }
    defer { keyBytes.hold() }
    try addKey(keyBytes, for: object)
  }

  /// Adds an object and points each of `keys` at it.
  ///
  ///     try writer.add(["8.8.8.8", "8.8.4.4"], messagePack: bytes)
  ///
  /// - Throws: as ``addObject(_:)-(RawSpan)`` and ``addKey(_:for:)-(RawSpan,_)``; keys before the one that was
  ///   refused stay added.
  @discardableResult
  public func add(_ keys: some Sequence<some FuseKey>, messagePack: [UInt8]) throws(FuseError) -> ObjectID {
    let object = try addObject(messagePack)
    for key in keys { try addKey(key, for: object) }
    return object
  }
}

extension FuseWriter {
  /// How many objects were added that were not in memory already.
  package var storedObjectCount: Int { storage?.store.count ?? 0 }

  /// The object of an ``ObjectID/rawNumber``; nil where none was added under it.
  package func object(numbered rawNumber: UInt64) throws(FuseError) -> ObjectID? {
    let number = ObjectNumber(rawValue: rawNumber)
    guard let store = storage?.store, number.partition < store.partitionCount,
      try store.withPartition(number.partition, { partition in number.number < partition.count })
    else { return nil }
    return ObjectID(writer: ObjectIdentifier(self), number: number)
  }
}

extension FuseWriter {
  /// Takes what an input says of itself: its metadata, unless the options or an earlier input say otherwise, and the IPv6 blocks in which
  /// IPv4 addresses answer. A plain file has no place for either.
  package func adopt(metadata: [String: String], aliases: [NetworkSection.Alias]) {
    guard options.layout == .indexed else { return }
    inputMetadata.merge(metadata) { known, _ in known }
    let more = aliases.filter { !sections.aliases.contains($0) }
    sections.aliases += more.prefix(NetworkSection.mostAliases - sections.aliases.count)
  }
}

/// An object that was added to a writer, for its keys to point at.
public struct ObjectID: Hashable, Sendable {
  /// The writer that it belongs to.
  let writer: ObjectIdentifier
  let number: ObjectNumber

  /// The number of the object in its writer: from 0 on where objects are not shared.
  package var rawNumber: UInt64 { number.rawValue }
}
