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
  // SAFETY: one for each shard, of this object's own memory. Who opens a shard fills its context under the lock, the reader's address last; others
  // read that first.
  @usableFromInline nonisolated(unsafe) let contexts: UnsafeMutablePointer<ShardContext>
  private let filling = Mutex(())

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

  // SAFETY: there is a context for each shard, which begins without a reader.
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
    let stride = unsafe ShardContext.byteCount
    unsafe precondition(MemoryLayout<ShardContext>.size <= stride, "a context has two cache lines")
    unsafe contexts = unsafe UnsafeMutableRawPointer.allocate(
      byteCount: manifest.shards.count * stride, alignment: stride
    )
    .bindMemory(to: ShardContext.self, capacity: manifest.shards.count)
    for number in manifest.shards.indices { unsafe context(number).initialize(to: ShardContext()) }
    if let other { takeOver(other) }
  }

  deinit {
    // SAFETY: nobody has this object, so nobody uses its readers but by references of their own.
    for number in manifest.shards.indices {
      guard let pointer = unsafe UnsafeRawPointer(bitPattern: context(number).pointee.reader) else { continue }
      unsafe Unmanaged<FuseReader>.fromOpaque(pointer).release()
    }
    unsafe contexts.deallocate()
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
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: address(number)) else { return unsafe try open(number) }
    return unsafe .fromOpaque(pointer)
  }

  // SAFETY: the numbers of shards are those of contexts.
  @inlinable
  @inline(__always)
  @unsafe
  func context(_ number: Int) -> UnsafeMutablePointer<ShardContext> {
    unsafe (UnsafeMutableRawPointer(contexts) + number &* ShardContext.byteCount).assumingMemoryBound(
      to: ShardContext.self)
  }

  // SAFETY: a context begins with the reader's address, which is accessed as an atomic word wherever others may have it.
  /// The context of a shard, if that is open.
  @inlinable
  @inline(__always)
  @unsafe
  func openContext(_ number: Int) -> UnsafeMutablePointer<ShardContext>? {
    unsafe address(number) == 0 ? nil : context(number)
  }

  // SAFETY: as before.
  /// The address of a shard's reader; 0 until that is open.
  @inlinable
  @inline(__always)
  func address(_ number: Int) -> UInt {
    unsafe UnsafeRawPointer(context(number)).assumingMemoryBound(to: Atomic<UInt>.self).pointee.load(
      ordering: .acquiring)
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

  // SAFETY: the reader is retained until this object goes; the reference that is handed out is counted.
  /// The reader of a shard that was opened already.
  package func openedShard(_ number: Int) -> FuseReader? {
    unsafe UnsafeRawPointer(bitPattern: address(number)).map {
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

  // SAFETY: the reader is the context's as long as this object.
  @inline(never)
  @usableFromInline
  @unsafe
  func open(_ number: Int) throws(FuseError) -> Unmanaged<FuseReader> {
    let opened = try openFile(number)
    // Of two threads that open a shard, one has its reader kept.
    return unsafe filling.withLock { _ in unsafe .passUnretained(openedShard(number) ?? fill(number, opened)) }
  }

  // SAFETY: nobody else has this object yet, or fills a context.
  /// Keeps a shard's reader, and fills its context.
  private func fill(_ number: Int, _ reader: FuseReader) -> FuseReader {
    let place = unsafe context(number)
    let context = unsafe ShardContext(of: reader)
    unsafe place.pointee.dataEnd = context.dataEnd
    unsafe place.pointee.ends = context.ends
    unsafe place.pointee.table = context.table
    let address = UInt(bitPattern: unsafe Unmanaged.passRetained(reader).toOpaque())
    unsafe UnsafeRawPointer(place).assumingMemoryBound(to: Atomic<UInt>.self).pointee.store(
      address, ordering: .releasing)
    return reader
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
      _ = fill(number, reader)
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
