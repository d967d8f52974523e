internal import CMsgpack

/// Writes MessagePack through msgpack-c, which always takes the shortest encoding.
@safe
package final class MessagePackPacker {
  // SAFETY: both are allocated in init, freed in deinit, and used by this class alone; the packer points at the buffer.
  private let buffer: UnsafeMutablePointer<msgpack_sbuffer>
  private let packer: UnsafeMutablePointer<msgpack_packer>

  package init() {
    unsafe buffer = .allocate(capacity: 1)
    unsafe packer = .allocate(capacity: 1)
    unsafe msgpack_sbuffer_init(buffer)
    unsafe msgpack_packer_init(packer, buffer, msgpack_sbuffer_write)
  }

  deinit {
    unsafe msgpack_sbuffer_destroy(buffer)
    unsafe buffer.deallocate()
    unsafe packer.deallocate()
  }

  /// What was packed since the last ``clear()``.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let start = unsafe UnsafeRawPointer(buffer.pointee.data)
      // SAFETY: the buffer holds `size` bytes until it is written to or destroyed, both of which need this object.
      return unsafe _overrideLifetime(
        RawSpan(_unsafeStart: start ?? UnsafeRawPointer(buffer), byteCount: start == nil ? 0 : buffer.pointee.size),
        borrowing: self)
    }
  }

  /// Forgets what was packed and keeps the memory.
  package func clear() { unsafe msgpack_sbuffer_clear(buffer) }

  package func packNull() { unsafe check(msgpack_pack_nil(packer)) }
  package func pack(_ value: Bool) { unsafe check(value ? msgpack_pack_true(packer) : msgpack_pack_false(packer)) }
  package func pack(_ value: Int64) { unsafe check(msgpack_pack_int64(packer, value)) }
  package func pack(_ value: UInt64) { unsafe check(msgpack_pack_uint64(packer, value)) }

  /// A float32 by its bits, so that a NaN keeps its payload.
  package func pack(float32 bits: UInt32) { unsafe check(msgpack_pack_float(packer, Float(bitPattern: bits))) }

  /// A float64 by its bits, so that a NaN keeps its payload.
  package func pack(float64 bits: UInt64) { unsafe check(msgpack_pack_double(packer, Double(bitPattern: bits))) }

  package func pack(string bytes: RawSpan) {
    unsafe check(msgpack_pack_str(packer, bytes.byteCount))
    append(bytes)
  }

  package func pack(binary bytes: RawSpan) {
    unsafe check(msgpack_pack_bin(packer, bytes.byteCount))
    append(bytes)
  }

  package func pack(extension type: Int8, _ bytes: RawSpan) {
    unsafe check(msgpack_pack_ext(packer, bytes.byteCount, type))
    append(bytes)
  }

  /// The head of an array; `count` values follow.
  package func packArray(count: Int) { unsafe check(msgpack_pack_array(packer, count)) }

  /// The head of a map; `count` pairs of values follow.
  package func packMap(count: Int) { unsafe check(msgpack_pack_map(packer, count)) }

  /// Bytes as they are: the body of a string, or a whole value.
  package func append(_ bytes: RawSpan) {
    guard bytes.byteCount > 0 else { return }
    // SAFETY: the buffer copies exactly the span's bytes.
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe check(msgpack_sbuffer_write(buffer, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count))
    }
  }

  /// Packing fails for want of memory alone, which Swift's own containers do not survive either.
  private func check(_ result: Int32) { precondition(result == 0, "out of memory while packing a value") }
}
