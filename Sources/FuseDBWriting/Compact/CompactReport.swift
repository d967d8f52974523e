/// What ``CompactWriter`` made.
package struct CompactReport: Sendable, Equatable {
  package var keyCount: Int
  package var objectCount: Int
  /// The file's length.
  package var byteCount: Int
  /// Where objects end and all else begins.
  package var rowsEnd: Int
  /// Values that stand once in the file for all objects that have them,
  package var partCount: Int
  /// and lists of names.
  package var shapeCount: Int
  /// Whether keys are coded by symbols.
  package var keysAreCoded: Bool
  /// Keys of the database that the new file replaced; nil where there was none.
  package var replacedKeyCount: Int?
  /// Blocks of addresses in a section of their own, and keys that are none; nil where there is none.
  package var networks: NetworkCounts?
}
