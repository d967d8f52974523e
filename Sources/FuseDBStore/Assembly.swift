internal import FuseDBFormat
internal import FuseDBSystem
internal import Synchronization

/// A piece of a file that is read while another is worked on.
final class Ahead: Sendable {
  private let file: InputDescriptor
  private let offset: Int
  private let outcome = Mutex<Result<[UInt8], FuseError>>(.success([]))

  init(_ file: InputDescriptor, _ offset: Int) {
    self.file = file
    self.offset = offset
  }

  func read() {
    var bytes: [UInt8] = []
    do throws(FuseError) {
      _ = try file.append(counted: StoreWriter.pieceByteCount, at: offset, to: &bytes)
      let done = bytes
      outcome.withLock { $0 = .success(done) }
    } catch {
      outcome.withLock { $0 = .failure(error) }
    }
  }

  var result: Result<[UInt8], FuseError> { outcome.withLock { $0 } }
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
struct Assembly {
  private let writer: StoreWriter
  private let settings: StoreWriter.Settings
  private let whole: StoreTools
  private var cutter: Cutter
  /// What is not cut yet, and before it what was.
  private var buffer: [UInt8] = []
  private var rest = 0
  private var leaves: [Recipe.Part] = []
  private var nodes: [Recipe.Part] = []
  private(set) var byteCount = 0
  private var newByteCount = 0
  private var pending: [UInt8] = []

  init(_ writer: StoreWriter, _ settings: StoreWriter.Settings) throws(FuseError) {
    self.writer = writer
    self.settings = settings
    whole = try StoreTools.take()
    // What a put that failed left there.
    _ = try whole.take()
    cutter = Cutter(settings.chunking)
  }

  /// Takes the next piece.
  mutating func take(_ piece: [UInt8]) {
    pending = piece
    byteCount += piece.count
    if rest == 0 { buffer = piece } else { buffer += piece }
  }

  /// A part of the work on a piece.
  private enum Part: Sendable {
    case done
    case failed(FuseError)
    case digests([FuseStore.ObjectID])
    case packed([(StoreCodec, [UInt8])?])
  }

  /// Cuts what there is, and stores what is new.
  mutating func work(isLast: Bool, also ahead: Ahead?) throws(FuseError) {
    try Cancellation.check()
    var cutter = cutter
    let ends = cutter.cuts(buffer.rawSpan, isLast: isLast)
    self.cutter = cutter
    let starts = [0] + ends.dropLast()
    let ids = try digests(ends, ahead)
    var wanted: [Int] = []
    var seen: Set<FuseStore.ObjectID> = []
    for (number, id) in ids.enumerated() where !seen.contains(id) {
      let chunk = buffer.rawSpan.extracting(starts[number]..<ends[number])
      if try !writer.isKnown(id, contents: chunk, keeping: false) {
        wanted.append(number)
        seen.insert(id)
      }
    }
    let packed = try pack(wanted, starts, ends)
    var added = 0
    for (place, number) in wanted.enumerated() {
      let chunk = buffer.rawSpan.extracting(starts[number]..<ends[number])
      added += chunk.byteCount
      if let (codec, payload) = packed[place] {
        try writer.append(
          .data, ids[number], codec, byteCount: chunk.byteCount, payload: payload.rawSpan, isKept: false)
      } else {
        try writer.append(.data, ids[number], .raw, byteCount: chunk.byteCount, payload: chunk, isKept: false)
      }
    }
    newByteCount += added
    for (number, id) in ids.enumerated() {
      leaves.append(Recipe.Part(id: id, byteCount: ends[number] - starts[number]))
      if Recipe.endsNode(after: id, count: leaves.count) { try endNode() }
    }
    if let last = ends.last { buffer.removeFirst(last) }
    rest = buffer.count
  }

  /// The digests of chunks, while the digest of the whole goes on and the next piece is read.
  private func digests(_ ends: [Int], _ ahead: Ahead?) throws(FuseError) -> [FuseStore.ObjectID] {
    let (buffer, pending, whole) = (buffer, pending, whole)
    let middle = ends.count / 2
    let ranges = [0..<middle, middle..<ends.count]
    let parts = Parallel.map(4, threadCount: min(4, Parallel.processorCount)) { number -> Part in
      do throws(FuseError) {
        switch number {
        case 0:
          try whole.add(pending.rawSpan)
          return .done
        case 3:
          ahead?.read()
          return .done
        default: return .digests(try Self.digests(of: buffer, ends, ranges[number - 1]))
        }
      } catch { return .failed(error) }
    }
    var ids: [FuseStore.ObjectID] = []
    for part in parts {
      switch part {
      case .failed(let error): throw error
      case .digests(let more): ids += more
      default: break
      }
    }
    return ids
  }

  private static func digests(
    of buffer: [UInt8], _ ends: [Int], _ numbers: Range<Int>
  ) throws(FuseError) -> [FuseStore.ObjectID] {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    var ids: [FuseStore.ObjectID] = []
    ids.reserveCapacity(numbers.count)
    for number in numbers {
      ids.append(
        try tools.digest(of: buffer.rawSpan.extracting((number == 0 ? 0 : ends[number - 1])..<ends[number])))
    }
    return ids
  }

  /// Packs chunks, on several threads where there are many.
  private func pack(
    _ numbers: [Int], _ starts: [Int], _ ends: [Int]
  ) throws(FuseError) -> [(StoreCodec, [UInt8])?] {
    guard settings.compression != .none else { return Array(repeating: nil, count: numbers.count) }
    let (buffer, compression) = (buffer, settings.compression)
    let groupCount = max(1, min(numbers.count / 8, 4 * Parallel.processorCount))
    let size = (numbers.count + groupCount - 1) / groupCount
    let parts = Parallel.map(groupCount, threadCount: Parallel.processorCount) { group -> Part in
      do throws(FuseError) {
        let tools = try StoreTools.take()
        defer { tools.giveBack() }
        var packed: [(StoreCodec, [UInt8])?] = []
        for number in numbers.dropFirst(group * size).prefix(size) {
          packed.append(try tools.packed(buffer.rawSpan.extracting(starts[number]..<ends[number]), compression))
        }
        return .packed(packed)
      } catch { return .failed(error) }
    }
    var all: [(StoreCodec, [UInt8])?] = []
    for part in parts {
      switch part {
      case .failed(let error): throw error
      case .packed(let packed): all += packed
      default: break
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
    let id = try whole.take()
    whole.giveBack()
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
    if let own = ownEntry(id), own.kind == kind { return try ownBytes(own) == recipe }
    for pack in reliable {
      guard let entry = try? pack.entry(of: id), entry.kind == kind,
        let record = PackRecord(pack.bytes, at: entry.offset), record.digest == id,
        Self.areEqual(recipe.rawSpan, pack.bytes.extracting(entry.payload)), (try? pack.file.check()) != nil
      else { continue }
      return true
    }
    return false
  }
}
