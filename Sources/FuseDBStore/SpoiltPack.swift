internal import FuseDBFormat
internal import FuseDBSystem

/// A pack of which some bytes are spoilt: what of it still counts. [SR8]
struct SpoiltPack {
  private let store: FuseStore
  private let pack: PackView
  private let others: [PackView]
  /// Where records begin that do not hold.
  private let offsets: Set<Int>

  init(_ store: FuseStore, _ pack: PackView, _ packs: [PackView], _ flaws: [FuseStore.Verification.Flaw]) {
    self.store = store
    self.pack = pack
    others = packs.filter { $0.name != pack.name }
    let file = PackView.packName(pack.name)
    offsets = Set(flaws.compactMap { $0.file == file ? $0.offset.map { Int(clamping: $0) } : nil })
  }

  /// Whether each object that the index has stands in a record that holds, or has another copy, and each mark another pack that has it.
  func isSuperseded(_ tools: StoreTools) throws(FuseError) -> Bool {
    var result = true
    do throws(FuseError) {
      try forEach(tools) { id, entry, stands throws(FuseError) in
        guard result, !stands else { return }
        if entry.hasPayload { result = try hasCopy(of: id, tools) }
        if pack.keeps(id, entry), !isKeptElsewhere(id) { result = false }
      }
    } catch {
      guard error.isDamage else { throw error }
      return false
    }
    return result
  }

  /// Calls `body` with each entry, in the order in which they are stored, so that a frame is unpacked once, and with whether its record holds.
  func forEach(
    _ tools: StoreTools, _ body: (FuseStore.ObjectID, PackEntry, _ stands: Bool) throws(FuseError) -> Void
  ) throws(FuseError) {
    var entries: [(id: FuseStore.ObjectID, entry: PackEntry)] = []
    try pack.forEach { id, entry throws(FuseError) in entries.append((id, entry)) }
    entries.sort { $0.entry.offset < $1.entry.offset }
    for (id, entry) in entries {
      try Cancellation.check()
      try body(id, entry, try stands(id, entry, tools))
    }
  }

  private func stands(_ id: FuseStore.ObjectID, _ entry: PackEntry, _ tools: StoreTools) throws(FuseError) -> Bool {
    guard holds(entry.offset) else { return false }
    if !entry.hasPayload { return true }
    // What a frame is packed after stands in another.
    if entry.codec == .primed,
      let word = pack.bytes.load(at: entry.payload.lowerBound, as: UInt64.self), !holds(Int(clamping: word))
    {
      return false
    }
    return try isSound(id, entry, in: pack, tools)
  }

  private func holds(_ offset: Int) -> Bool { !offsets.contains(offset) && PackRecord(pack.bytes, at: offset) != nil }

  /// Whether another pack keeps the object, in a record whose head holds.
  private func isKeptElsewhere(_ id: FuseStore.ObjectID) -> Bool {
    others.contains { other in
      guard let entry = try? other.entry(of: id), other.keeps(id, entry) else { return false }
      return PackRecord(other.bytes, at: entry.offset) != nil
    }
  }

  /// Whether another pack has the object, in a record that holds, or a file of its own.
  func hasCopy(of id: FuseStore.ObjectID, _ tools: StoreTools) throws(FuseError) -> Bool {
    for other in others {
      guard let entry = try? other.entry(of: id), entry.hasPayload, PackRecord(other.bytes, at: entry.offset) != nil
      else { continue }
      if try isSound(id, entry, in: other, tools) { return true }
    }
    guard let place = try? store.loosePlace(id) else { return false }
    return (try? store.read(id, place, tools)) != nil
  }

  private func isSound(
    _ id: FuseStore.ObjectID, _ entry: PackEntry, in pack: PackView, _ tools: StoreTools
  ) throws(FuseError) -> Bool {
    do throws(FuseError) {
      _ = try store.read(id, FuseStore.Place(pack, entry, in: store.path), tools)
      return true
    } catch {
      guard error.isDamage else { throw error }
      return false
    }
  }
}

extension FuseStore {
  /// Whether a pack says that an object is kept, and it can be read.
  func isKeptSoundly(_ id: ObjectID, by packs: [PackView], _ tools: StoreTools) throws(FuseError) -> Bool {
    for pack in packs {
      if let entry = try? pack.entry(of: id), pack.keeps(id, entry) { return try isSound(id, tools) }
    }
    return false
  }

  /// Whether an object, or what says how it is made, can be read.
  func isSound(_ id: ObjectID, _ tools: StoreTools) throws(FuseError) -> Bool {
    do throws(FuseError) { return try find(id, tools) != nil } catch {
      guard error.isDamage else { throw error }
      return false
    }
  }
}
