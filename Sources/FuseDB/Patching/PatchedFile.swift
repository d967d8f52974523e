/// The file that ``FusePatch/apply(_:to:output:)`` made.
public struct PatchedFile: Sendable, Equatable {
  /// Keys in the file.
  public var keyCount: Int
  /// Objects in the file.
  public var objectCount: Int
  /// The file's length.
  public var byteCount: Int
}
