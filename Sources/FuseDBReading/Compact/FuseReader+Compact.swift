internal import FuseDBCompact
public import FuseDBFormat
internal import FuseDBSystem
public import FuseDBValues

// What a compact file answers, version 3 of the format. Its objects are no slices of it: they are expanded, into a buffer where a call ends
// before its bytes do, and otherwise into memory that whoever hands them out keeps. See spec/compact.md.
//
// Entries and records count from the first byte of the mapping. Those of what was expanded lie somewhere else in memory, at a distance
// that may be negative; whoever made them keeps that memory.

extension FuseReader {
  /// Whether objects are no slices of the file: of the compact form, or of a set, where they are in its shards.
  @inlinable package var isCompact: Bool { dataEnd == 0 }

  /// A reader of the same file that keeps what is expanded for itself: for entries, which keep their reader.
  ///
  /// - Parameter other: the one for the entries before, if there were any: as much is expected.
  func forEntries(after other: FuseReader? = nil) -> FuseReader {
    FuseReader(self, generation: generation, expecting: other === self ? 0 : other?.expanded.byteCount ?? 0)
  }

  /// This reader, or that of a compact file which keeps what is expanded no longer than itself: for matches that end with a call.
  @usableFromInline package var forOneCall: FuseReader { isCompact ? forEntries() : self }

  /// How many bytes of a compact file were expanded and are kept.
  package var keptByteCount: Int { expanded.byteCount }

  /// Puts the bytes of the object at an offset into `bytes`, in place of what it has; nothing is kept.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated`.
  package func copyObject(at offset: UInt64, into bytes: inout [UInt8]) throws(FuseError) {
    bytes.removeAll(keepingCapacity: true)
    if let compact {
      do throws(FuseError) {
        try compact.expand(rowAt: offset, into: &bytes)
      } catch {
        throw unlessShrunk(error)
      }
      return try checkNotShrunk()
    }
    if let set = shardSet { return try copyObject(at: offset, in: set, into: &bytes) }
    let record = try record(at: offset)
    let mapping = mapping
    // SAFETY: a record lies inside the file, which the mapping keeps.
    unsafe mapping.bytes(from: record.start, count: record.byteCount).withUnsafeBytes {
      unsafe bytes.append(contentsOf: $0)
    }
    try checkNotShrunk()
  }

  // MARK: Look-up

  /// Where the row under `key` begins.
  func rowOffset(forKey key: RawSpan, in compact: CompactReader) throws(FuseError) -> UInt64? {
    guard let reference = try compact.reference(forKey: key) else { return nil }
    return compact.rowOffset(ofReference: reference)
  }

  /// The record of what was expanded of a row, and is kept as long as this reader.
  @inline(never)
  func expandedRecord(at offset: UInt64, of compact: CompactReader) throws(FuseError) -> ObjectRecord {
    // SAFETY: this reader keeps the memory.
    unsafe record(ofExpanded: try expanded.object(at: offset, of: compact))
  }

  // SAFETY: whoever calls this keeps the memory; only its address is taken.
  @unsafe
  private func record(ofExpanded object: UnsafeRawBufferPointer) -> ObjectRecord {
    ObjectRecord(
      offset: unsafe distance(to: object.baseAddress!) &- ObjectRecord.overhead, byteCount: object.count, checksum: 0)
  }

  /// The entry of a key that was found, which is kept as long as this reader, once however often it is found.
  func foundEntry(_ key: RawSpan, rowOffset: UInt64) throws(FuseError) -> IndexEntry {
    // SAFETY: this reader keeps the memory.
    unsafe entry(ofKept: try expanded.keepOnce(key), rowOffset: rowOffset)
  }

  /// The same, kept once more.
  func expandedEntry(_ key: RawSpan, rowOffset: UInt64) throws(FuseError) -> IndexEntry {
    // SAFETY: this reader keeps the memory.
    unsafe entry(ofKept: try expanded.keep(key), rowOffset: rowOffset)
  }

  // SAFETY: whoever calls this keeps the memory; only its address is taken.
  @unsafe
  private func entry(ofKept kept: UnsafeRawBufferPointer, rowOffset: UInt64) -> IndexEntry {
    unsafe IndexEntry(
      offset: distance(to: kept.baseAddress!) &- 2, keyByteCount: kept.count, objectOffset: rowOffset)
  }

  // SAFETY: a distance is a number; nothing is read here.
  @unsafe
  private func distance(to address: UnsafeRawPointer) -> Int {
    unsafe Int(bitPattern: address) &- Int(bitPattern: mapping.address(of: 0))
  }

  /// The record of what was expanded of a row, which is there until ``endCall(_:)``.
  func callRecord(at offset: UInt64, of compact: CompactReader) throws(FuseError) -> ObjectRecord {
    // SAFETY: whoever called has it freed.
    unsafe record(ofExpanded: UnsafeRawBufferPointer(try compact.expandedCopy(rowAt: offset)))
  }

  /// Gives back what a record for a call is, once a call has used it, and throws when it was no longer the file's.
  @inline(never)
  @usableFromInline func finishCall(_ record: ObjectRecord) throws(FuseError) {
    endCall(record)
    try checkFile(of: record)
  }

  /// Gives back what a record for a call of a compact file is.
  @inline(never)
  @usableFromInline func endCall(_ record: ObjectRecord) {
    guard isForCall(record) else { return }
    // SAFETY: `callRecord` allocated it, and nothing has it any more.
    unsafe UnsafeMutableRawPointer(mutating: mapping.address(of: record.start)).deallocate()
  }

