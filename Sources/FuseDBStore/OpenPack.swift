internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBWriting

/// A pack that a writer fills. Nobody else sees it before it is sealed.
final class OpenPack {
  /// What the sealed pack is called.
  let name = Hexadecimal.random(16)
  private let file: any StoreGrowingFile
  private let temporaryName: String
  private let store: FuseStore
  private var buffer: [UInt8]
  /// How many bytes went to the file.
  private var written = 0
  /// What stands in it. One entry an object.
  private(set) var entries: [FuseStore.ObjectID: PackEntry] = [:]
  /// Whether the file has the name of a sealed pack already, or is about to.
  private var isNamed = false

  /// How many bytes are gathered before they are written.
  private static let bufferByteCount = 1 << 20
  /// However small the objects are, an index of so many fits into memory.
  static let mostEntries = 1 << 18

  init(_ store: FuseStore, temporaryName: String) throws(FuseError) {
    self.store = store
    self.temporaryName = temporaryName
    file = try store.backend.begin(temporaryName)
    buffer = PackHead.bytes(store: store.config.identity)
    buffer.reserveCapacity(Self.bufferByteCount + PackRecord.byteCount)
  }

  var byteCount: Int { written + buffer.count }
  var isEmpty: Bool { entries.isEmpty }

  /// Appends a record, and what is found by it.
  func append(_ record: PackRecord, payload: RawSpan) throws(FuseError) -> Int {
    let offset = byteCount
    record.append(to: &buffer)
    if payload.byteCount < Self.bufferByteCount / 2 {
      // SAFETY: the buffer copies the bytes of the span.
      unsafe payload.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
      if buffer.count >= Self.bufferByteCount { try flush() }
    } else {
      try flush()
      try file.write(payload, at: written)
      written += payload.byteCount
    }
    return offset
  }

  /// Enters an object of a record. What was kept before stays kept.
  func enter(_ id: FuseStore.ObjectID, _ entry: PackEntry) {
    guard var known = entries[id] else { return entries[id] = entry }
    // What needs no others counts, where there are both.
    if !known.hasPayload || known.kind == .patched, entry.hasPayload {
      let wasKept = known.isKept
      known = entry
      known.isKept = wasKept || entry.isKept
    } else {
      known.isKept = known.isKept || entry.isKept
    }
    entries[id] = known
  }

  private func flush() throws(FuseError) {
    guard !buffer.isEmpty else { return }
    do throws(FuseError) {
      // Let go of before the buffer is emptied, which would copy it otherwise.
      let bytes = buffer
      try file.write(bytes.rawSpan, at: written)
    } catch { throw error }
    written += buffer.count
    buffer.removeAll(keepingCapacity: true)
  }

  /// The bytes of a payload that was appended.
  func stored(_ entry: PackEntry) throws(FuseError) -> [UInt8] {
    let payload = entry.payload
    guard payload.lowerBound < written else {
      return Array(buffer[payload.lowerBound - written..<payload.upperBound - written])
    }
    if payload.upperBound > written { try flush() }
    return try file.bytes(at: payload.lowerBound, count: payload.count)
  }

  /// Makes the pack durable and gives it its name, then its index: with that it is there. [SP4]
  func seal() throws(FuseError) -> PackView {
    try flush()
    try file.makeDurable()
    // Says that the pack is no one's yet, should this process die before its index is there. [SP5]
    let sealing = try store.backend.begin(PackView.sealingName(name))
    defer {
      withExtendedLifetime(sealing) {}
      try? store.backend.remove(PackView.sealingName(name))
    }
    // From here on, for where the name is there and making it last fails.
    isNamed = true
    try store.backend.rename(temporaryName, to: PackView.packName(name))
    try store.backend.build(
      try Self.index(entries, name: name, packByteCount: written), as: PackView.indexName(name))
    guard let view = try PackView.open(name, store.backend, store: store.config.identity) else {
      throw FuseError(
        .notFound, "the pack that was sealed is gone again: something else removes files here",
        path: "\(store.path)/\(PackView.packName(name))")
    }
    return view
  }

  /// Removes what there is of it.
  func abandon() {
    do throws(FuseError) {
      // The index may be there, too, and goes first: none may stand without its pack.
      if isNamed {
        try store.backend.remove(PackView.indexName(name))
        try store.backend.remove(PackView.packName(name))
      }
      try store.backend.remove(temporaryName)
    } catch {
      // A pack without an index is what the next collection finds.
    }
  }

  /// The index of a pack, to be built. [SI1]
  static func index(
    _ entries: [FuseStore.ObjectID: PackEntry], name: String, packByteCount: Int
  ) throws(FuseError) -> FuseWriter {
    let isLarge = entries.count > 1 << 15
    var metadata = ["pack": name, "pack_bytes": "\(packByteCount)"]
    if entries.values.contains(where: { $0.kind == .deep }) { metadata["deep"] = "1" }
    let writer = FuseWriter(
      FuseWriter.Options(
        sharing: .none, metadata: metadata,
        memory: isLarge ? 128 << 20 : 16 << 20, threadCount: isLarge ? nil : 1, networks: .never))
    for (id, entry) in entries { try writer.addKey(id.bytes, for: try writer.addObject(entry.value)) }
    return writer
  }
}
