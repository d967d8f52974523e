internal import FuseDBFormat

/// The deep frames of a pack that is given up, with those of their chunks that are needed.
struct LiveFrames {
  private var chunks: [Int: [(id: FuseStore.ObjectID, entry: PackEntry)]] = [:]
  private var liveByteCounts: [Int: Int] = [:]

  init() {}

  init(_ pack: PackView, _ isLive: [Bool]) throws(FuseError) {
    var number = -1
    var found: [Int: [(id: FuseStore.ObjectID, entry: PackEntry)]] = [:]
    var counts: [Int: Int] = [:]
    try pack.forEach { id, entry throws(FuseError) in
      number += 1
      guard entry.kind == .deep, isLive[number] else { return }
      found[entry.offset, default: []].append((id, entry))
      counts[entry.offset, default: 0] += entry.byteCount
    }
    (chunks, liveByteCounts) = (found, counts)
  }

  /// Whether enough of a frame is needed to copy it as it stands; otherwise its chunks are packed alone.
  func isWhole(_ entry: PackEntry) -> Bool {
    10 * (liveByteCounts[entry.offset] ?? 0) >= 7 * entry.frameByteCount
  }

  /// The chunks of a frame, once.
  mutating func take(_ entry: PackEntry) -> [(id: FuseStore.ObjectID, entry: PackEntry)]? {
    chunks.removeValue(forKey: entry.offset)
  }
}

extension StoreWriter {
  /// Copies a deep frame as it is stored, for the chunks that are needed. What it is packed after is needed with it. [SG6]
  func copyDeep(
    _ entry: PackEntry, _ chunks: [(id: FuseStore.ObjectID, entry: PackEntry)], _ pack: PackView
  ) throws(FuseError) {
    let payload = pack.bytes.extracting(entry.payload)
    guard let record = PackRecord(pack.bytes, at: entry.offset), record.kind == .deep,
      try tools.digest(of: payload) == record.digest
    else {
      throw FuseError(
        .corrupted, "the frame of \(chunks[0].id) is damaged; put that again", offset: UInt64(entry.offset),
        path: store.packPath(pack))
    }
    try appendFrame(record, payload: payload, chunks)
  }

  /// Copies a chunk out of a deep frame.
  func copyFromDeep(_ id: FuseStore.ObjectID, _ entry: PackEntry, _ place: FuseStore.Place) throws(FuseError) {
    guard case .chunk(let chunk) = try store.read(id, place, tools) else { return }
    if let (codec, payload) = try tools.packed(chunk.bytes, .automatic) {
      try append(.data, id, codec, byteCount: chunk.byteCount, payload: payload.rawSpan, isKept: false)
    } else {
      try append(.data, id, .raw, byteCount: chunk.byteCount, payload: chunk.bytes, isKept: false)
    }
  }
}
