internal import CFuseCrypto
internal import CFuseCuts
internal import CZlib
internal import CZstd
internal import FuseDBFormat
internal import FuseDBSystem
internal import Synchronization

/// How a payload is kept. [SR5]
enum StoreCodec: UInt8, Sendable {
  case raw = 0
  case zlib = 1
  case zstd = 2
  /// By zstd, after the pack's first frames. Frames alone. [SR7]
  case primed = 3
}

/// What one thread at a time needs to make digests, to pack and to unpack: contexts of libraries, which are costly to make.
@safe
final class StoreTools: Sendable {
  // SAFETY: made in init, freed in deinit; whoever took the object from the pool alone uses them.
  private nonisolated(unsafe) let digest: OpaquePointer
  nonisolated(unsafe) let packer: OpaquePointer
  nonisolated(unsafe) let unpacker: OpaquePointer

  private static let pool = Mutex<[StoreTools]>([])
  private static let mostKept = 16

  /// Takes tools out of the pool; ``giveBack()`` puts them there again.
  static func take() throws(FuseError) -> StoreTools {
    if let tools = pool.withLock({ $0.popLast() }) { return tools }
    return try StoreTools()
  }

  func giveBack() {
    Self.pool.withLock { tools in if tools.count < Self.mostKept { tools.append(self) } }
  }

  private init() throws(FuseError) {
    // SAFETY: the libraries give contexts or nil; what there is of them is freed where another is missing.
    let digest = unsafe fuse_sha256_begin()
    let packer = unsafe ZSTD_createCCtx()
    let unpacker = unsafe ZSTD_createDCtx()
    guard let madeDigest = unsafe digest, let madePacker = unsafe packer, let madeUnpacker = unsafe unpacker else {
      unsafe fuse_digest_free(digest)
      unsafe ZSTD_freeCCtx(packer)
      unsafe ZSTD_freeDCtx(unpacker)
      throw FuseError.outOfMemory("make a digest")
    }
    unsafe self.digest = madeDigest
    unsafe self.packer = madePacker
    unsafe self.unpacker = madeUnpacker
  }

  deinit {
    // SAFETY: this object alone has the contexts, and ends here.
    unsafe fuse_digest_free(digest)
    unsafe ZSTD_freeCCtx(packer)
    unsafe ZSTD_freeDCtx(unpacker)
  }

  // MARK: Digests

  func add(_ bytes: RawSpan) throws(FuseError) {
    // SAFETY: the call reads the bytes of the span, and keeps none.
    let isDone = unsafe bytes.withUnsafeBytes { unsafe fuse_digest_add(digest, $0.baseAddress, $0.count) }
    guard isDone != 0 else { throw Self.digestFailed }
  }

