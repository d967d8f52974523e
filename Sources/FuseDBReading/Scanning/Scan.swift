internal import FuseDBCompact
public import FuseDBFormat
public import FuseDBSystem
public import FuseDBValues

/// Goes through keys in order, one entry a step, reading the file as it goes.
///
///     var scan = try reader.prefix("8.8.")
///     while let entry = try scan.next() {
///       try entry.key                // a copy of the key's bytes
///       try entry.bytes.byteCount    // the object, in place
///     }
///
/// It is no `Sequence`, because a step can fail: a file that was damaged while it was open ends a scan with an error,
/// never early and in silence.
public struct Scan: FuseIterator, Sendable {
  @usableFromInline let reader: FuseReader
  /// What else a scan of a compact file or of a set has; nil for others.
  @usableFromInline var source: ScanSource?
  private let direction: FuseReader.Direction
  /// What was not read yet: ascending, from `lower` on; descending, up to `upper`.
  private var lower: FuseReader.Position
  private var upper: FuseReader.Position
  /// The entries that were read together, in the order of the scan, and how many of them were given.
  @usableFromInline var block: [IndexEntry] = []
  @usableFromInline var blockCount = 0
  @usableFromInline var givenCount = 0
  /// What is to be thrown after them.
  private var failure: FuseError?
  /// The key of the last entry that was read.
  private var previous: Range<Int>?
  /// The strides that were compared with their checksums already.
  private var checkedStrides: (Int, Int)
  /// Whether the objects are asked for as their keys are read.
  private let readsObjects: Bool

  init(
    _ reader: FuseReader, from lower: FuseReader.Position, to upper: FuseReader.Position,
    _ direction: FuseReader.Direction, checked: (Int, Int) = (-1, -1), readsObjects: Bool = true
  ) {
    self.reader = reader
    source = reader.isCompact ? ScanSource.of(reader) : nil
    self.lower = lower
    self.upper = upper
    self.direction = direction
    self.readsObjects = readsObjects
    checkedStrides = checked
  }

  /// One of a set, which begins where those of its shards do.
  init(_ reader: FuseReader, merging scans: [Scan], _ direction: FuseReader.Direction, sharedByteCount: Int) {
    self.reader = reader
    source = MergedScan(reader.shardSet!, reader, scans, sharedByteCount: sharedByteCount)
    lower = FuseReader.Position(number: 0, offset: 0)
    upper = FuseReader.Position(number: scans.reduce(0) { $0 + $1.count }, offset: 0)
    self.direction = direction
    readsObjects = true
    checkedStrides = (-1, -1)
  }

  /// The same for whoever looks at keys alone.
  package var keysOnly: Scan {
    if reader.shardSet != nil { return self }
    return Scan(reader, from: lower, to: upper, direction, checked: checkedStrides, readsObjects: false)
  }

  /// The reader that the entries are of which were read last.
  @inline(__always)
  var owner: FuseReader { source?.owner ?? reader }

  /// The next entries as they stand in ``owner``, as many as were read together; none at the end.
  mutating func nextEntries() throws(FuseError) -> ArraySlice<IndexEntry> {
    if givenCount == blockCount {
      guard try readBlock() else { return [] }
    }
    defer { givenCount = blockCount }
    return block[givenCount..<blockCount]
  }

  /// How many entries are still to come.
  /// - Complexity: O(1).
  public var count: Int { max(0, upper.number - lower.number) + blockCount - givenCount }

  /// The next entry, or nil at the end.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  @inlinable
  public mutating func next() throws(FuseError) -> Entry? {
    if givenCount == blockCount {
      guard try readBlock() else { return nil }
    }
    let entry = block[givenCount]
    givenCount += 1
    return Entry(reader: source?.owner ?? reader, entry: entry)
  }

  /// Passes over `count` entries, or as many as there are.
  ///
  /// - Throws: as ``next()``.
  public mutating func skip(_ count: Int) throws(FuseError) {
    for _ in 0..<min(count, self.count) { _ = try next() }
  }

