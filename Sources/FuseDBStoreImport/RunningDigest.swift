internal import CFuseCrypto
internal import FuseDBFormat
internal import FuseDBStore

/// A SHA-256 that is being made.
@safe
final class RunningDigest {
  // SAFETY: made in init, freed in deinit and used by this object alone.
  private let context: OpaquePointer

  init() throws(FuseError) {
    // SAFETY: the library gives a context or nil.
    guard let made = unsafe fuse_sha256_begin() else { throw .outOfMemory("make a digest") }
    unsafe context = made
  }

  // SAFETY: this object alone has the context, and ends here.
  deinit { unsafe fuse_digest_free(context) }

  func add(_ bytes: [UInt8]) throws(FuseError) {
    // SAFETY: the call reads as many bytes as the array has, and keeps none.
    guard unsafe fuse_digest_add(context, bytes, bytes.count) != 0 else { throw .outOfMemory("make a digest") }
  }

  /// The SHA-256 of what was added since the last call.
  func take() throws(FuseError) -> FuseStore.ObjectID {
    var value = [UInt8](repeating: 0, count: FuseStore.ObjectID.byteCount)
    // SAFETY: the call writes the 32 bytes that the array has.
    guard unsafe fuse_digest_take(context, &value) != 0, let id = FuseStore.ObjectID(value.rawSpan) else {
      throw .outOfMemory("make a digest")
    }
    return id
  }
}
