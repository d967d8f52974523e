internal import FuseDBFormat

/// Whether chunks of deep frames can be read, for whoever is about to give up another copy of them. What was found is remembered: many chunks share
/// a frame, and many frames their bases.
final class DeepChecks {
  private struct Key: Hashable {
    let pack: String
    let offset: Int
  }

  private struct Base: Hashable {
    let id: FuseStore.ObjectID
    let mostDepth: Int
  }

  private let store: FuseStore
  private let packs: [PackView]
  private let tools: StoreTools
  private var frames: [Key: Bool] = [:]
  private var bases: [Base: Bool] = [:]
  /// As many are remembered at most.
  private static let mostKnown = 1 << 19

  /// Whether a base that is nowhere is no fault.
  private let allowsMissing: Bool

  init(_ store: FuseStore, _ packs: [PackView], _ tools: StoreTools, allowsMissing: Bool = false) {
    (self.store, self.packs, self.tools, self.allowsMissing) = (store, packs, tools, allowsMissing)
  }

  /// Whether a frame has the bytes that were written, and its bases can be read from what is less deep.
  func isSound(_ entry: PackEntry, in pack: PackView) throws(FuseError) -> Bool {
    let key = Key(pack: pack.name, offset: entry.offset)
    if let known = frames[key] { return known }
    let answer = try check(entry, in: pack)
    if frames.count >= Self.mostKnown { frames = [:] }
    frames[key] = answer
    return answer
  }

  private func check(_ entry: PackEntry, in pack: PackView) throws(FuseError) -> Bool {
    let payload = pack.bytes.extracting(entry.payload)
    guard let record = PackRecord(pack.bytes, at: entry.offset), record.kind == .deep,
      try tools.digest(of: payload) == record.digest, let (frame, _) = DeepFrame.parse(payload)
    else { return false }
    for base in frame.bases { guard try isReadable(base, mostDepth: frame.depth - 1) else { return false } }
    return true
  }

  private func isReadable(_ id: FuseStore.ObjectID, mostDepth: Int) throws(FuseError) -> Bool {
    let key = Base(id: id, mostDepth: mostDepth)
    if let known = bases[key] { return known }
    var answer = false
    var isThere = false
    for pack in packs where !answer {
      guard let entry = try? pack.entry(of: id), entry.hasPayload, !entry.kind.isRecipe,
        let depth = pack.depth(of: entry), depth <= mostDepth
      else { continue }
      isThere = true
      if entry.kind == .deep {
        answer = try isSound(entry, in: pack)
      } else {
        let place = FuseStore.Place(pack, entry, in: store.path)
        answer = (try? store.read(id, place, tools)) != nil
      }
    }
    if allowsMissing, !isThere { answer = true }
    if bases.count >= Self.mostKnown { bases = [:] }
    bases[key] = answer
    return answer
  }
}
