/// The largest things the format can hold. See spec/format.md §13.
enum FormatLimits {
  /// [L1] A key's length stands in 16 bits.
  static let keyByteCount = 0xFFFF
  /// [L2] An object's length stands in 32 bits.
  static let objectByteCount = 0xFFFF_FFFF
  /// [L3] Keys are counted in 32 bits, and so are objects.
  static let count = 0xFFFF_FFFF
  /// [L4] How many arrays and maps of a value may stand inside each other.
  static let nesting = 128
}
