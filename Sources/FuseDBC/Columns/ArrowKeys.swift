internal import CFuseDB
internal import FuseDB

/// The strings or binaries of an Arrow array, each checked when it is taken.
struct ArrowKeys {
  /// How the bytes of an element are found.
  private enum Layout {
    case offsets32(UnsafePointer<Int32>?, data: UnsafeRawPointer?)
    case offsets64(UnsafePointer<Int64>?, data: UnsafeRawPointer?)
    case views(UnsafeRawPointer?, data: UnsafeBufferPointer<UnsafeRawPointer?>, sizes: UnsafePointer<Int64>?)
  }

  let count: Int
  private let offset: Int
  private let validity: UnsafePointer<UInt8>?
  private let layout: Layout

  init(_ schema: UnsafePointer<ArrowSchema>?, _ array: UnsafePointer<ArrowArray>?) throws(FuseError) {
    guard let schema = schema?.pointee, let array = array?.pointee else { throw .slip("the Arrow keys are NULL") }
    guard schema.release != nil, array.release != nil else { throw .slip("the Arrow keys were released before") }
    guard let format = schema.format.map({ String(cString: $0) }) else { throw .slip("the Arrow keys have no format") }
    guard schema.dictionary == nil, array.dictionary == nil else {
      throw .slip("the Arrow keys are a dictionary; decode it first")
    }
    guard array.length >= 0, array.offset >= 0, array.length <= Int.max / 64, array.offset <= Int.max / 64 else {
      throw .slip("the Arrow keys have a length of \(array.length) from \(array.offset) on")
    }
    count = Int(array.length)
    offset = Int(array.offset)
    let isView = format == "vu" || format == "vz"
    guard isView || ["u", "z", "U", "Z"].contains(format) else {
      throw .slip("the Arrow keys are of format '\(format)'; they may be strings or binaries: u, U, vu, z, Z or vz")
    }
    let bufferCount = Int(array.n_buffers)
    guard isView ? bufferCount >= 3 && bufferCount < 1 << 32 : bufferCount == 3, let buffers = array.buffers else {
      throw .slip("the Arrow keys have \(array.n_buffers) buffers, which is no number for format '\(format)'")
    }
    validity = buffers[0]?.assumingMemoryBound(to: UInt8.self)
    guard buffers[1] != nil || count == 0 else { throw .slip("the Arrow keys have no buffer of offsets") }
    if isView {
      let sizes = buffers[bufferCount - 1]?.assumingMemoryBound(to: Int64.self)
      guard sizes != nil || bufferCount == 3 else { throw .slip("the Arrow keys have no buffer of sizes") }
      layout = .views(
        buffers[1], data: UnsafeBufferPointer(start: buffers + 2, count: bufferCount - 3), sizes: sizes)
    } else if format == "u" || format == "z" {
      layout = .offsets32(buffers[1]?.assumingMemoryBound(to: Int32.self), data: buffers[2])
    } else {
      layout = .offsets64(buffers[1]?.assumingMemoryBound(to: Int64.self), data: buffers[2])
    }
  }

  /// Whether there is a key in a row.
  @inline(__always)
  func isNull(_ row: Int) -> Bool {
    guard let validity else { return false }
    let bit = offset + row
    return validity[bit >> 3] >> UInt8(bit & 7) & 1 == 0
  }

  /// The bytes of the key in a row.
  @inline(__always)
  func span(_ row: Int) throws(FuseError) -> fuse_span {
    let position = offset + row
    switch layout {
    case .offsets32(let offsets, let data):
      return try span(Int(offsets![position]), Int(offsets![position + 1]), data, row)
    case .offsets64(let offsets, let data):
      return try span(Int(offsets![position]), Int(offsets![position + 1]), data, row)
    case .views(let views, let data, let sizes):
      let view = views! + 16 * position
      let count = Int(view.load(as: Int32.self))
      if count >= 0, count <= 12 { return fuse_span(data: view + 4, size: count) }
      let buffer = Int(view.load(fromByteOffset: 8, as: Int32.self))
      let start = Int(view.load(fromByteOffset: 12, as: Int32.self))
      guard count > 0, data.indices.contains(buffer), start >= 0, let bytes = data[buffer],
        start + count <= sizes![buffer]
      else { throw Self.broken(row) }
      return fuse_span(data: bytes + start, size: count)
    }
  }

  @inline(__always)
  private func span(
    _ start: Int, _ end: Int, _ data: UnsafeRawPointer?, _ row: Int
  ) throws(FuseError) -> fuse_span {
    guard start >= 0, end >= start else { throw Self.broken(row) }
    guard end > start else { return fuse_span() }
    guard let data else { throw Self.broken(row) }
    return fuse_span(data: data + start, size: end - start)
  }

  @inline(never)
  private static func broken(_ row: Int) -> FuseError {
    .slip("the Arrow keys are broken: in row \(row) the offsets lie outside of the bytes")
  }
}
