public import CFuseDB
internal import CFuseHandles
internal import FuseDB
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

// The way of a look-up: nothing is retained, allocated or boxed. What is wrong takes another way, which is a call.

extension fuse_span {
  /// Bytes that stay where they are.
  @inline(__always)
  init(_ bytes: RawSpan) {
    self = bytes.withUnsafeBytes { fuse_span(data: $0.baseAddress, size: $0.count) }
  }
}

/// What is wrong with the arguments of a look-up.
@inline(never)
private func slip(
  _ reader: OpaquePointer?, _ key: UnsafeRawPointer?, _ keySize: Int, hasResult: Bool, _ error: HandleSlot?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let _: FuseReader = try object(reader, HandleKind.reader)
    _ = try given(key, keySize, "key")
    throw .slip("'value' is NULL, so that there is no place for the result")
  }
}

@inline(__always)
private func isGiven(_ key: UnsafeRawPointer?, _ keySize: Int) -> Bool { keySize >= 0 && (key != nil || keySize == 0) }

/// The object under a key, in place: one MessagePack value, its checksum compared.
@c @implementation
public func fuse_get(
  _ reader: OpaquePointer?, _ key: UnsafeRawPointer?, _ key_size: Int, _ value: UnsafeMutablePointer<fuse_span>?,
  _ errorSlot: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  guard let object = fuse_shell_object(UnsafeRawPointer(reader), HandleKind.reader), isGiven(key, key_size), let value
  else { return slip(reader, key, key_size, hasResult: value != nil, errorSlot) }
  return Unmanaged<FuseReader>.fromOpaque(object)._withUnsafeGuaranteedRef { reader in
    do throws(FuseError) {
      let key = bytes(key, key_size)
      guard let offset = try reader.objectOffset(forKey: key.bytes) else { return Status.none }
      let record = try reader.record(at: offset)
      value.pointee = fuse_span(data: reader.mapping.address(of: record.start), size: record.byteCount)
      return Status.ok
    } catch {
      return report(error, to: errorSlot)
    }
  }
}

/// FUSE_OK where the file has the key, FUSE_NONE where not.
@c @implementation
public func fuse_contains(
  _ reader: OpaquePointer?, _ key: UnsafeRawPointer?, _ key_size: Int,
  _ errorSlot: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  guard let object = fuse_shell_object(UnsafeRawPointer(reader), HandleKind.reader), isGiven(key, key_size) else {
    return slip(reader, key, key_size, hasResult: true, errorSlot)
  }
  return Unmanaged<FuseReader>.fromOpaque(object)._withUnsafeGuaranteedRef { reader in
    do throws(FuseError) {
      let key = bytes(key, key_size)
      guard try reader.objectOffset(forKey: key.bytes) != nil else { return Status.none }
      try reader.checkNotShrunk()
      return Status.ok
    } catch {
      return report(error, to: errorSlot)
    }
  }
}

/// The same, copied, and the file not cut until then.
@c @implementation
public func fuse_get_copy(
  _ reader: OpaquePointer?, _ key: UnsafeRawPointer?, _ key_size: Int, _ value: UnsafeMutablePointer<fuse_buffer>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reader, HandleKind.reader, error) { (reader: FuseReader) throws(FuseError) in
    let key = try given(key, key_size, "key")
    return try copy(key, of: reader, to: try buffer(value, "value"))
  }
}

/// Copies the object under a key.
func copy(
  _ key: UnsafeRawBufferPointer, of reader: FuseReader, to buffer: BufferSlot
) throws(FuseError) -> fuse_status {
  guard let offset = try reader.objectOffset(forKey: key.bytes) else { return Status.none }
  let record = try reader.record(at: offset)
  try buffer.set(UnsafeRawBufferPointer(start: reader.mapping.address(of: record.start), count: record.byteCount))
  do throws(FuseError) { try reader.checkNotShrunk() } catch {
    buffer.pointee.size = 0
    throw error
  }
  return Status.ok
}

/// A key among many.
struct SpanKey: FuseKeyBytes {
  let span: fuse_span

  var keyBytes: RawSpan {
    @_lifetime(borrow self)
    @inline(__always)
    get { _overrideLifetime(bytes(span.data, span.size).bytes, borrowing: self) }
  }
}

/// Keys that were looked at: each has bytes.
struct SpanKeys: RandomAccessCollection {
  private let spans: UnsafeBufferPointer<fuse_span>

  init(_ keys: UnsafePointer<fuse_span>?, _ count: Int) throws(FuseError) {
    spans = try array(keys, count, "keys")
    for span in spans where span.size < 0 || span.data == nil && span.size != 0 { _ = try given(span, "keys") }
  }

  var startIndex: Int { 0 }
  var endIndex: Int { spans.count }
  subscript(position: Int) -> SpanKey {
    @inline(__always)
    get { SpanKey(span: spans[position]) }
  }
}

/// Looks many keys up, which wait for memory together: of a large file, in less than half the time.
@c @implementation
public func fuse_get_many(
  _ reader: OpaquePointer?, _ keys: UnsafePointer<fuse_span>?, _ count: Int,
  _ values: UnsafeMutablePointer<fuse_span>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reader, HandleKind.reader, error) { (reader: FuseReader) throws(FuseError) in
    let keys = try SpanKeys(keys, count)
    guard keys.count > 0 else { return Status.ok }
    let values = try slot(values, "values")
    // Values are good until the reader is closed, those of a compact file too.
    try reader.answer(keys, isKept: true) { (number, bytes) throws(FuseError) in
      if let bytes { values[number] = fuse_span(bytes) } else { values[number] = fuse_span() }
      return true
    }
    return Status.ok
  }
}

/// Whether the file has each of many keys; `found` has `count` elements.
@c @implementation
public func fuse_contains_many(
  _ reader: OpaquePointer?, _ keys: UnsafePointer<fuse_span>?, _ count: Int, _ found: UnsafeMutablePointer<Bool>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reader, HandleKind.reader, error) { (reader: FuseReader) throws(FuseError) in
    let keys = try SpanKeys(keys, count)
    guard keys.count > 0 else { return Status.ok }
    let found = try slot(found, "found")
    for (number, isThere) in try reader.contains(keys: keys).enumerated() { found[number] = isThere }
    return Status.ok
  }
}
