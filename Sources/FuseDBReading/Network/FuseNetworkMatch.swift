public import FuseDBFormat
internal import FuseDBSystem
public import FuseDBValues

/// The longest block that holds an address, and its object in place: what ``FuseReader/longestMatch(of:)-(FuseAddress)`` found.
///
///     let match = try reader.longestMatch(of: FuseAddress("8.8.8.8")!)!
///     match.key                               // 8.8.8.0/24, as it was added
///     match.scope                             // 8.8.8.0/25: all of its addresses have this answer
///     try match.view["org"]?.string           // "Google LLC"
///
/// The compiler keeps a match inside the scope of its reader. Nothing was retained or copied.
@safe
public struct FuseNetworkMatch: ~Escapable {
  // SAFETY: a match is made with the lifetime of its reader.
  @usableFromInline let reader: Unmanaged<FuseReader>
  /// The address that was asked for; under an alias of the file, the IPv4 address that answers for it.
  public let address: FuseAddress
  @usableFromInline let match: NetworkMatch

  @inlinable
  @inline(__always)
  @_lifetime(borrow reader)
  init(_ match: NetworkMatch, of address: FuseAddress, in reader: borrowing FuseReader) {
    // SAFETY: a match lives no longer than the borrow of its reader; see `reader`.
    unsafe self.reader = .passUnretained(copy reader)
    self.address = address
    self.match = match
  }

  /// The block, as it was added: the longest of the file that holds the address.
  @inlinable public var key: FuseNetwork { FuseNetwork(inside: address, prefixLength: match.prefixLength) }

  /// The largest block around the address of which all addresses have this answer: for caches, and for subnets of clients in DNS
  /// (RFC 7871). Where the file has no section of networks, the address alone.
  ///
  /// - Complexity: O(1).
  public var scope: FuseNetwork {
    // SAFETY: the reader lives longer than this match.
    unsafe reader._withUnsafeGuaranteedRef { $0.scope(of: match, address) }
  }

  /// Where the object's record begins in the file: equal for keys that share an object.
  @inlinable public var objectOffset: UInt64 { match.object }

  /// The object's bytes, in place, their checksum compared, as ``FuseReader/bytes(forKey:)-(RawSpan)`` returns them.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated`.
  public var bytes: RawSpan {
    @_lifetime(copy self)
    get throws(FuseError) {
      let reader = unsafe reader.takeUnretainedValue()
      let record = try reader.record(at: match.object)
      let mapping = reader.mapping
      // SAFETY: a record lies inside the file; the mapping lives as long as the reader, and that longer than this match.
      return unsafe _overrideLifetime(mapping.bytes(from: record.start, count: record.byteCount), copying: self)
    }
  }

  /// The object as a value, in place.
  ///
  /// - Throws: ``FuseError`` as ``bytes``; with code `invalidValue` as ``FuseReader/view(forKey:)-(RawSpan)``.
  /// - Complexity: O(heads of the value).
  public var view: FuseView {
    @_lifetime(copy self)
    get throws(FuseError) {
      let object = try bytes
      // SAFETY: the reader lives longer than this match.
      return try unsafe reader.takeUnretainedValue().view(of: object)
    }
  }

  /// Calls `body` with the object as a value, in place, and returns what it returns. Of a compact file, which keeps what ``bytes`` and ``view``
  /// expand until it is closed, nothing is kept.
  ///
  ///     try reader.longestMatch(of: address)?.withValue { $0["org"]?.string }
  ///
  /// - Throws: ``FuseError`` as ``view``, also when the file shrank while `body` ran; and what `body` throws.
  /// - Complexity: O(heads of the value); of a compact file, of what `body` looks at.
  @inlinable
  @inline(never)
  public func withValue<Result>(_ body: (FuseView) throws -> Result?) throws -> Result? {
    var result: Result?
    try viewValue { result = try body($0) }
    return result
  }

