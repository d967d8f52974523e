internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// What a patch holds, as ``FusePatch/make(from:to:at:outputLink:)`` wrote it.
public struct PatchReport: Sendable, Equatable {
  /// The patch's length.
  public var byteCount = 0
  /// Objects that stand in the old file as they are.
  public var copiedObjectCount = 0
  /// Objects that are described by what changed in an old one.
  public var editedObjectCount = 0
  /// Objects that are in the patch whole.
  public var newObjectCount = 0
  /// Keys that the old file does not have.
  public var addedKeyCount = 0
  /// Keys that point at another object than what became of their old one.
  public var redirectedKeyCount = 0
  /// Whether the new file's extension block is in the patch, because another program made it.
  public var hasBlockBytes = false
  /// The length of the patch that this one replaced; nil where there was none.
  public var replacedByteCount: Int?
}

/// The file that ``FusePatch/apply(_:to:output:options:)-(String,_,_,_)`` made.
public struct PatchedFile: Sendable, Equatable {
  /// Keys in the file.
  public var keyCount: Int
  /// Objects in the file.
  public var objectCount: Int
  /// The file's length.
  public var byteCount: Int
  /// Keys of the database that the file replaced; nil where there was none.
  public var replacedKeyCount: Int?
}