  /// Calls `body` with the value under `key`, in place: through its row, or what that is expanded to.
  @inlinable
  @inline(never)
  func withRow<Result>(forKey key: RawSpan, _ body: (FuseView) throws -> Result?) throws -> Result? {
    var result: Result?
    try viewRow(forKey: key) { result = try body($0) }
    return result
  }

  @usableFromInline
  @inline(never)
  func viewRow(forKey key: RawSpan, _ body: (FuseView) throws -> Void) throws {
    if let set = shardSet {
      let _: Void? = try set.withValue(forKey: key) { try body($0) }
      return
    }
    guard let compact, let reference = try compact.reference(forKey: key) else { return }
    if try compact.withView(ofReference: reference, body) { return }
    var object: [UInt8] = []
    try compact.expand(reference, into: &object)
    try body(view(of: object.rawSpan))
  }

  /// Calls `body` with the value of the object at an offset, in place.
  ///
  /// - Throws: as ``view(forKey:)-(RawSpan)``, and what `body` throws.
  package func withValue(at offset: UInt64, _ body: (FuseView) throws -> Void) throws {
    if let set = shardSet { return try inShard(of: offset, set) { try $0.withValue(at: $1, body) } }
    guard let compact else {
      let record = try record(at: offset)
      let mapping = mapping
      // SAFETY: a record lies inside the file.
      try body(view(of: unsafe mapping.bytes(from: record.start, count: record.byteCount)))
      return try checkNotShrunk()
    }
    if try compact.withView(ofRowAt: offset, body) { return }
    var object: [UInt8] = []
    try compact.expand(rowAt: offset, into: &object)
    try body(FuseView(validated: object.rawSpan))
  }

  // MARK: Order

  /// Where the first key stands that is not before `key`, or that does not begin with it either.
  @inline(never)
  func searchCompact(_ key: RawSpan, _ goal: SearchGoal) throws(FuseError) -> SearchResult {
    if let set = shardSet { return try searchShards(key, goal, of: set) }
    guard let compact else { preconditionFailure("the file is compact") }
    var walk = CompactWalk(compact)
    var isThere: Bool
    switch goal {
    case .first: isThere = try walk.seek(notBelow: key)
    case .firstOther:
      isThere = try walk.seek(lastBeginningWith: key.array())
      // The one after the last, which is the first where there is none before.
      if isThere {
        isThere = try walk.next()
      } else {
        isThere = try walk.seekFirst()
      }
    }
    return SearchResult(
      position: Position(number: isThere ? walk.ordinal : keyCount, offset: 0), previous: nil, stride: 0)
  }

  /// The entry with a number, of a reader of its own.
  func compactEntry(number: Int, in compact: CompactReader) throws(FuseError) -> Entry {
    var walk = CompactWalk(compact)
    guard try walk.seek(ordinal: number) else { throw changed(at: 0) }
    let reader = forEntries()
    let entry = try reader.expandedEntry(
      walk.keyBytes, rowOffset: compact.rowOffset(ofReference: walk.reference))
    return Entry(reader: reader, entry: entry)
  }

  /// The key that a text begins with, or how many bytes of it such keys have at most; see ``neighbour(of:_:)``.
  func compactNeighbour(
    of text: RawSpan, in compact: CompactReader
  ) throws(FuseError) -> (entry: IndexEntry?, sharedByteCount: Int) {
    var walk = CompactWalk(compact)
    guard try walk.seek(notAbove: text) else { return (nil, -1) }
    let shared = walk.keyBytes.sharedByteCount(with: text)
    guard shared == walk.keyBytes.byteCount else { return (nil, shared) }
    return (try foundEntry(walk.keyBytes, rowOffset: compact.rowOffset(ofReference: walk.reference)), shared)
  }
}

/// What a scan has of a compact file: where it is.
final class CompactScan: ScanSource, @unchecked Sendable {
  private let compact: CompactReader
  private var walk: CompactWalk
  private var isSet = false

  init(_ compact: CompactReader, _ reader: FuseReader) {
    self.compact = compact
    walk = CompactWalk(compact)
    super.init(reader)
  }

  private init(_ other: CompactScan) {
    compact = other.compact
    walk = other.walk
    isSet = other.isSet
    super.init(other.owner)
  }

  override func copy() -> ScanSource { CompactScan(self) }

  override func read(
    _ count: Int, from number: Int, _ direction: FuseReader.Direction, for reader: FuseReader,
    into block: inout [IndexEntry], _ read: inout Int
  ) throws(FuseError) {
    try go(count, from: number, direction, for: reader, into: &block, &read, &walk)
  }

  /// The same with the walk in hand, which is looked up once then.
  private func go(
    _ count: Int, from number: Int, _ direction: FuseReader.Direction, for reader: FuseReader,
    into block: inout [IndexEntry], _ read: inout Int, _ walk: inout CompactWalk
  ) throws(FuseError) {
    while read < count {
      let isThere: Bool
      if !isSet {
        isThere = try walk.seek(ordinal: number)
        isSet = true
      } else if direction == .ascending {
        isThere = try walk.next()
      } else {
        isThere = try walk.previous()
      }
      guard isThere else { throw reader.changed(at: 0) }
      block[read] = try reader.expandedEntry(
        walk.keyBytes, rowOffset: compact.rowOffset(ofReference: walk.reference))
      read += 1
    }
  }
}
