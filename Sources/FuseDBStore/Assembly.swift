internal import FuseDBFormat
internal import FuseDBSystem
internal import Synchronization

/// A piece of an object on its way through a put: it is read and cut, then digested, then stored.
struct Piece: Sendable {
  /// What the piece before had after its last cut, and then what was read.
  var bytes: [UInt8] = []
  /// How many bytes the piece before has left.
  var carried = 0
  /// Where chunks end.
  var ends: [Int] = []
  var isLast = false

  var starts: [Int] { [0] + ends.dropLast() }
  var chunksEnd: Int { ends.last ?? 0 }
}

/// Reads pieces, and cuts them.
private struct PieceReader: Sendable {
  let file: InputDescriptor?
  var cutter: Cutter
  var offset = 0
  private let pool = BufferPool()

  init(_ file: InputDescriptor?, _ chunking: FuseStore.Chunking) {
    self.file = file
    cutter = Cutter(chunking)
  }

  /// Begins the piece after another.
  func begin(after piece: Piece) -> Piece {
    var next = Piece()
    next.bytes = pool.take()
    next.bytes.append(contentsOf: piece.bytes[piece.chunksEnd...])
    next.carried = next.bytes.count
    return next
  }

  mutating func cut(_ piece: inout Piece) { piece.ends = cutter.cuts(piece.bytes.rawSpan, isLast: piece.isLast) }

  /// The next piece of the file.
  mutating func next(after piece: Piece) throws(FuseError) -> Piece {
    var next = begin(after: piece)
    let count = try file!.append(counted: StoreWriter.pieceByteCount, at: offset, to: &next.bytes)
    offset += count
    next.isLast = count < StoreWriter.pieceByteCount
    cut(&next)
    return next
  }

  /// Takes back the memory of a piece that is done.
  func recycle(_ piece: inout Piece) {
    var bytes: [UInt8] = []
    swap(&bytes, &piece.bytes)
    pool.give(bytes)
  }
}

/// The memory of pieces, which is used again: new memory costs a fault of each page.
private final class BufferPool: Sendable {
  private let buffers = Mutex<[[UInt8]]>([])

  func take() -> [UInt8] {
    var bytes = buffers.withLock { $0.popLast() } ?? []
    bytes.removeAll(keepingCapacity: true)
    if bytes.capacity == 0 { bytes.reserveCapacity(StoreWriter.pieceByteCount + (128 << 10)) }
    return bytes
  }

  func give(_ bytes: consuming [UInt8]) {
    let bytes = bytes
    buffers.withLock { $0.append(bytes) }
  }
}

extension InputDescriptor {
  /// Appends as ``append(_:at:to:)`` does, and says how many bytes came.
  func append(counted count: Int, at offset: Int, to bytes: inout [UInt8]) throws(FuseError) -> Int {
    let before = bytes.count
    try append(count, at: offset, to: &bytes)
    return bytes.count - before
  }
}

/// An object of many chunks that is being put.
///
/// Three pieces are on their way: this thread stores one while others digest the next and read the one after it.
struct Assembly {
  private let writer: StoreWriter
  private let settings: StoreWriter.Settings
  private let digests: PieceDigests
  /// What was digested, and waits to be stored.
  private var digested: (piece: Piece, ids: [FuseStore.ObjectID])?
  private var last = Piece()
  private var reader: PieceReader
  private var leaves: [Recipe.Part] = []
  private var nodes: [Recipe.Part] = []
  private(set) var byteCount = 0
  private var newByteCount = 0

  init(_ writer: StoreWriter, _ settings: StoreWriter.Settings) throws(FuseError) {
    self.writer = writer
    self.settings = settings
    digests = try PieceDigests()
    reader = PieceReader(nil, settings.chunking)
  }

  /// What came of a part of the work on a piece.
  private struct Part: Sendable {
    var failure: FuseError?
    var next: Piece?
    var reader: PieceReader?
    var ids: [FuseStore.ObjectID] = []
    var packed: [(StoreCodec, [UInt8])?] = []
  }

