internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Where the records of a file of a chain come from, or its keys: numbers of the old file, and from its count on those of the
/// store of what patches brought.
enum PatchOrigins {
  /// From the old file, as they stand there.
  case old(count: Int)
  case listed([UInt32])

  var count: Int {
    switch self {
    case .old(let count): count
    case .listed(let origins): origins.count
    }
  }

  subscript(number: Int) -> Int {
    switch self {
    case .old: number
    case .listed(let origins): Int(origins[number])
    }
  }
}

/// What a patch needs to know of the file before it: the old one, or one that is never made. See spec/patch.md §9.
///
/// Of those that are never made there are two at most: what the last patch made, and what the next one makes of it.
struct PatchLevel {
  var records: PatchOrigins
  var keys: PatchOrigins
  /// Which record each entry points at; nil for the old file, which says so itself.
  var targets: [UInt32]?
  /// The length of the key index.
  var indexByteCount: Int

  /// The old file.
  init(_ old: PatchEnd) {
    records = .old(count: old.recordCount)
    keys = .old(count: old.reader.keyCount)
    indexByteCount = old.reader.index.end - old.reader.dataEnd
  }

  init(records: [UInt32], keys: [UInt32], targets: [UInt32], indexByteCount: Int) {
    self.records = .listed(records)
    self.keys = .listed(keys)
    self.targets = targets
    self.indexByteCount = indexByteCount
  }

  /// Nothing: what takes the place of a level whose memory is wanted.
  static let empty = PatchLevel()

  private init() {
    records = .old(count: 0)
    keys = .old(count: 0)
    indexByteCount = 0
  }
}

/// What all files of a chain are made of: the old file, and what patches brought.
final class PatchMaterial {
  private(set) var old: PatchEnd
  var objects: PatchStore
  var keys: PatchStore
  /// Arrays that earlier levels had, for later ones: memory that is given back and taken anew goes to pieces.
  private var spare: [[UInt32]] = []
  private let folder: String

  /// - Parameter folder: for files without a name.
  init(_ old: PatchEnd, in folder: String) {
    self.old = old
    self.folder = folder
    objects = PatchStore(in: folder)
    keys = PatchStore(in: folder)
  }

  /// An empty array with the room that an earlier level needed.
  func takeArray() -> [UInt32] {
    guard var array = spare.popLast() else { return [] }
    array.removeAll(keepingCapacity: true)
    return array
  }

  /// Keeps the arrays of a level for a later one.
  func give(_ level: PatchLevel) {
    for case .listed(let origins) in [level.records, level.keys] { spare.append(origins) }
    if let targets = level.targets { spare.append(targets) }
  }

  /// Keeps an array for a later level.
  func give(_ array: [UInt32]) { spare.append(array) }

  /// Gives back the memory of arrays that no level needs any more.
  func forgetArrays() { spare = [] }

  /// Gives back the memory of what is known about records. None is asked for any more.
  func forgetRecords() {
    old.forgetRecords()
    objects = PatchStore(in: folder)
  }

  /// Whether an origin is a record of the old file.
  func isOld(record origin: Int) -> Bool { origin < old.recordCount }
  /// Whether an origin is an entry of the old file.
  func isOld(key origin: Int) -> Bool { origin < old.reader.keyCount }

  /// Adds an object, and returns its origin.
  func add(object: RawSpan) throws(FuseError) -> UInt32 {
    let origin = try Self.origin(old.recordCount + objects.count, "objects")
    try objects.append(object)
    return origin
  }

  /// Adds a key, and returns its origin.
  func add(key: RawSpan) throws(FuseError) -> UInt32 {
    let origin = try Self.origin(old.reader.keyCount + keys.count, "keys")
    try keys.append(key)
    return origin
  }

  private static func origin(_ number: Int, _ what: String) throws(FuseError) -> UInt32 {
    guard number < Int(RecordOrigins.none) else {
      throw FuseError(
        .limitExceeded,
        "the old file and the patches together have more \(what) than \(RecordOrigins.none); apply the patches one by one"
      )
    }
    return UInt32(number)
  }
}

/// Finds entries of the old file by their numbers; those that are asked for in their order by a step each.
struct EntryFinder {
  private let reader: FuseReader
  /// The entry after the last one that was found, and where it begins.
  private var next = (number: 0, offset: 0)

  init(in reader: FuseReader) {
    self.reader = reader
    next.offset = reader.dataEnd
  }

  /// - Complexity: O(1): as many steps as a stride has entries at most.
  mutating func entry(_ number: Int) throws(FuseError) -> IndexEntry {
    let offset = try offset(of: number)
    let mapping = reader.mapping
    guard let entry = IndexEntry(at: offset, in: mapping.bytes.extracting(first: reader.index.end)) else {
      throw reader.changed(at: offset)
    }
    next = (number + 1, entry.end)
    return entry
  }

  /// Where an entry begins.
  mutating func offset(of number: Int) throws(FuseError) -> Int {
    let mapping = reader.mapping
    let file = mapping.bytes.extracting(first: reader.index.end)
    let stride = number / KeyOrder.stride
    if number != next.number, number < next.number || stride != next.number / KeyOrder.stride {
      next = (stride * KeyOrder.stride, reader.index.order.offset(ofStride: stride, in: mapping.bytes))
    }
    while next.number < number {
      guard let entry = IndexEntry(at: next.offset, in: file) else { throw reader.changed(at: next.offset) }
      next = (next.number + 1, entry.end)
    }
    return next.offset
  }

  /// Says where an entry begins that others were read up to.
  mutating func move(to number: Int, at offset: Int) { next = (number, offset) }
}
