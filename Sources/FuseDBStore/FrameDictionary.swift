internal import CZstd
internal import FuseDBFormat
internal import FuseDBSystem
internal import Synchronization

/// The objects of a pack's first frames, which later frames are packed after: small objects are alike across frames. [SR7]
@safe
final class FrameDictionary: Sendable {
  /// How many bytes of objects it has at least.
  static let byteCount = 256 << 10
  /// From how many bytes of small objects on a pack has one: it stands there once more, so it has to be worth it.
  static let leastByteCount = 2 << 20
  static let mostByteCount = 1 << 20
  /// Of the frame in which it stands: this comes first in what is packed after it.
  static let headByteCount = 8

  // SAFETY: made in init, freed in deinit; the library changes neither.
  private nonisolated(unsafe) let packing: OpaquePointer?
  private nonisolated(unsafe) let unpacking: OpaquePointer?

  /// Nil where memory is short, or where zstd would take the bytes for a dictionary of its own kind.
  ///
  /// - Parameter level: to pack by; nil to unpack.
  init?(_ contents: RawSpan, level: Int32?) {
    guard contents.byteCount >= 8, contents.load(at: 0, as: UInt32.self) != 0x37A4_30EC else { return nil }
    // SAFETY: the library copies the bytes of the span.
    let (packing, unpacking) = unsafe contents.withUnsafeBytes { bytes in
      unsafe (
        level.flatMap { unsafe ZSTD_createCDict(bytes.baseAddress, bytes.count, $0) },
        level == nil ? ZSTD_createDDict(bytes.baseAddress, bytes.count) : nil
      )
    }
    unsafe (self.packing, self.unpacking) = (packing, unpacking)
    guard unsafe packing != nil || unpacking != nil else { return nil }
  }

  deinit {
    // SAFETY: this object alone has them, and ends here.
    unsafe ZSTD_freeCDict(packing)
    unsafe ZSTD_freeDDict(unpacking)
  }

  /// nil where that saves less than a sixteenth.
  func packed(_ bytes: RawSpan, _ tools: StoreTools, at offset: Int) throws(FuseError) -> [UInt8]? {
    let room = bytes.byteCount - bytes.byteCount / 16
    guard room > Self.headByteCount else { return nil }
    try MemoryRoom.check(room)
    // SAFETY: the library reads the bytes of the span, and writes at most as many as there is room for.
    let payload = unsafe bytes.withUnsafeBytes { bytes in
      unsafe [UInt8](unsafeUninitializedCapacity: room) { packed, count in
        let result = unsafe ZSTD_compress_usingCDict(
          tools.packer, packed.baseAddress! + Self.headByteCount, room - Self.headByteCount, bytes.baseAddress,
          bytes.count, self.packing)
        guard ZSTD_isError(result) == 0 else { return }
        for place in 0..<Self.headByteCount {
          unsafe packed[place] = UInt8(truncatingIfNeeded: UInt64(offset) >> (56 - 8 * UInt64(place)))
        }
        count = Self.headByteCount + result
      }
    }
    return payload.isEmpty ? nil : payload
  }

  /// nil where the bytes were not packed after this one.
  func unpacked(_ bytes: RawSpan, _ tools: StoreTools, byteCount: Int) throws(FuseError) -> [UInt8]? {
    guard byteCount <= StoreLimits.recordByteCount, bytes.byteCount > Self.headByteCount else { return nil }
    try MemoryRoom.check(byteCount)
    // SAFETY: the library reads the bytes of the span, and writes at most as many as there is room for.
    let contents = unsafe bytes.extracting(droppingFirst: Self.headByteCount).withUnsafeBytes { bytes in
      unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { contents, count in
        let result = unsafe ZSTD_decompress_usingDDict(
          tools.unpacker, contents.baseAddress, byteCount, bytes.baseAddress, bytes.count, self.unpacking)
        if ZSTD_isError(result) == 0 { count = result }
      }
    }
    return contents.count == byteCount ? contents : nil
  }

  // MARK: In a pack

