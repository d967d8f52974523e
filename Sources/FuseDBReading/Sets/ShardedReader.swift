public import FuseDBFormat
public import FuseDBSystem
public import Synchronization

/// A set of shards, opened for look-ups: many files, of which each has the keys that a rule gives it. See spec/sharding.md.
///
///     let geo = try ShardedReader(path: "geo/")
///     try geo.withBytes(forKey: "8.8.8.8") { $0.byteCount }   // 31
///     geo.shardCount                                          // 64
///
/// Opening reads the manifest alone. A shard is opened when it is first needed, by whichever thread needs it, or by ``openAll(threadCount:)``. Then a
/// look-up takes no lock and writes nothing that other threads write.
///
/// What else a file answers, ``reader`` answers for the whole set: scans in the order of keys, networks, domains, statistics. A ``FuseReader`` of the folder's
/// path is the same. A set that is published anew does not disturb open readers: the files of the generation before stay until the next, for shards that
/// are still to be opened.
@safe
public final class ShardedReader: Sendable {
  /// The folder, as it was given.
  public let path: String
  /// What is compared with its checksum.
  public let checksums: FuseReader.Checksums
  let folder: String
  package let manifest: SetManifest
  let access: FuseAccess
  /// The manifest's bytes, from which entries and records of shards count.
  let mapping: FileMapping
  @usableFromInline let division: ShardDivision
  @usableFromInline let isHashed: Bool
  // SAFETY: one word for each shard, of this object's own memory; each is 0, or has a retained reader, and is set once.
  @usableFromInline nonisolated(unsafe) let slots: UnsafeMutablePointer<UInt>

  /// Opens the set in the folder at `path`.
  ///
  /// - Parameters:
  ///   - access: how the shards are held in memory; mapped by default.
  /// - Throws: ``FuseError`` with code `notFound` where there is no set; `corrupted`, `truncated` or `unsupportedVersion` when its manifest is damaged or of a
  ///   later version.
  /// - Complexity: O(shards). No shard is opened.
  public convenience init(
    path: String, checksums: FuseReader.Checksums = .verified, access: FuseAccess = .mapped
  ) throws(FuseError) {
    guard let set = try SetPlace(path) else { throw SetPlace.isNoSet(path) }
    try self.init(set, checksums: checksums, access: access)
  }

  // SAFETY: there is a slot for each shard, which begins as 0.
  /// - Parameter other: an open set, of which shards that are in both stay as they are.
  package init(
    _ place: SetPlace, checksums: FuseReader.Checksums, access: FuseAccess, reusing other: ShardedReader? = nil
  ) throws(FuseError) {
    path = place.path.given
    folder = place.path.absolute
    manifest = try place.manifest
    self.checksums = checksums
    self.access = access
    mapping = try FileMapping(bytes: place.bytes.rawSpan, isLocked: false, path: place.path.given)
    division = ShardDivision(by: manifest.shards.count)
    isHashed = if case .hash = manifest.rule { true } else { false }
    unsafe slots = .allocate(capacity: manifest.shards.count)
    unsafe slots.initialize(repeating: 0, count: manifest.shards.count)
    if let other { takeOver(other) }
  }

  deinit {
    // SAFETY: nobody has this object, so nobody uses its readers but by references of their own.
    for number in manifest.shards.indices {
      guard let pointer = unsafe UnsafeRawPointer(bitPattern: slots[number]) else { continue }
      unsafe Unmanaged<FuseReader>.fromOpaque(pointer).release()
    }
    unsafe slots.deallocate()
  }

  /// The files at `path`: of a set its shards, otherwise that one.
  package static func files(at path: String) throws(FuseError) -> [String] {
    guard let set = try SetPlace(path) else { return [path] }
    return try set.manifest.shards.map { SetPlace.join(path, $0.name) }
  }

  // MARK: What it is

  /// How many shards there are.
  public var shardCount: Int { manifest.shards.count }
  /// Which of them holds a key.
  public var rule: ShardRule { manifest.rule }
  /// The shards' files, in the order of their numbers.
  public var files: [ShardFile] { manifest.shards }
  /// Counts how often the set was published.
  public var generation: Int { manifest.generation }
  /// How many keys all shards have.
  public var keyCount: Int { manifest.shards.reduce(0) { $0 &+ $1.keyCount } }
  /// The length of all shards in bytes.
  public var byteCount: Int { manifest.shards.reduce(0) { $0 &+ $1.byteCount } }

  /// A reader that answers for the whole set as for one file.
  public var reader: FuseReader { FuseReader(of: self) }

  // MARK: Shards

  /// The number of the shard that holds `key`, whether or not it has the key.
  @inlinable
  @inline(__always)
  package func number(of key: RawSpan) -> Int {
    isHashed ? division.remainder(of: key.shardHash) : numberByRange(key)
  }

  @inline(never)
  @usableFromInline
  func numberByRange(_ key: RawSpan) -> Int { manifest.rule.shard(of: key) }

