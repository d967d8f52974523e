internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Goes through the key index of an unchecked file: every entry inside the index, keys ascending, strides as
/// their checksums say, or, in a file without these, the index as long as the header says. [O3] [O5] [G4] [X18]
struct IndexWalk {
  /// How much of the index stays in memory after the walk.
  private static let pageLimit = 1 << 20

  private let reader: FuseReader
  private let isIndexed: Bool
  /// From where on pages of the mapping are in memory because of this walk.
  private var keptFrom: Int
  /// The entry that it stands on, nil at the end.
  private(set) var entry: IndexEntry?
  /// The number of the entry after that, and where it begins.
  private var nextNumber = 0
  private var nextOffset: Int
  /// The key of the entry before, unless the walk began with this one.
  private var previous: Range<Int>?
  private var highestTarget: UInt64 = 0

  /// Stands on the first entry.
  init(_ input: MergeFile) throws(FuseError) {
    reader = input.reader
    isIndexed = input.isIndexed
    nextOffset = reader.dataEnd
    keptFrom = nextOffset
    try advance()
  }

  /// Goes to the next entry.
  @inline(__always)
  mutating func advance() throws(FuseError) {
    let offset = nextOffset
    guard nextNumber < reader.keyCount else { return try finish() }
    if isIndexed, nextNumber % KeyOrder.stride == 0 { try checkStride() }
    let mapping = reader.mapping
    let file = mapping.bytes
    guard let next = IndexEntry(at: offset, in: file), next.end <= reader.index.end else {
      throw bad("runs past the end of the index")
    }
    if next.end &- keptFrom > Self.pageLimit { dropPages() }
    if let previous, !file.isAscending(previous, next.keyRange) {
      throw bad("has a key that does not come after the one before it")
    }
    highestTarget = max(highestTarget, next.objectOffset)
    previous = next.keyRange
    entry = next
    nextNumber &+= 1
    nextOffset = next.end
  }

  /// Goes on to the first entry whose key is not smaller than `key`.
  mutating func seek(_ key: [UInt8]) throws(FuseError) {
    if isIndexed, !key.isEmpty, let entry, try isBefore(entry, key) {
      let position = try reader.position(ofFirstKeyNotBefore: key.rawSpan)
      previous = nil
      dropPages()
      (nextNumber, nextOffset) = (position.number, position.offset)
      keptFrom = nextOffset
      // The search has compared the checksum of the stride that the position is in.
      try advance()
    }
    while let entry, try isBefore(entry, key) { try advance() }
  }

  private func isBefore(_ entry: IndexEntry, _ key: [UInt8]) throws(FuseError) -> Bool {
    let mapping = reader.mapping
    return mapping.bytes.extracting(entry.keyRange).compare(key.rawSpan) < 0
  }

  /// Goes to the end where only that shows whether the file is sound.
  mutating func checkRest() throws(FuseError) {
    guard !isIndexed else { return }
    while entry != nil { try advance() }
  }

  /// Lets go of what was read: pages of a mapping count as memory of the process.
  @inline(never)
  private mutating func dropPages() {
    let mapping = reader.mapping
    // The order and the last bytes are read, too, and the kernel may map two megabytes around each.
    mapping.dropPages(in: 0..<mapping.byteCount)
    keptFrom = nextOffset
  }

  @inline(never)
  private func checkStride() throws(FuseError) {
    let stride = nextNumber / KeyOrder.stride
    let mapping = reader.mapping
    guard reader.index.order.offset(ofStride: stride, in: mapping.bytes) == nextOffset else {
      throw reader.changed(at: nextOffset)
    }
    try reader.checkStride(stride)
  }

  @inline(never)
  private mutating func finish() throws(FuseError) {
    entry = nil
    dropPages()
    guard nextOffset == reader.index.end else {
      throw reader.unlessShrunk(
        .corrupted(
          "there is more after the last of \(counted(reader.keyCount, "key")), \(counted(reader.index.end - nextOffset, "byte")); the header's count or the file is damaged",
          at: nextOffset))
    }
    guard !isIndexed, nextNumber > 0 else { return try reader.checkNotShrunk() }
    let mapping = reader.mapping
    do throws(FuseError) {
      try IndexPass.checkRecords(from: highestTarget, until: reader.dataEnd, in: mapping.bytes)
    } catch {
      throw reader.unlessShrunk(error)
    }
    try reader.checkNotShrunk()
  }

  private func bad(_ what: String) -> FuseError {
    reader.unlessShrunk(
      .corrupted("index entry \(nextNumber) \(what); 'fusedb verify' lists the damage", at: nextOffset))
  }
}

/// The keys from one to another.
struct KeyRange: Equatable, Sendable {
  var lower: [UInt8]
  /// The first key after it; nil where there is no end.
  var upper: [UInt8]?

  static let all = KeyRange(lower: [], upper: nil)

  /// The keys that begin with any of `prefixes`: ranges in order that don't meet. All keys where there are none.
  static func ranges(ofPrefixes prefixes: [[UInt8]]) -> [KeyRange] {
    guard !prefixes.isEmpty else { return [.all] }
    var kept: [[UInt8]] = []
    for prefix in prefixes.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      // A prefix stands after those that it begins with itself.
      if let last = kept.last, prefix.starts(with: last) { continue }
      kept.append(prefix)
    }
    return kept.map { KeyRange(lower: $0, upper: end(of: $0)) }
  }

  /// The keys that begin with "ab" end before "ac"; those that begin with bytes of 255 alone have no end.
  private static func end(of prefix: [UInt8]) -> [UInt8]? {
    var end = prefix
    while end.last == 0xFF { end.removeLast() }
    guard let last = end.popLast() else { return nil }
    return end + [last + 1]
  }
}
