public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

extension FuseSet {
  /// Makes a set of the keys and objects of a file, or of another set, in the folder at `path`, and publishes it.
  ///
  ///     let file = try FuseReader(path: "geo.fsdb")
  ///     try FuseSet.split(file, into: "geo/", by: .hash(count: 64))
  ///
  /// The shards depend on the keys, the objects, the rule and the form alone, not on memory or threads. Sections that the file has, all shards have, and its
  /// metadata.
  ///
  /// - Parameters:
  ///   - options: form, memory, threads and temporary folder; ``FuseWriter/Options/leastKeyCount`` and ``FuseWriter/Options/greatestShrink`` are for all
  ///     shards together. `metadata`, where there are any, are used instead of the file's.
  ///   - generation: what ``generation(in:)`` said before the file was made; nil where that is asked for now.
  ///   - progress: called now and then with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` as ``publish(_:by:in:after:leastKeyCount:greatestShrink:)`` and ``FuseWriter/build(to:progress:)``; with code `limitExceeded`
  ///   when memory is too short for so many shards; `corrupted` when the file is damaged.
  /// - Precondition: the options ask for the order of keys, and for identical objects to be stored once.
  /// - Complexity: O(bytes of the file); twice as many are written.
  @discardableResult
  public static func split(
    _ source: FuseReader, into path: String, by rule: ShardRule, options: FuseWriter.Options = FuseWriter.Options(),
    after generation: Int? = nil, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> Report {
    try split(
      source, into: path, by: rule, options: options, aliases: source.networkAliases, after: generation,
      progress: progress ?? { _ in })
  }

  /// The same.
  ///
  /// - Parameter aliases: IPv6 blocks in which IPv4 addresses answer.
  static func split(
    _ source: FuseReader, into path: String, by rule: ShardRule, options: FuseWriter.Options,
    aliases: [NetworkSection.Alias], after generation: Int?, progress: (Double) -> Void
  ) throws(FuseError) -> Report {
    precondition(
      options.order == .key && options.sharing == .identicalObjects,
      "shards are in the order of keys, and store objects once")
    if let flaw = rule.flaw { throw FuseError(.invalidValue, flaw, path: path) }
    let folder = PinnedPath(path)
    try FolderFiles.make(folder.absolute)
    let generation = if let generation { generation } else { try self.generation(in: path) }
    var options = options
    if options.metadata.isEmpty, options.layout == .indexed { options.metadata = try source.metadata }
    // Keys are as they were written already.
    options.normalisation = nil
    options.masksHostBits = false
    let rows = try ShardRows(source, rule, options, folder: folder.absolute)
    let isAllNetworks = try rows.read { progress(0.4 * $0) }
    if source.index.sections.contains(.lengths) { options.keyLengths = true }
    if options.networks == .automatic {
      options.networks = source.hasNetworks || isAllNetworks && options.layout == .indexed ? .always : .never
    }
    let shards = try rows.build(options, aliases, in: path) { progress(0.4 + 0.6 * $0) }
    return try publish(
      shards, by: rule, in: path, after: generation, leastKeyCount: options.leastKeyCount,
      greatestShrink: options.greatestShrink)
  }
}

/// The keys of a source and their objects, a stream for each shard, on their way into its file.
///
/// A row is a word, the key, and its object. The word has the key's length, the object's, and what follows: nothing, where it is the object of the row
/// before; its offset in the source; or offset and bytes.
private final class ShardRows {
  private enum Object: UInt64 {
    case same
    case known
    case here
  }

  private static let leastChunkByteCount = 4096
  private static let leastWriterMemory = 24 << 20
  /// An object that was met before is written again if it is no longer than this; else it is read from the source once more.
  private static let shortByteCount = 64
  private static let keysBetweenReports = 1 << 14

  private let source: FuseReader
  private let rule: ShardRule
  private let streams: [SpillStream]
  private let memory: Int
  private let threadCount: Int

  init(_ source: FuseReader, _ rule: ShardRule, _ options: FuseWriter.Options, folder: String) throws(FuseError) {
    self.source = source
    self.rule = rule
    memory = options.memory ?? MachineMemory.availableByteCount / 4
    threadCount = max(1, min(options.threadCount ?? Parallel.processorCount, memory / 2 / Self.leastWriterMemory))
    let chunk =
      min(1 << 18, max(Self.leastChunkByteCount, memory / 4 / rule.count)) / Self.leastChunkByteCount
      * Self.leastChunkByteCount
    guard chunk * rule.count <= max(memory / 2, 4 << 20) else {
      throw FuseError(
        .limitExceeded,
        "\(rule.count) shards need \(counted(2 * chunk * rule.count, "byte")) of memory at least, and there are \(memory); allow more, or make fewer shards"
      )
    }
    let spill = Spill(in: options.temporaryFolder ?? folder, memory: memory / 4, chunkByteCount: chunk)
    streams = (0..<rule.count).map { _ in SpillStream(spill) }
  }

