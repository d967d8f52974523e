internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// The file that ``FusePatch/apply(_:to:output:options:)`` made.
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
