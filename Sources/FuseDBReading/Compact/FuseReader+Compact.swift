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
  /// Whether the file is of the compact form.
  @inlinable package var isCompact: Bool { dataEnd == 0 }

  /// A reader of the same file that keeps what is expanded for itself: for entries, which keep their reader.
  func forEntries() -> FuseReader { FuseReader(self, generation: generation) }

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
    if let object = unsafe expanded.object(at: offset) { return unsafe record(ofExpanded: object) }
    var object: [UInt8] = []
    try compact.expand(rowAt: offset, into: &object)
    // SAFETY: as above.
    return unsafe record(ofExpanded: try expanded.keep(object.rawSpan, at: offset))
  }

  @unsafe
  private func record(ofExpanded object: UnsafeRawBufferPointer) -> ObjectRecord {
    ObjectRecord(
      offset: unsafe distance(to: object.baseAddress!) &- ObjectRecord.overhead, byteCount: object.count, checksum: 0)
  }

  /// The entry of a key that was found, which is kept as long as this reader.
  func expandedEntry(_ key: RawSpan, rowOffset: UInt64) throws(FuseError) -> IndexEntry {
    // SAFETY: this reader keeps the memory.
    let kept = unsafe try expanded.keep(key)
    return unsafe IndexEntry(
      offset: distance(to: kept.baseAddress!) &- 2, keyByteCount: kept.count, objectOffset: rowOffset)
  }

  // SAFETY: a distance is a number; nothing is read here.
  @unsafe
  private func distance(to address: UnsafeRawPointer) -> Int {
    unsafe Int(bitPattern: address) &- Int(bitPattern: mapping.address(of: 0))
  }

  /// Calls `body` with the object under `key`, which is expanded into a buffer for as long.
  ///
  /// In the caller's code there is nothing but what depends on its types.
  @inlinable
  func withExpandedBytes<Result>(forKey key: RawSpan, _ body: (RawSpan) throws -> Result) throws -> Result? {
    var result: Result?
    try expandBytes(forKey: key) { result = try body($0) }
    return result
  }

  @usableFromInline
  @inline(never)
  func expandBytes(forKey key: RawSpan, _ body: (RawSpan) throws -> Void) throws {
    guard let compact, let reference = try compact.reference(forKey: key) else { return }
    var object: [UInt8] = []
    object.reserveCapacity(Self.usualObjectByteCount)
    try compact.expand(reference, into: &object)
    try body(object.rawSpan)
  }

  /// Calls `body` with the value under `key`, in place: through its row, or what that is expanded to.
  @inlinable
  func withRow<Result>(forKey key: RawSpan, _ body: (FuseView) throws -> Result?) throws -> Result? {
    var result: Result?
    try viewRow(forKey: key) { result = try body($0) }
    return result
  }

  @usableFromInline
  @inline(never)
  func viewRow(forKey key: RawSpan, _ body: (FuseView) throws -> Void) throws {
    guard let compact, let reference = try compact.reference(forKey: key) else { return }
    if try compact.withView(ofReference: reference, body) { return }
    var object: [UInt8] = []
    try compact.expand(reference, into: &object)
    try body(view(of: object.rawSpan))
  }

  private static var usualObjectByteCount: Int { 1 << 10 }

  /// Looks keys up, one after the other in `bytes`, and calls `body` for each, for as long as it returns true.
  ///
  /// - Returns: whether it always did.
  @usableFromInline
  @inline(never)
  func answerCompact(
    _ keys: [Range<Int>], in bytes: RawSpan, from number: Int,
    _ body: (_ number: Int, _ bytes: RawSpan?) throws(FuseError) -> Bool
  ) throws(FuseError) -> Bool {
    guard let compact else { return true }
    var references: [UInt64?] = []
    try compact.references(forKeys: keys, of: bytes, into: &references)
    var object: [UInt8] = []
    for (place, reference) in references.enumerated() {
      if let reference {
        try compact.expand(reference, into: &object)
        guard try body(number + place, object.rawSpan) else { return false }
      } else {
        guard try body(number + place, nil) else { return false }
      }
    }
    return true
  }

  // MARK: Order

  /// Where the first key stands that is not before `key`, or that does not begin with it either.
  func searchCompact(_ key: RawSpan, _ goal: SearchGoal, in compact: CompactReader) throws(FuseError) -> SearchResult {
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
    return (
      try expandedEntry(walk.keyBytes, rowOffset: compact.rowOffset(ofReference: walk.reference)), shared
    )
  }
}

/// What a scan has of a compact file: where it is, and the reader that keeps the entries that were read last.
struct CompactScan: Sendable {
  /// How many entries are read together.
  static let entriesAtOnce = KeyOrder.stride

  private let compact: CompactReader
  private var walk: CompactWalk
  private var isSet = false

  init(_ compact: CompactReader) {
    self.compact = compact
    walk = CompactWalk(compact)
  }

  /// Reads the next entry in a direction, the first time that with a number; a reader keeps it.
  mutating func next(
    from number: Int, _ direction: FuseReader.Direction, for reader: FuseReader
  ) throws(FuseError) -> IndexEntry {
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
    return try reader.expandedEntry(
      walk.keyBytes, rowOffset: compact.rowOffset(ofReference: walk.reference))
  }
}

extension [UInt8] {
  /// Appends a copy of the bytes.
  @usableFromInline
  mutating func append(copying bytes: RawSpan) {
    // SAFETY: the array copies the span's bytes before the pointer ends.
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}