  /// Puts all of a file.
  mutating func put(_ file: InputDescriptor, _ progress: ((Int) -> Void)?) throws(FuseError) {
    reader = PieceReader(file, settings.chunking)
    var next = try reader.next(after: last)
    while true {
      let following = try work(on: next, readsOn: !next.isLast)
      progress?(byteCount)
      try Cancellation.check()
      guard let following else { return }
      next = following
    }
  }

  /// Puts a piece that `fill` appends to what is there already; it returns whether it is the last.
  mutating func putPiece(_ fill: (inout [UInt8]) throws(FuseError) -> Bool) throws(FuseError) {
    var piece = reader.begin(after: last)
    piece.isLast = try fill(&piece.bytes)
    reader.cut(&piece)
    _ = try work(on: piece, readsOn: false)
  }

  /// Digests a piece while the one before is stored and, where that is asked for, the one after is read.
  private mutating func work(on piece: Piece, readsOn: Bool) throws(FuseError) -> Piece? {
    try Cancellation.check()
    last = Piece()
    let (reader, digests) = (reader, digests)
    let digestCount = try digests.begin(piece, threadCount: writer.threadCount)
    // The longest first. What is to be read comes next, since the one after waits for it.
    let parts = try Parallel.map(
      1 + digestCount, threadCount: min(1 + digestCount, writer.threadCount),
      while: { () throws(FuseError) in try storeDigested() }
    ) { number -> Part in
      do throws(FuseError) {
        guard number == 1 else {
          return Part(ids: try digests.work(on: piece, part: max(0, number - 1), of: digestCount))
        }
        guard readsOn else { return Part() }
        var reader = reader
        let next = try reader.next(after: piece)
        return Part(next: next, reader: reader)
      } catch { return Part(failure: error) }
    }
    var following: Piece?
    for part in parts {
      if let failure = part.failure { throw failure }
      if let reader = part.reader { (following, self.reader) = (part.next, reader) }
    }
    byteCount += piece.bytes.count - piece.carried
    last = piece
    digested = (piece, digests.end(piece, parts.map(\.ids)))
    if piece.isLast { try storeDigested() }
    return following
  }

  /// Stores what is new of the piece that was digested.
  private mutating func storeDigested() throws(FuseError) {
    guard case (var piece, let ids)? = digested else { return }
    digested = nil
    let (ends, starts) = (piece.ends, piece.starts)
    var wanted: [Int] = []
    var seen: Set<FuseStore.ObjectID> = []
    for (number, id) in ids.enumerated() where !seen.contains(id) {
      let chunk = piece.bytes.rawSpan.extracting(starts[number]..<ends[number])
      if try !writer.isKnown(id, contents: chunk, keeping: false) {
        wanted.append(number)
        seen.insert(id)
      }
    }
    let packed = try pack(wanted, of: piece, starts)
    for number in wanted {
      let chunk = piece.bytes.rawSpan.extracting(starts[number]..<ends[number])
      newByteCount += chunk.byteCount
      if let (codec, payload) = packed[number] {
        try writer.append(
          .data, ids[number], codec, byteCount: chunk.byteCount, payload: payload.rawSpan, isKept: false)
      } else {
        try writer.append(.data, ids[number], .raw, byteCount: chunk.byteCount, payload: chunk, isKept: false)
      }
    }
    for (number, id) in ids.enumerated() {
      leaves.append(Recipe.Part(id: id, byteCount: ends[number] - starts[number]))
      if Recipe.endsNode(after: id, count: leaves.count) { try endNode() }
    }
    // The next piece has taken what was left of it.
    reader.recycle(&piece)
  }