  @usableFromInline
  @inline(never)
  func viewValue(_ body: (FuseView) throws -> Void) throws {
    // SAFETY: the reader lives longer than this match.
    try unsafe reader._withUnsafeGuaranteedRef { try $0.withValue(at: match.object, body) }
  }
}

/// A block and the object that it points at, as ``FuseReader/containing(_:)-(FuseAddress)`` and ``NetworkScan`` come across them. It
/// keeps the file open.
public struct NetworkEntry: Sendable {
  let reader: FuseReader
  /// The block, as it was added.
  public let network: FuseNetwork
  /// Where the object's record begins in the file: equal for keys that share an object.
  public let objectOffset: UInt64

  /// The object's bytes, in place, their checksum compared, as ``FuseReader/bytes(forKey:)-(RawSpan)`` returns them.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated`.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get throws(FuseError) {
      let record = try reader.record(at: objectOffset)
      let mapping = reader.mapping
      // SAFETY: a record lies inside the file or is kept by the reader; the mapping lives as long as that, which this entry keeps.
      return unsafe _overrideLifetime(
        mapping.bytes(from: record.start, count: record.byteCount), borrowing: self)
    }
  }

  /// The object as a value, in place. What is read from it is the file's if ``FuseReader/checkNotShrunk()`` returns
  /// afterwards.
  ///
  /// - Throws: ``FuseError`` as ``bytes``; with code `invalidValue` as ``FuseReader/view(forKey:)-(RawSpan)``.
  /// - Complexity: O(heads of the value).
  public var view: FuseView {
    @_lifetime(borrow self)
    get throws(FuseError) { try reader.view(of: bytes) }
  }
}

/// Goes through the blocks inside of one, in order: by first address, a block before those in it.
///
///     var scan = try reader.networks(within: FuseNetwork("8.0.0.0/8")!)
///     while let entry = try scan.next() { print(entry.network) }
///
/// It is no `Sequence`, because a step can fail.
public struct NetworkScan: FuseIterator, Sendable {
  private let reader: FuseReader
  private var walk: NetworkWalk?
  /// Of a set: a scan for each shard that has networks, with what comes next there; those that are at their end are left out.
  private var shards: [(number: Int, scan: NetworkScan, next: NetworkEntry)] = []

  init(_ reader: FuseReader, _ walk: NetworkWalk) {
    self.reader = reader
    self.walk = walk
  }

  init(_ reader: FuseReader, _ set: ShardedReader, within network: FuseNetwork) throws(FuseError) {
    self.reader = reader
    for number in 0..<set.shardCount {
      let shard = try set.shard(at: number)
      guard shard.hasNetworks else { continue }
      var scan = try shard.networks(within: network)
      if let next = try scan.next() { shards.append((number, scan, next)) }
    }
  }

  /// The first of what comes next in all shards.
  private mutating func nextOfShards() throws(FuseError) -> NetworkEntry? {
    let first = shards.indices.min { shards[$0].next.network < shards[$1].next.network }
    guard let first else { return nil }
    let (number, _, entry) = shards[first]
    if let next = try shards[first].scan.next() { shards[first].next = next } else { shards.remove(at: first) }
    return NetworkEntry(
      reader: reader, network: entry.network, objectOffset: FuseReader.offset(entry.objectOffset, inShard: number))
  }

  /// The next block, or nil after the last.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the file is no longer what was opened.
  public mutating func next() throws(FuseError) -> NetworkEntry? {
    if walk == nil { return try nextOfShards() }
    let reader = reader
    let found: (network: FuseNetwork, object: UInt64)?
    do throws(FuseError) {
      found = try walk?.next { network throws(FuseError) in try reader.objectOffset(of: network) }
    } catch {
      throw reader.unlessShrunk(error)
    }
    try reader.checkNotShrunk()
    return found.map { NetworkEntry(reader: reader, network: $0.network, objectOffset: $0.object) }
  }
}
