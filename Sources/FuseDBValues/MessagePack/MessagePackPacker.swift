internal import CMsgpack
package import FuseDBFormat

// SAFETY: `buffer` is this object's own from init to deinit. Of its memory, `size` bytes were packed, never more than
// there is room for; the C functions make room before they write, and read inside the span that they are given.
/// Writes MessagePack by msgpack-c, which always takes the shortest encoding.
@safe
@usableFromInline package final class MessagePackPacker {
  /// How many bytes after a range make its copy quick.
  @inlinable package static var padding: Int { 16 }

  // SAFETY: allocated in init, freed in deinit, and used by this class alone.
  private let buffer: UnsafeMutablePointer<fuse_pack_buffer>

  package init() {
    unsafe buffer = .allocate(capacity: 1)
    unsafe buffer.initialize(to: fuse_pack_buffer())
  }

  deinit {
    unsafe free(buffer.pointee.data)
    unsafe buffer.deallocate()
  }

  /// What was packed since the last ``clear()``.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let start = unsafe UnsafeRawPointer(buffer.pointee.data)
      // SAFETY: the buffer holds `size` bytes until it is written to or freed, both of which need this object.
      return unsafe _overrideLifetime(
        RawSpan(_unsafeStart: start ?? UnsafeRawPointer(buffer), byteCount: start == nil ? 0 : buffer.pointee.size),
        borrowing: self)
    }
  }

  /// How many bytes that is.
  package var byteCount: Int { unsafe buffer.pointee.size }

  /// Makes room for `count` bytes more.
  package func reserve(_ count: Int) {
    guard unsafe buffer.pointee.capacity - buffer.pointee.size < count else { return }
    unsafe check(fuse_pack_grow(buffer, count))
  }

  /// Forgets what was packed and keeps the memory.
  package func clear() { unsafe buffer.pointee.size = 0 }

  /// The same, but gives back a buffer of more than `byteCount` bytes.
  package func clear(keepingAtMost byteCount: Int) {
    clear()
    guard unsafe buffer.pointee.capacity > byteCount else { return }
    unsafe free(buffer.pointee.data)
    unsafe buffer.pointee = fuse_pack_buffer()
  }

  /// Forgets what was packed after the first `count` bytes.
  package func truncate(to count: Int) {
    precondition(count >= 0 && count <= byteCount, "only what was packed can be forgotten")
    unsafe buffer.pointee.size = count
  }

  /// Says in the head of an empty array or map, at `offset`, how many elements or pairs follow, which are there already.
  func replaceEmptyHead(at offset: Int, isMap: Bool, count: Int) {
    let end = byteCount
    precondition(offset >= 0 && offset < end, "the head was packed")
    // Packed at the end first, then moved to `offset`.
    if isMap { packMap(count: count) } else { packArray(count: count) }
    let headByteCount = byteCount - end
    // SAFETY: the buffer has the bytes up to `end`, and after them a head, which is at most 5 bytes.
    unsafe withUnsafeTemporaryAllocation(byteCount: 5, alignment: 1) { head in
      let data = unsafe UnsafeMutableRawPointer(buffer.pointee.data!)
      unsafe head.baseAddress!.copyMemory(from: data + end, byteCount: headByteCount)
      if headByteCount > 1 {
        unsafe memmove(data + offset + headByteCount, data + offset + 1, end - offset - 1)
      }
      unsafe (data + offset).copyMemory(from: head.baseAddress!, byteCount: headByteCount)
    }
    unsafe buffer.pointee.size = end + headByteCount - 1
  }

  package func packNull() { unsafe check(fuse_pack_nil(buffer)) }
  package func pack(_ value: Bool) { unsafe check(value ? fuse_pack_true(buffer) : fuse_pack_false(buffer)) }
  package func pack(_ value: Int64) { unsafe check(fuse_pack_int64(buffer, value)) }
  package func pack(_ value: UInt64) { unsafe check(fuse_pack_uint64(buffer, value)) }

  /// A float32 by its bits, so that a NaN keeps its payload.
  package func pack(float32 bits: UInt32) { unsafe check(fuse_pack_float(buffer, Float(bitPattern: bits))) }

  /// A float64 by its bits, so that a NaN keeps its payload.
  package func pack(float64 bits: UInt64) { unsafe check(fuse_pack_double(buffer, Double(bitPattern: bits))) }

  package func pack(string bytes: RawSpan) {
    unsafe check(fuse_pack_str(buffer, bytes.byteCount))
    append(bytes)
  }

  package func pack(text: String) {
    let bytes = text.keyBytes
    defer { bytes.hold() }
    pack(string: bytes)
  }

  /// The string that `bytes` has in `range`.
  package func pack(string range: Range<Int>, of bytes: RawSpan) {
    unsafe check(fuse_pack_str(buffer, range.count))
    append(range, of: bytes)
  }

  /// A value that is packed already, such as the name of a member, and the string that `bytes` has in `range`; quicker where ``padding``
  /// bytes follow both.
  package func pack(
    _ name: Range<Int>, of names: RawSpan, thenString range: Range<Int>, of bytes: RawSpan
  ) {
    guard name.upperBound <= names.byteCount &- Self.padding, name.lowerBound >= 0,
      range.upperBound <= bytes.byteCount &- Self.padding, range.lowerBound >= 0
    else {
      append(name, of: names)
      return pack(string: range, of: bytes)
    }
    // SAFETY: the guard puts both ranges and the 15 bytes after each inside the spans.
    unsafe names.withUnsafeBytes { names in
      unsafe bytes.withUnsafeBytes { bytes in
        unsafe check(
          fuse_pack_pair_padded(
            buffer, names.baseAddress! + name.lowerBound, name.count, bytes.baseAddress! + range.lowerBound, range.count
          ))
      }
    }
  }

  package func pack(binary bytes: RawSpan) {
    unsafe check(fuse_pack_bin(buffer, bytes.byteCount))
    append(bytes)
  }

  package func pack(extension type: Int8, _ bytes: RawSpan) {
    unsafe check(fuse_pack_ext(buffer, bytes.byteCount, type))
    append(bytes)
  }

  /// The head of an array; `count` values follow.
  package func packArray(count: Int) { unsafe check(fuse_pack_array(buffer, count)) }

  /// The head of a map; `count` pairs of values follow.
  package func packMap(count: Int) { unsafe check(fuse_pack_map(buffer, count)) }

  /// Bytes as they are: the body of a string, or a whole value.
  package func append(_ bytes: RawSpan) {
    guard bytes.byteCount > 0 else { return }
    // SAFETY: the buffer copies exactly the span's bytes.
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe check(fuse_pack_append(buffer, bytes.baseAddress!, bytes.count))
    }
  }

  /// The same for what `bytes` has in `range`; quicker for a short range that ``padding`` bytes follow.
  package func append(_ range: Range<Int>, of bytes: RawSpan) {
    guard range.upperBound <= bytes.byteCount &- Self.padding, range.lowerBound >= 0 else {
      return append(bytes.extracting(range))
    }
    // SAFETY: the guard puts the range and the 15 bytes after it inside the span.
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe check(fuse_pack_append_padded(buffer, bytes.baseAddress! + range.lowerBound, range.count))
    }
  }

  /// Packing fails for want of memory alone, which Swift's own containers do not survive either.
  @inline(__always)
  private func check(_ result: Int32) { precondition(result == 0, "out of memory while packing a value") }
}

extension MessagePackPacker {
  /// Throws where an array or map in `depth` others would be nested too deeply. [V3]
  package static func checkNesting(_ depth: Int) throws(FuseError) {
    guard depth < FormatLimits.nesting else {
      throw .invalidValue("the value is nested deeper than \(FormatLimits.nesting) levels", at: 0)
    }
  }
}
