internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What ``FuseWriter/merge(_:to:options:progress:)`` wrote.
public struct MergeReport: Sendable, Equatable {
  /// Keys that were read of all files: those with one of the prefixes, where there are some.
  public var inputKeyCount = 0
  /// Of these: keys that a file to be subtracted has.
  public var subtractedKeyCount = 0
  /// Keys under which files have different objects.
  public var conflictCount = 0
  /// Of these: keys that got a new object, which the function that combines made.
  public var combinedCount = 0
  /// The first few keys under which files have different objects, in key order.
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
  /// What a key got.
  public enum Outcome: Sendable, Equatable {
    /// The object of one file; `dropped` is a file with another object. Both are numbers of files, from 0 on.
    case kept(Int, dropped: Int)
    /// A new object, which the function that combines made of those of these files.
    case combined([Int])
  }

  /// The key.
  public var key: [UInt8]
  /// What it got.
  public var outcome: Outcome

  init(_ duplicate: DuplicateKey) {
    key = duplicate.key
    outcome =
      duplicate.combined.isEmpty
      ? .kept(MergePosition(duplicate.kept).input, dropped: MergePosition(duplicate.dropped).input)
      : .combined(duplicate.combined.map { MergePosition($0).input })
  }
}