  // SAFETY: the reader stays until this object goes.
  /// The reader of a shard, which is opened if it has to be.
  @inlinable
  @inline(__always)
  @unsafe
  package func opened(_ number: Int) throws(FuseError) -> Unmanaged<FuseReader> {
    let address = unsafe slot(number).pointee.load(ordering: .acquiring)
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: address) else { return unsafe try open(number) }
    return unsafe .fromOpaque(pointer)
  }

  // SAFETY: the numbers of shards are those of slots, which are accessed as atomic words everywhere.
  @inlinable
  @inline(__always)
  @unsafe
  func slot(_ number: Int) -> UnsafePointer<Atomic<UInt>> {
    unsafe UnsafeRawPointer(slots + number).assumingMemoryBound(to: Atomic<UInt>.self)
  }

  // SAFETY: the reference that is handed out is counted.
  /// The reader of a shard, which is opened if it has to be.
  ///
  /// - Throws: ``FuseError``, which names the file: with code `notFound` where it is missing; `truncated` or `corrupted` where it is another one than
  ///   the set was published with; and as ``FuseReader/init(path:checksums:access:)``.
  /// - Precondition: there is a shard of this number.
  /// - Complexity: O(1).
  public func shard(at number: Int) throws(FuseError) -> FuseReader {
    precondition(manifest.shards.indices.contains(number), "the set has no shard of this number")
    return try unsafe opened(number).takeUnretainedValue()
  }

  // SAFETY: what a slot has is retained for it until this object goes; the reference that is handed out is counted.
  /// The reader of a shard that was opened already.
  package func openedShard(_ number: Int) -> FuseReader? {
    unsafe UnsafeRawPointer(bitPattern: slot(number).pointee.load(ordering: .acquiring)).map {
      unsafe Unmanaged<FuseReader>.fromOpaque($0).takeUnretainedValue()
    }
  }

  // SAFETY: the references are not used.
  /// Opens the shards that are not open yet, several at a time.
  ///
  /// - Throws: as ``shard(at:)``, for the first that cannot be opened; the others are open then.
  /// - Complexity: O(shards).
  public func openAll(threadCount: Int? = nil) throws(FuseError) {
    let missing = manifest.shards.indices.filter { openedShard($0) == nil }
    guard !missing.isEmpty else { return }
    let results = Parallel.map(missing.count, threadCount: threadCount ?? Parallel.processorCount) { number in
      Result { () throws(FuseError) in _ = unsafe try self.opened(missing[number]) }
    }
    for result in results { try result.get() }
  }

  // SAFETY: what a slot has is retained for it, once; of two threads that open a shard, one puts its reader there.
  @inline(never)
  @usableFromInline
  @unsafe
  func open(_ number: Int) throws(FuseError) -> Unmanaged<FuseReader> {
    let opened = unsafe Unmanaged.passRetained(try openFile(number))
    let address = UInt(bitPattern: unsafe opened.toOpaque())
    let (isSet, before) = unsafe slot(number).pointee.compareExchange(
      expected: 0, desired: address, ordering: .acquiringAndReleasing)
    if isSet { return unsafe opened }
    unsafe opened.release()
    return unsafe .fromOpaque(UnsafeRawPointer(bitPattern: before)!)
  }

  /// Opens a shard. [GO1] [GO2]
  private func openFile(_ number: Int) throws(FuseError) -> FuseReader {
    try FuseReader(mappingOfShard(number), checksums: checksums)
  }

  /// The file of a shard, if it is the one that is meant.
  func mappingOfShard(_ number: Int) throws(FuseError) -> FileMapping {
    if let reader = openedShard(number) {
      try manifest.shards[number].check(reader.mapping)
      return reader.mapping
    }
    let shard = manifest.shards[number]
    let (given, place) = (SetPlace.join(path, shard.name), SetPlace.join(folder, shard.name))
    let mapping: FileMapping
    do throws(FuseError) {
      mapping = try FileMapping(path: place, named: given, access: access)
    } catch {
      guard error.code == .notFound, error.errno == 2 else { throw error.at(path: given) }
      throw FuseError(
        .notFound, "the set has this shard, and the file is missing: restore it from a copy, or build the set again",
        path: given, errno: error.errno)
    }
    try shard.check(mapping)
    return mapping
  }

  /// Has the readers of another set that are open, for the files that are in both.
  private func takeOver(_ other: ShardedReader) {
    guard other.folder == folder, other.checksums == checksums else { return }
    var numbers: [String: Int] = [:]
    for (number, shard) in other.manifest.shards.enumerated() { numbers[shard.name] = number }
    for (number, shard) in manifest.shards.enumerated() {
      guard let known = numbers[shard.name], other.manifest.shards[known] == shard,
        let reader = other.openedShard(known),
        (try? reader.checkNotShrunk()) != nil
      else { continue }
      // SAFETY: the slot is this set's own, and nobody else has it yet.
      unsafe slots[number] = UInt(bitPattern: Unmanaged.passRetained(reader).toOpaque())
    }
  }
}

extension ShardFile {
  /// Throws unless a file is this shard. [GO1]
  package func check(_ mapping: FileMapping) throws(FuseError) {
    let advice = "it was cut or exchanged: restore it from a copy, or build the set again"
    guard mapping.byteCount == byteCount else {
      throw FuseError(
        mapping.byteCount < byteCount ? .truncated : .corrupted,
        "the shard has \(counted(mapping.byteCount, "byte")), and the set's manifest says \(byteCount); \(advice)",
        path: mapping.path)
    }
    let isSame = mapping.bytes.extracting(first: header.count).equals(header.rawSpan)
    try mapping.checkNotShrunk()
    guard isSame else {
      throw FuseError(
        .corrupted, "the shard begins with other bytes than the set's manifest says; \(advice)", offset: 0,
        path: mapping.path)
    }
  }
}