  /// Packs those chunks of which a sample says that it is worth it, on several threads where there are many. By their numbers.
  private func pack(
    _ wanted: [Int], of piece: Piece, _ starts: [Int]
  ) throws(FuseError) -> [Int: (StoreCodec, [UInt8])] {
    let compression = settings.compression
    guard compression != .none else { return [:] }
    var numbers: [Int] = []
    for number in wanted
    where StoreTools.isWorthPacking(piece.bytes.rawSpan.extracting(starts[number]..<piece.ends[number]), compression) {
      numbers.append(number)
    }
    guard !numbers.isEmpty else { return [:] }
    let groupCount = max(1, min(numbers.count / 8, 4 * writer.threadCount))
    let size = (numbers.count + groupCount - 1) / groupCount
    let chosen = numbers
    let parts = Parallel.map(groupCount, threadCount: writer.threadCount) { group -> Part in
      do throws(FuseError) {
        let tools = try StoreTools.take()
        defer { tools.giveBack() }
        var packed: [(StoreCodec, [UInt8])?] = []
        for number in chosen.dropFirst(group * size).prefix(size) {
          packed.append(
            try tools.packed(
              piece.bytes.rawSpan.extracting(starts[number]..<piece.ends[number]), compression,
              level: compression.levelOfChunks, isSampled: true))
        }
        return Part(packed: packed)
      } catch { return Part(failure: error) }
    }
    var all: [Int: (StoreCodec, [UInt8])] = [:]
    var place = 0
    for part in parts {
      if let failure = part.failure { throw failure }
      for one in part.packed {
        if let one { all[numbers[place]] = one }
        place += 1
      }
    }
    return all
  }

  private mutating func endNode() throws(FuseError) {
    let bytes = Recipe.bytes(of: leaves)
    let id = try writer.tools.digest(of: bytes.rawSpan)
    // Digests can't be packed.
    _ = try writer.putChunk(bytes.rawSpan, id, settings, isKept: false, isPacked: true)
    nodes.append(Recipe.Part(id: id, byteCount: leaves.reduce(0) { $0 + $1.byteCount }))
    leaves = []
  }

  /// Stores the recipe.
  mutating func finish() throws(FuseError) -> FuseStore.Stored {
    let id = try digests.take()
    var stored = FuseStore.Stored(id: id, isNew: newByteCount > 0, byteCount: byteCount, newByteCount: newByteCount)
    if nodes.isEmpty, leaves.count == 1 {
      if settings.isKept { try writer.keep(id) }
      return stored
    }
    if nodes.isEmpty, leaves.isEmpty {
      let nothing: [UInt8] = []
      return try writer.putChunk(nothing.rawSpan, id, settings, isKept: settings.isKept)
    }
    if !nodes.isEmpty, !leaves.isEmpty { try endNode() }
    let recipe = Recipe(isOfNodes: !nodes.isEmpty, parts: nodes.isEmpty ? leaves : nodes)
    let payload = try recipe.bytes(writer.tools)
    if try writer.isKnown(id, recipe: payload) {
      if settings.isKept { try writer.keep(id) }
    } else {
      stored.isNew = true
      try writer.append(
        .recipe, id, .raw, byteCount: payload.count, payload: payload.rawSpan, isKept: settings.isKept)
    }
    return stored
  }
}

extension StoreWriter {
  /// Whether the recipe of an object is there, in a place that stays.
  func isKnown(_ id: FuseStore.ObjectID, recipe: [UInt8]) throws(FuseError) -> Bool {
    try isKnown(id, list: recipe, .recipe)
  }

  func isKnown(
    _ id: FuseStore.ObjectID, list recipe: [UInt8], _ kind: PackRecord.Kind
  ) throws(FuseError) -> Bool {
    if let own = ownEntry(id), own.kind == kind { return try ownBytes(id, own) == recipe }
    for number in 0..<reliableCount {
      let pack = reliablePack(number)
      guard let entry = try? pack.entry(of: id), entry.kind == kind,
        let record = PackRecord(pack.bytes, at: entry.offset), record.digest == id,
        Self.areEqual(recipe.rawSpan, pack.bytes.extracting(entry.payload)), (try? pack.file.check()) != nil
      else { continue }
      return true
    }
    return false
  }
}
