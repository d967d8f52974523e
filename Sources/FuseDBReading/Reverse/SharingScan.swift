public import FuseDBFormat
internal import FuseDBSystem

/// Goes through the keys that share one object, in their order.
///
///     if var scan = try reader.keys(sharing: "8.8.8.8") {
///       while let entry = try scan.next() { print(try entry.key) }   // 8.8.8.8, gmail.com
///     }
///
/// It is no `Sequence`, because a step can fail: damage ends it with an error, never early and in silence.
public struct SharingScan: FuseIterator, Sendable {
  private static let keysBetweenReports = 1 << 16

  /// Where the object's record begins in the file.
  public let objectOffset: UInt64
  /// One of three is there, until it is at its end: the only key;
  private var single: Entry?
  /// the keys that the file lists;
  private var list: ReverseList?
  /// all keys, to choose from.
  private var scan: Scan?
  /// Of a set: where other shards have the same object.
  private var others: Set<UInt64> = []
  /// Whether the file says that one key at most has the object.
  private let isSingle: Bool

  /// - Parameter known: one of the keys; nil where none is known.
  init(
    of object: UInt64, known: Entry?, _ reader: FuseReader, _ direction: FuseReader.Direction
  ) throws(FuseError) {
    objectOffset = object
    let all = Scan(reader, from: reader.start, to: reader.end, direction)
    if let set = reader.shardSet {
      others = try set.objects(like: object, of: reader)
      scan = all
      isSingle = false
      return
    }
    guard let table = reader.index.reverse else {
      scan = all
      isSingle = false
      return
    }
    // No object is at such an offset, and the table has none.
    guard object < UInt64(reader.dataEnd) else {
      isSingle = true
      return
    }
    var list = ReverseList(table, of: object, reader, direction)
    isSingle = try !list.fill()
    if !isSingle {
      self.list = list
    } else if known != nil {
      single = known
    } else {
      scan = all
    }
  }

  /// The next key with its object, or nil after the last.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the file is no longer what was opened, or the section that
  ///   lists the keys is damaged.
  /// - Complexity: O(1) where the file has a reverse index; otherwise O(keys) for all steps together. No object is read.
  public mutating func next() throws(FuseError) -> Entry? { try next { _ in } }

  /// The same.
  ///
  /// - Parameter progress: called now and then with the share of all keys that was looked at, from 0 to 1.
  package mutating func next(_ progress: (Double) -> Void) throws(FuseError) -> Entry? {
    if let entry = single {
      single = nil
      return entry
    }
    if list != nil { return try list?.next() }
    while let entry = try scan?.next() {
      guard entry.objectOffset == objectOffset || others.contains(entry.objectOffset) else {
        if let left = scan?.count, left % Self.keysBetweenReports == 0 {
          progress(1 - Double(left) / Double(entry.reader.keyCount))
        }
        continue
      }
      if isSingle { scan = nil }
      return entry
    }
    return nil
  }

}

/// Goes through the entries that the section `REVS` lists for an object.
struct ReverseList: Sendable {
  private let reader: FuseReader
  private let table: ReverseTable
  private let object: UInt64
  private let direction: FuseReader.Direction
  /// All blocks of the list, and those of them that are still to be read.
  private let blocks: Range<Int>
  private var rest: Range<Int>
  /// Numbers of entries from a block, the next one last.
  private var numbers: [UInt32] = []
  /// Where the entries of one stride begin.
  private var strideNumber = -1
  private var stride: [Int] = []
  private var previous: (number: UInt32, key: Range<Int>)?

  init(_ table: ReverseTable, of object: UInt64, _ reader: FuseReader, _ direction: FuseReader.Direction) {
    self.table = table
    self.object = object
    self.reader = reader
    self.direction = direction
    let mapping = reader.mapping
    blocks = table.blocks(of: object, in: mapping.bytes)
    rest = blocks
  }

  /// Reads blocks until there are entries; returns whether there are.
  mutating func fill() throws(FuseError) -> Bool {
    let mapping = reader.mapping
    while numbers.isEmpty, !rest.isEmpty {
      let number = direction == .ascending ? rest.lowerBound : rest.upperBound - 1
      rest = direction == .ascending ? number + 1..<rest.upperBound : rest.lowerBound..<number
      do throws(FuseError) {
        try table.append(
          entriesOf: object, inBlock: number, of: blocks, isChecked: reader.checksums == .verified,
          file: mapping.bytes, to: &numbers)
      } catch {
        throw reader.unlessShrunk(error)
      }
      if direction == .ascending { numbers.reverse() }
    }
    try mapping.checkNotShrunk()
    return !numbers.isEmpty
  }

  mutating func next() throws(FuseError) -> Entry? {
    guard try fill(), let number = numbers.popLast() else { return nil }
    let entry = try entry(number)
    let mapping = reader.mapping
    if let previous {
      let isAscending = previous.number < number && mapping.bytes.isAscending(previous.key, entry.keyRange)
      let isDescending = previous.number > number && mapping.bytes.isAscending(entry.keyRange, previous.key)
      guard direction == .ascending ? isAscending : isDescending else { throw reader.changed(at: entry.offset) }
    }
    guard entry.objectOffset == object else {
      throw reader.unlessShrunk(
        .corrupted(
          "the reverse index says that the key here has the object at \(object), and its entry says \(entry.objectOffset)",
          at: entry.offset))
    }
    previous = (number, entry.keyRange)
    try mapping.checkNotShrunk()
    return Entry(reader: reader, entry: entry)
  }

  /// The entry of a number, in a stride that was compared with its checksum. [X18] [Y8]
  private mutating func entry(_ number: UInt32) throws(FuseError) -> IndexEntry {
    guard Int(number) < reader.keyCount else {
      throw reader.unlessShrunk(
        .corrupted(
          "the reverse index names key number \(number), and the file has \(counted(reader.keyCount, "key"))",
          at: table.range.lowerBound))
    }
    if Int(number) / KeyOrder.stride != strideNumber { try readStride(Int(number) / KeyOrder.stride) }
    return try reader.entry(at: stride[Int(number) % KeyOrder.stride])
  }

  private mutating func readStride(_ number: Int) throws(FuseError) {
    let mapping = reader.mapping
    let file = mapping.bytes
    let order = reader.index.order
    try reader.checkStride(number)
    strideNumber = number
    stride.removeAll(keepingCapacity: true)
    var offset = order.offset(ofStride: number, in: file)
    guard number > 0 || offset == reader.dataEnd else { throw reader.changed(at: offset) }
    for _ in number * KeyOrder.stride..<min(reader.keyCount, (number + 1) * KeyOrder.stride) {
      stride.append(offset)
      offset = try reader.entry(at: offset).end
    }
    let end = number + 1 < order.strideCount ? order.offset(ofStride: number + 1, in: file) : reader.index.end
    guard offset == end else { throw reader.changed(at: offset) }
  }
}