  /// Reads all rows of the source. Returns whether all keys are blocks or addresses in their one spelling, and at least one a block.
  func read(_ progress: (Double) -> Void) throws(FuseError) -> Bool {
    var (isAllNetworks, hasBlock) = (true, false)
    var last = [UInt64](repeating: .max, count: rule.count)
    // The highest offset so far, of each shard of a source that is a set: objects stand in the order of their first keys.
    var highest: [UInt64: UInt64] = [:]
    var object: [UInt8] = []
    var number = 0
    var scan = try source.entries()
    while let entry = try scan.next() {
      if number % Self.keysBetweenReports == 0 { progress(Double(number) / Double(max(1, source.keyCount))) }
      number += 1
      let key = try entry.keyBytes
      if isAllNetworks {
        if let spelling = NetworkSpelling(key), spelling.flaws.isEmpty {
          hasBlock = hasBlock || !spelling.isAddress
        } else {
          isAllNetworks = false
        }
      }
      let shard = rule.shard(of: key)
      let offset = entry.objectOffset
      guard last[shard] != offset else {
        try append(key, .same, 0, to: streams[shard])
        continue
      }
      last[shard] = offset
      let isNew = offset > highest[offset >> 48] ?? 0
      if isNew { highest[offset >> 48] = offset }
      try source.copyObject(at: offset, into: &object)
      let isHere = isNew || object.count <= Self.shortByteCount
      try append(key, isHere ? .here : .known, isHere ? object.count : 0, to: streams[shard])
      try streams[shard].append(record: offset)
      if isHere { try streams[shard].append(object.rawSpan) }
    }
    for stream in streams { stream.finish() }
    return isAllNetworks && hasBlock
  }

  private func append(_ key: RawSpan, _ kind: Object, _ byteCount: Int, to stream: SpillStream) throws(FuseError) {
    try stream.append(record: UInt64(key.byteCount) | kind.rawValue << 16 | UInt64(byteCount) << 18)
    try stream.append(key)
  }

  /// Builds the files of all shards, several at a time.
  func build(
    _ options: FuseWriter.Options, _ aliases: [NetworkSection.Alias], in path: String, _ progress: (Double) -> Void
  ) throws(FuseError) -> [ShardFile] {
    var options = options
    options.leastKeyCount = 0
    options.greatestShrink = nil
    options.onDuplicate = .error
    options.memory = max(16 << 20, memory / 2 / threadCount)
    // One for each file, of which several are built at once.
    options.threadCount = 1
    options.temporaryFolder = options.temporaryFolder ?? path
    let (source, rule, shardOptions) = (source, rule, options)
    let contents = streams.map { $0.contents }
    let failed = Monitor(false)
    let results = Parallel.map(rule.count, threadCount: threadCount, onProgress: progress) {
      number -> Result<ShardFile, FuseError> in
      if failed.change({ $0 }) { return .failure(.cancelled) }
      let result = Result { () throws(FuseError) in
        let writer = FuseWriter(shardOptions)
        writer.adopt(metadata: [:], aliases: aliases)
        try Self.add(contents[number], of: source, to: writer)
        return try writer.buildShard(number, by: rule, in: path)
      }
      if case .failure = result { failed.change { $0 = true } }
      return result
    }
    // The first that failed, and not one that was left out for it.
    for case .failure(let error) in results where error.code != .cancelled { throw error }
    var files: [ShardFile] = []
    for result in results { files.append(try result.get()) }
    return files
  }

  private static func add(_ rows: SpillContents, of source: FuseReader, to writer: FuseWriter) throws(FuseError) {
    var reader = SpillReader(rows)
    var known = KnownObjects()
    var object: ObjectID?
    var copy: [UInt8] = []
    while let word = try reader.next(as: UInt64.self) {
      let kind = Object(rawValue: word >> 16 & 3)!
      let keyCount = Int(word & 0xFFFF)
      // The key comes before its object, and is added after it.
      let key = try reader.withNext(keyCount) { key throws(FuseError) in key.array() }
      if kind != .same {
        let offset = try reader.next(as: UInt64.self)!
        if kind == .here {
          object = try reader.withNext(Int(word >> 18)) { bytes throws(FuseError) in try writer.addObject(bytes) }
        } else if let there = known[offset] {
          object = there
        } else {
          try source.copyObject(at: offset, into: &copy)
          object = try writer.addObject(copy)
        }
        known[offset] = object!
      }
      try writer.addKey(key, for: object!)
    }
  }
}

/// Some objects of a writer by their offsets in the source: as many as there are places, each taken by the last.
private struct KnownObjects {
  private static let bits: UInt64 = 14
  private var offsets = [UInt64](repeating: .max, count: 1 << bits)
  private var objects = [ObjectID?](repeating: nil, count: 1 << bits)

  private static func place(_ offset: UInt64) -> Int { Int((offset &* 0x9E37_79B9_7F4A_7C15) >> (64 - bits)) }

  subscript(offset: UInt64) -> ObjectID? {
    get {
      let place = Self.place(offset)
      return offsets[place] == offset ? objects[place] : nil
    }
    set {
      let place = Self.place(offset)
      offsets[place] = offset
      objects[place] = newValue
    }
  }
}