  /// Calls `body` with the key and the object of each entry that is left, in place, in their order.
  ///
  ///     try reader.entries().forEachInPlace { key, object in
  ///       byteCount += key.byteCount + object.byteCount
  ///     }
  ///
  /// This is the quickest way through many entries: their memory is asked for together, and nothing is copied. Each
  /// object's checksum is compared before `body` has it. What `body` read of the last entries is the file's if this call
  /// returns.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` where index or object is no longer what was opened;
  ///   `body` was called for all entries before. And what `body` throws, which ends it.
  /// - Complexity: O(entries).
  @inlinable
  public func forEachInPlace(_ body: (_ key: RawSpan, _ object: RawSpan) throws -> Void) throws {
    if source != nil { return try forEachExpanded(body) }
    var rest = self
    let reader = reader
    while try rest.givenCount < rest.blockCount || rest.readBlock() {
      let block = rest.block
      let entries = block.span
      for number in rest.givenCount..<rest.blockCount {
        // SAFETY: `readBlock` read so many entries into the block.
        let entry = unsafe entries[unchecked: number]
        let mapping = reader.mapping
        let record = try reader.record(at: entry.objectOffset)
        // SAFETY: keys and records lie inside the file, which `reader` keeps.
        try unsafe body(
          mapping.bytes(from: entry.offset &+ 2, count: entry.keyByteCount),
          mapping.bytes(from: record.start, count: record.byteCount))
      }
      try reader.mapping.checkNotShrunk()
      rest.givenCount = rest.blockCount
    }
  }

  /// Reads the next entries, as many as their stride has; false at the end. [G4]
  @inline(never)
  @usableFromInline
  mutating func readBlock() throws(FuseError) -> Bool {
    if let failure { throw failure }
    (blockCount, givenCount) = (0, 0)
    guard lower.number < upper.number else {
      // The entries between the two positions must have led from one to the other.
      guard lower.number > upper.number || lower.offset == upper.offset else { throw reader.changed(at: lower.offset) }
      return false
    }
    try Cancellation.check()
    do {
      if source != nil {
        try readSource()
      } else {
        switch direction {
        case .ascending: try readAscending()
        case .descending: try readDescending()
        }
      }
    } catch {
      // First what stands before the damage.
      guard blockCount > 0 else { throw error }
      failure = error
    }
    // What was read of a file that shrank meanwhile is not the file's.
    do { try reader.mapping.checkNotShrunk() } catch {
      blockCount = 0
      throw error
    }
    return true
  }

  private mutating func readSource() throws(FuseError) {
    let count = min(ScanSource.entriesAtOnce, upper.number - lower.number)
    let number = direction == .ascending ? lower.number : upper.number - 1
    if !isKnownUniquelyReferenced(&source) { source = source?.copy() }
    let owner = source!.isInPlace ? reader : reader.forEntries(after: source!.owner)
    source!.owner = owner
    makeRoom()
    var read = 0
    defer {
      if direction == .ascending { lower.number += read } else { upper.number -= read }
      blockCount = read
    }
    try source!.read(count, from: number, direction, for: owner, into: &block, &read)
  }

  /// ``forEachInPlace(_:)`` of a compact file: each object is expanded where the one before was.
  @inline(never)
  @usableFromInline
  func forEachExpanded(_ body: (_ key: RawSpan, _ object: RawSpan) throws -> Void) throws {
    var rest = self
    // What was read already.
    while rest.givenCount < rest.blockCount, let entry = try rest.next() {
      try body(entry.keyBytes, entry.bytes)
      try reader.checkNotShrunk()
    }
    if let failure { throw failure }
    guard let file = reader.compact else { return try forEachOfShards(rest, body) }
    var walk = CompactWalk(file)
    var left = upper.number - lower.number
    var isThere = left > 0 ? try walk.seek(ordinal: direction == .ascending ? lower.number : upper.number - 1) : false
    var object: [UInt8] = []
    var known: UInt64?
    while left > 0 {
      guard isThere else { throw reader.changed(at: 0) }
      if left % 256 == 0 { try Cancellation.check() }
      // Keys next to each other often have one object.
      if walk.reference != known {
        try file.expand(walk.reference, into: &object)
        known = walk.reference
      }
      try body(walk.keyBytes, object.rawSpan)
      left -= 1
      if left > 0 { isThere = try direction == .ascending ? walk.next() : walk.previous() }
    }
    try reader.checkNotShrunk()
  }