  /// The SHA-256 of what was added since the last call.
  func take() throws(FuseError) -> FuseStore.ObjectID {
    var id = FuseStore.ObjectID()
    // SAFETY: the call writes the 32 bytes that the identifier has.
    let isDone = unsafe withUnsafeMutableBytes(of: &id) { bytes in
      unsafe fuse_digest_take(digest, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    guard isDone != 0 else { throw Self.digestFailed }
    return id
  }

  func digest(of bytes: RawSpan) throws(FuseError) -> FuseStore.ObjectID {
    try add(bytes)
    return try take()
  }

  private static var digestFailed: FuseError {
    FuseError(.inputOutput, "libcrypto makes no digest: memory is short; stop other programs and try again")
  }

  // MARK: Codecs

  /// The bytes packed; nil where that saves less than a sixteenth of them, or an eighth at a higher level, which finds a little in photographs, too.
  ///
  /// - Parameters:
  ///   - level: another than the compression's.
  ///   - isSampled: whether ``isWorthPacking(_:_:)`` was asked already.
  func packed(
    _ bytes: RawSpan, _ compression: FuseStore.Compression, level: Int32? = nil, isSampled: Bool = false
  ) throws(FuseError) -> (StoreCodec, [UInt8])? {
    let room = bytes.byteCount - bytes.byteCount / (level == nil ? 16 : 8)
    guard isSampled || Self.isWorthPacking(bytes, compression),
      let packed = try pack(bytes, compression.codec, level: level ?? compression.level, room: room)
    else { return nil }
    return (compression.codec, packed)
  }

  /// Whether packing may save something, as far as a sample says.
  static func isWorthPacking(_ bytes: RawSpan, _ compression: FuseStore.Compression) -> Bool {
    guard bytes.byteCount >= 64, compression.codec != .raw else { return false }
    guard compression.samples, bytes.byteCount >= sampleByteCount else { return true }
    // SAFETY: the call reads the bytes of the span, and keeps none.
    return unsafe bytes.withUnsafeBytes { bytes in
      unsafe fuse_cut_sampled_unevenness(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count)
    } >= leastUnevenness
  }

  private static let sampleByteCount = 4096
  /// What photographs, films and archives stay below. 1.5 is what a sixteenth less than eight bits a byte gives.
  private static let leastUnevenness = 1.5

  /// nil where the result has more than `room` bytes.
  func pack(_ bytes: RawSpan, _ codec: StoreCodec, level: Int32, room: Int) throws(FuseError) -> [UInt8]? {
    guard room > 0 else { return nil }
    try MemoryRoom.check(room)
    var isPacked = false
    // SAFETY: the libraries read the bytes of the span, and write at most as many as there is room for, from its start on.
    let packed = unsafe bytes.withUnsafeBytes { bytes in
      unsafe [UInt8](unsafeUninitializedCapacity: room) { packed, count in
        switch codec {
        case .raw, .primed: return
        case .zstd:
          let result = unsafe ZSTD_compressCCtx(
            packer, packed.baseAddress, packed.count, bytes.baseAddress, bytes.count, level)
          guard ZSTD_isError(result) == 0 else { return }
          count = result
        case .zlib:
          var made = uLongf(packed.count)
          let result = unsafe compress2(
            packed.baseAddress, &made, bytes.baseAddress?.assumingMemoryBound(to: Bytef.self), uLong(bytes.count),
            level)
          guard result == Z_OK else { return }
          count = Int(made)
        }
        isPacked = true
      }
    }
    return isPacked ? packed : nil
  }

  /// `byteCount` bytes that were packed; nil where these are not what packing gave.
  func unpacked(_ bytes: RawSpan, _ codec: StoreCodec, byteCount: Int) throws(FuseError) -> [UInt8]? {
    guard codec != .raw else { return bytes.byteCount == byteCount ? bytes.array() : nil }
    // More than that no codec makes of so many bytes: a number from a file gets no memory that the file does not answer for.
    guard byteCount <= StoreLimits.recordByteCount else { return nil }
    try MemoryRoom.check(byteCount)
    // SAFETY: the libraries read the bytes of the span, and write at most as many as there is room for, from its start on.
    let contents = unsafe bytes.withUnsafeBytes { bytes in
      unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { contents, count in
        switch codec {
        case .raw, .primed: return
        case .zstd:
          let result = unsafe ZSTD_decompressDCtx(
            unpacker, contents.baseAddress, byteCount, bytes.baseAddress, bytes.count)
          if ZSTD_isError(result) == 0 { count = result }
        case .zlib:
          var made = uLongf(byteCount)
          let result = unsafe uncompress(
            contents.baseAddress, &made, bytes.baseAddress?.assumingMemoryBound(to: Bytef.self), uLong(bytes.count))
          if result == Z_OK { count = Int(made) }
        }
      }
    }
    return contents.count == byteCount ? contents : nil
  }
}

/// What a store may hold. [SR5]
enum StoreLimits {
  /// Of a record's contents, packed or not.
  static let recordByteCount = 256 << 20
  /// Of an object that is one chunk, and of a chunk.
  static let chunkByteCount = 16 << 20
  static let nameByteCount = 255
}
