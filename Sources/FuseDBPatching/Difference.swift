internal import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// What became of one key between two files.
public enum Difference: Sendable {
  /// The new file alone has the key.
  case added(Entry)
  /// The old file alone has the key.
  case removed(Entry)
  /// Both have the key, and their objects have other bytes.
  case changed(from: Entry, to: Entry)

  /// The key: where both files have it, the new file's entry.
  public var entry: Entry {
    switch self {
    case .added(let entry), .removed(let entry), .changed(_, let entry): entry
    }
  }
}