  /// The dictionary that stands in a pack's frame at `offset`; of the pack's first frames where that one is damaged. Nil where there is none.
  static func inPack(_ file: StoreFile, at offset: Int, _ tools: StoreTools) throws(FuseError) -> FrameDictionary? {
    if let objects = try objects(file, at: offset, tools), objects.count >= byteCount {
      return FrameDictionary(objects.rawSpan, level: nil)
    }
    var gathered: [UInt8] = []
    var walk = PackWalk(file)
    while gathered.count < byteCount {
      guard case .record(let record, let place) = try walk.next(), place < offset else { return nil }
      guard record.kind == .frame else { continue }
      guard let objects = try objects(file, at: place, tools) else { return nil }
      gathered += objects
    }
    return FrameDictionary(gathered.rawSpan, level: nil)
  }

  /// The objects of a frame that is sound and needs no dictionary, one after the other.
  private static func objects(_ file: StoreFile, at offset: Int, _ tools: StoreTools) throws(FuseError) -> [UInt8]? {
    let bytes = file.bytes
    guard let record = PackRecord(bytes, at: offset), record.kind == .frame, record.codec == .zstd,
      record.byteCount <= mostByteCount, record.storedByteCount <= bytes.byteCount - offset - PackRecord.byteCount
    else { return nil }
    let start = offset + PackRecord.byteCount
    let payload = bytes.extracting(start..<start + record.storedByteCount)
    guard try tools.digest(of: payload) == record.digest,
      let contents = try tools.unpacked(payload, .zstd, byteCount: record.byteCount),
      let ranges = OpenFrame.objects(in: contents.rawSpan)
    else { return nil }
    return Array(contents[(ranges.first?.range.lowerBound ?? contents.count)...])
  }
}

/// The dictionaries that were used last.
final class FrameDictionaries: Sendable {
  private struct Known: Sendable {
    /// Kept, so that its identity is its own.
    var file: StoreFile
    var offset: Int
    var dictionary: FrameDictionary
  }

  /// 8 MiB of them.
  private static let most = 32
  /// The one that was used last comes last.
  private let known = Mutex<[Known]>([])

  /// The contents of a frame; nil where it is damaged, or its dictionary is.
  func contents(
    of payload: RawSpan, codec: StoreCodec, byteCount: Int, in file: StoreFile, _ tools: StoreTools
  ) throws(FuseError) -> [UInt8]? {
    guard codec == .primed else { return try tools.unpacked(payload, codec, byteCount: byteCount) }
    guard let word = payload.load(at: 0, as: UInt64.self), word < UInt64(file.byteCount),
      let dictionary = try dictionary(file, at: Int(word), tools)
    else { return nil }
    return try dictionary.unpacked(payload, tools, byteCount: byteCount)
  }

  private func dictionary(_ file: StoreFile, at offset: Int, _ tools: StoreTools) throws(FuseError) -> FrameDictionary?
  {
    let found: FrameDictionary? = known.withLock { known in
      guard let place = known.lastIndex(where: { $0.file === file && $0.offset == offset }) else { return nil }
      if place < known.count - 1 { known.append(known.remove(at: place)) }
      return known.last?.dictionary
    }
    if let found { return found }
    guard let made = try FrameDictionary.inPack(file, at: offset, tools) else { return nil }
    known.withLock { known in
      if known.count == Self.most { known.removeFirst() }
      known.append(Known(file: file, offset: offset, dictionary: made))
    }
    return made
  }
}

/// The dictionary of a pack that is being filled.
struct OpenDictionary {
  let dictionary: FrameDictionary
  let offset: Int
  let compression: FuseStore.Compression
  /// What it is made of.
  let objects: [UInt8]

  /// The contents of a frame of the pack.
  func unpacked(_ payload: RawSpan, _ tools: StoreTools, byteCount: Int) throws(FuseError) -> [UInt8]? {
    try FrameDictionary(objects.rawSpan, level: nil)?.unpacked(payload, tools, byteCount: byteCount)
  }
}