  /// The same of a set: each object where it is in its shard.
  private func forEachOfShards(_ scan: Scan, _ body: (_ key: RawSpan, _ object: RawSpan) throws -> Void) throws {
    guard let set = reader.shardSet else { return }
    let mapping = reader.mapping
    var rest = scan
    var copy: [UInt8] = []
    var blocks = 0
    while try rest.givenCount < rest.blockCount || rest.readBlock() {
      for number in rest.givenCount..<rest.blockCount {
        let entry = rest.block[number]
        let (shard, offset) = FuseReader.parts(of: entry.objectOffset)
        // SAFETY: a key lies inside the file of its shard, or is kept by the reader of these entries.
        let key = unsafe mapping.bytes(from: entry.offset &+ 2, count: entry.keyByteCount)
        // SAFETY: the set keeps its shards.
        try unsafe set.opened(shard)._withUnsafeGuaranteedRef { shard in
          guard shard.compact == nil else {
            try shard.copyObject(at: offset, into: &copy)
            return try body(key, copy.rawSpan)
          }
          let record = try shard.record(at: offset)
          let file = shard.mapping
          // SAFETY: a record lies inside the file, which the shard keeps.
          let object = unsafe file.bytes(from: record.start, count: record.byteCount)
          try body(key, object)
        }
      }
      rest.givenCount = rest.blockCount
      blocks &+= 1
      if blocks % 16 == 0 { try reader.checkShards() }
    }
    try reader.checkShards()
  }

  private mutating func readAscending() throws(FuseError) {
    let mapping = reader.mapping
    let file = mapping.bytes
    let stride = lower.number / KeyOrder.stride
    // A stride must begin where the one before it ends, the first with the index. [X18]
    if lower.number % KeyOrder.stride == 0 {
      guard lower.offset == reader.index.order.offset(ofStride: stride, in: file) else {
        throw reader.changed(at: lower.offset)
      }
    }
    try checkStride(stride)
    let count = min(upper.number, (stride + 1) * KeyOrder.stride) - lower.number
    var walk = EntryWalk(from: lower.offset, until: reader.index.end, in: file, after: previous)
    guard lower.offset >= reader.dataEnd else { throw reader.changed(at: lower.offset) }
    makeRoom()
    // Most objects reach into a second line, which is of interest if it is to be summed up.
    let lineCount: UInt = !readsObjects ? 0 : reader.checksums == .verified ? 2 : 1
    var read = 0
    // SAFETY: the block has room for the entries of a stride, of which there are no more.
    unsafe block.withUnsafeMutableBufferPointer { block in
      while read < count, let entry = walk.next() {
        mapping.prefetch(at: entry.objectOffset, lineCount: lineCount)
        unsafe block[read] = entry
        read += 1
      }
    }
    blockCount = read
    lower = FuseReader.Position(number: lower.number + read, offset: walk.offset)
    previous = walk.previous
    guard read == count else { throw reader.changed(at: walk.offset) }
  }

  private mutating func makeRoom() {
    guard block.isEmpty else { return }
    block = Array(repeating: IndexEntry(offset: 0, keyByteCount: 0, objectOffset: 0), count: KeyOrder.stride)
  }

  private mutating func readDescending() throws(FuseError) {
    let mapping = reader.mapping
    let file = mapping.bytes
    let stride = (upper.number - 1) / KeyOrder.stride
    try checkStride(stride)
    var offset = reader.index.order.offset(ofStride: stride, in: file)
    guard stride > 0 || offset == reader.dataEnd else { throw reader.changed(at: offset) }
    let first = max(lower.number, stride * KeyOrder.stride)
    makeRoom()
    // As they stand in the stride, those that come first in the scan last.
    for number in stride * KeyOrder.stride..<upper.number {
      let entry = try reader.entry(at: offset)
      offset = entry.end
      if number >= first { block[upper.number - 1 - number] = entry }
    }
    guard offset == upper.offset else { throw reader.changed(at: upper.offset) }
    let lineCount: UInt = !readsObjects ? 0 : reader.checksums == .verified ? 2 : 1
    for place in 0..<upper.number - first {
      let entry = block[place]
      guard previous.map({ file.isAscending(entry.keyRange, $0) }) ?? true else {
        throw reader.changed(at: entry.offset)
      }
      mapping.prefetch(at: entry.objectOffset, lineCount: lineCount)
      blockCount = place + 1
      previous = entry.keyRange
    }
    upper = FuseReader.Position(number: first, offset: block[blockCount - 1].offset)
  }

  private mutating func checkStride(_ stride: Int) throws(FuseError) {
    guard stride != checkedStrides.0, stride != checkedStrides.1 else { return }
    try reader.checkStride(stride)
  }
}

/// A key and the object it points at, as a scan comes across them. It keeps the file open.
public struct Entry: Sendable {
  @usableFromInline package let reader: FuseReader
  @usableFromInline package let entry: IndexEntry

  @inlinable
  @inline(__always)
  init(reader: FuseReader, entry: IndexEntry) {
    self.reader = reader
    self.entry = entry
  }

