public import CFuseDB
internal import CFuseHandles
internal import FuseDB

/// Where copies go.
typealias BufferSlot = UnsafeMutablePointer<fuse_buffer>

extension UnsafeMutablePointer<fuse_buffer> {
  /// Makes these its bytes.
  func set(_ bytes: UnsafeRawBufferPointer) throws(FuseError) {
    try reserve(bytes.count)
    if let start = bytes.baseAddress, bytes.count > 0 {
      UnsafeMutableRawPointer(pointee.data!).copyMemory(from: start, byteCount: bytes.count)
    }
    pointee.size = bytes.count
  }

  /// Makes these its bytes.
  func set(_ text: String) throws(FuseError) {
    var text = text
    let bytes = text.withUTF8 { text in Result { () throws(FuseError) in try set(UnsafeRawBufferPointer(text)) } }
    try bytes.get()
  }

  /// Makes these its bytes.
  func set(_ array: [UInt8]) throws(FuseError) {
    let bytes = array.withUnsafeBytes { bytes in Result { () throws(FuseError) in try set(bytes) } }
    try bytes.get()
  }

  private func reserve(_ count: Int) throws(FuseError) {
    guard count > pointee.capacity else { return }
    let capacity = Swift.max(count, pointee.capacity < 1 << 30 ? 2 * pointee.capacity : 0, 64)
    guard let grown = fuse_memory_grow(pointee.data, capacity) else { throw .outOfMemory("copy \(count) bytes") }
    pointee.data = grown.assumingMemoryBound(to: UInt8.self)
    pointee.capacity = capacity
  }
}

/// A caller's buffer, empty.
func buffer(_ buffer: BufferSlot?, _ name: StaticString) throws(FuseError) -> BufferSlot {
  let buffer = try slot(buffer, name)
  guard buffer.pointee.capacity >= 0, buffer.pointee.data != nil || buffer.pointee.capacity == 0 else {
    throw .slip("'\(name)' is no buffer; begin with FUSE_BUFFER_EMPTY")
  }
  buffer.pointee.size = 0
  return buffer
}

/// Frees the bytes of a buffer, which is empty then.
@c @implementation
public func fuse_buffer_free(_ buffer: UnsafeMutablePointer<fuse_buffer>?) {
  guard let buffer else { return }
  fuse_memory_free(buffer.pointee.data)
  buffer.pointee = fuse_buffer()
}

/// Puts a copy of bytes into a buffer.
@c @implementation
public func fuse_buffer_set(
  _ target: UnsafeMutablePointer<fuse_buffer>?, _ data: UnsafeRawPointer?, _ size: Int,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let bytes = try given(data, size, "data")
    try buffer(target, "buffer").set(bytes)
    return Status.ok
  }
}
