internal import FuseDBValues

/// Where a key of a merge comes from: its file and its object's record there, in the order of the files.
struct MergePosition {
  private static let offsetBits: UInt64 = 48
  static let mostInputs = 1 << 16

  let rawValue: UInt64

  init(input: Int, offset: UInt64) { rawValue = UInt64(input) << Self.offsetBits | offset }
  init(_ rawValue: UInt64) { self.rawValue = rawValue }

  /// The number of the file.
  var input: Int { Int(rawValue >> Self.offsetBits) }
  /// Where the record begins.
  var offset: UInt64 { rawValue & (1 << Self.offsetBits - 1) }
}