  /// A copy of the key's bytes.
  ///
  /// - Throws: ``FuseError`` with code `truncated` when the file shrank.
  public var key: [UInt8] {
    get throws(FuseError) {
      let key = try keyBytes.array()
      try reader.checkNotShrunk()
      return key
    }
  }

  /// The key's bytes, in place. What is read from them is the file's if ``FuseReader/checkNotShrunk()`` returns
  /// afterwards.
  ///
  /// - Throws: ``FuseError`` with code `truncated` when the file shrank.
  @inlinable
  public var keyBytes: RawSpan {
    @_lifetime(borrow self)
    @inline(__always)
    get throws(FuseError) {
      let mapping = reader.mapping
      try mapping.checkNotShrunk()
      // SAFETY: an entry lies inside the file; the mapping lives as long as the reader, which this entry keeps.
      return unsafe _overrideLifetime(
        mapping.bytes(from: entry.offset &+ 2, count: entry.keyByteCount), borrowing: self)
    }
  }

  /// Where the object's record begins in the file: equal for keys that share an object.
  @inlinable
  public var objectOffset: UInt64 { entry.objectOffset }

  /// The object's bytes, in place, their checksum compared, as ``FuseReader/bytes(forKey:)-(RawSpan)`` returns them.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated`.
  @inlinable
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    @inline(__always)
    get throws(FuseError) {
      let record = try reader.record(at: entry.objectOffset)
      let mapping = reader.mapping
      // SAFETY: a record lies inside the file; the mapping lives as long as the reader, which this entry keeps.
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

/// An object as it stands in the file. It keeps the file open.
public struct StoredObject: Sendable {
  package let reader: FuseReader
  let record: ObjectRecord

  /// Where the object's record begins in the file: what keys point at.
  public let offset: UInt64

  /// The object's bytes, in place; their checksum was compared when the scan came across it. What is read from them is
  /// the file's if ``FuseReader/checkNotShrunk()`` returns afterwards.
  ///
  /// - Throws: ``FuseError`` with code `truncated` when the file shrank.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get throws(FuseError) {
      let mapping = reader.mapping
      try mapping.checkNotShrunk()
      // SAFETY: a record lies inside the file or is kept by the reader; the mapping lives as long as that, which this object keeps.
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

/// Goes through the objects in the order of the file.
public struct ObjectScan: FuseIterator, Sendable {
  /// How many objects of a compact file are kept together.
  private static let objectsAtOnce = 16

  private let reader: FuseReader
  /// The reader that the objects are of: of a compact file one that keeps a few alone.
  private var owner: FuseReader
  private var offset = UInt64(Header.byteCount)
  private var found = 0
  /// Of a set: the shard that is gone through, and what of it is left.
  private var shard = -1
  private var ofShard: [ObjectScan] = []

  init(_ reader: FuseReader) {
    self.reader = reader
    owner = reader
  }

  /// The next object of a set, one shard after the other.
  private mutating func next(of set: ShardedReader) throws(FuseError) -> StoredObject? {
    while true {
      if !ofShard.isEmpty, let object = try ofShard[0].next() {
        return StoredObject(
          reader: object.reader, record: object.record, offset: FuseReader.offset(object.offset, inShard: shard))
      }
      guard shard + 1 < set.shardCount else { return nil }
      shard += 1
      ofShard = [try set.shard(at: shard).objects()]
    }
  }

  /// The next object, its checksum compared, or nil after the last.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` when a record breaks the format, when its checksum differs, or
  ///   when the section does not hold as many objects as the header says; `truncated` when the file shrank.
  public mutating func next() throws(FuseError) -> StoredObject? {
    if let set = reader.shardSet { return try next(of: set) }
    guard offset < UInt64(reader.compact?.rowsEnd ?? reader.dataEnd) else {
      guard found == Int(reader.header.objectCount) else {
        throw FuseError.corrupted(
          "the header counts \(counted(reader.header.objectCount, "object")) and the data section holds \(found)",
          at: Header.Field.objectCount
        ).at(path: reader.path)
      }
      return nil
    }
    if found & 0xFF == 0 { try Cancellation.check() }
    let start = offset
    if let compact = reader.compact {
      if found % Self.objectsAtOnce == 0 { owner = reader.forEntries(after: owner) }
      let record = try owner.expandedRecord(at: start, of: compact)
      offset = try compact.end(ofRowAt: start)
      found += 1
      return StoredObject(reader: owner, record: record, offset: start)
    }
    let record = try reader.record(at: start)
    offset = UInt64(record.end)
    found += 1
    return StoredObject(reader: reader, record: record, offset: start)
  }
}
