internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// Where every 32nd entry of the key index begins: where ordered scans start.
package enum KeyOrder: Sendable {
  /// Found by a pass over the index, which checked it.
  case memory([UInt64])
  /// The section `ORDR` in a file, with a checksum for each stride.
  case section(Range<Int>)

  /// How many entries a stride has.
  package static let stride = StrideRow.entryCount

  /// How many strides there are.
  var strideCount: Int {
    switch self {
    case .memory(let offsets): offsets.count
    case .section(let range): range.count / StrideRow.byteCount
    }
  }

  /// Where a stride begins. A section may say anything.
  /// - Precondition: `stride` is below `strideCount`.
  package func offset(ofStride stride: Int, in file: RawSpan) -> Int {
    switch self {
    case .memory(let offsets): Int(offsets[stride])
    case .section(let range):
      Int(clamping: file.loadInside(at: range.lowerBound + stride * StrideRow.byteCount, as: UInt64.self))
    }
  }

  /// The checksum that a stride must have, or nil where none is known.
  /// - Precondition: `stride` is below `strideCount`.
  func checksum(ofStride stride: Int, in file: RawSpan) -> UInt32? {
    guard case .section(let range) = self else { return nil }
    return file.loadInside(at: range.lowerBound + stride * StrideRow.byteCount + 8, as: UInt32.self)
  }
}
