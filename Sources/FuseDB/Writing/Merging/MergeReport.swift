/// What ``FuseWriter/merge(_:to:options:progress:)`` wrote.
public struct MergeReport: Sendable, Equatable {
  /// Keys that were read of all files: those with one of the prefixes, where there are some.
  public var inputKeyCount = 0
  /// Of these: keys that a file to be subtracted has.
  public var subtractedKeyCount = 0
  /// Keys under which files have different objects.
  public var conflictCount = 0
  /// The first few of them in key order.
  public var conflicts: [MergeConflict] = []
  /// Keys in the new file.
  public var keyCount = 0
  /// Objects in the new file.
  public var objectCount = 0
  /// The new file's length.
  public var byteCount = 0
  /// How many bytes longer the file would be if every key had its own copy of its object.
  public var bytesSavedBySharing = 0
  /// Keys of the database that the file replaced; nil where there was none.
  public var replacedKeyCount: Int?
  /// How many bytes went to a temporary file.
  public var spilledByteCount = 0
}

/// A key under which files have different objects.
public struct MergeConflict: Sendable, Equatable {
  /// The key.
  public var key: [UInt8]
  /// The number of the file whose object the key got, or which was combined with that of the other.
  public var kept: Int
  /// The number of a file with another object.
  public var dropped: Int

  init(_ duplicate: DuplicateKey) {
    key = duplicate.key
    kept = MergePlace(duplicate.kept).input
    dropped = MergePlace(duplicate.dropped).input
  }
}
