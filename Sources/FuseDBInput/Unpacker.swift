internal import FuseDBFormat

/// Unpacks data of one kind, a few bytes at a time. ``PackedInput`` holds the bytes and knows where they end.
///
/// A *part* is what may be repeated any number of times: a member of gzip, a frame of zstd, a stream of xz or bzip2.
protocol Unpacker: AnyObject {
  /// What the data is called in messages.
  var name: String { get }

  /// Begins the next part, which stands in `packed` from the range's start on, after what may lie between parts.
  ///
  /// - Returns: where the part begins; the range's end when all of the range lies between parts.
  func begin(_ packed: [UInt8], _ range: Range<Int>) throws(FuseError) -> Int

  /// Unpacks from `packed[source]` into `bytes[room]` what both allow.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when the data is damaged.
  func unpack(
    _ packed: [UInt8], _ source: Range<Int>, into bytes: inout [UInt8], _ room: Range<Int>
  ) throws(FuseError) -> UnpackedPiece
}

/// What one call of an ``Unpacker`` did.
struct UnpackedPiece {
  /// How many packed bytes it used.
  var usedCount: Int
  /// How many bytes came out.
  var byteCount: Int
  /// Whether the part ended.
  var endsPart: Bool
}
