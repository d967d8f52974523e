internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// What the body of a patch says, one number at a time. See spec/patch.md §5 to §7.
///
/// An operation is one number: its kind in the two lowest bits, its argument above them.
enum PatchOperation {
  static let kindBitCount = 2

  /// How the records of the new file come about.
  enum Records: UInt64 {
    /// As many records of the old file as the argument says, from the cursor on.
    case copied = 0
    /// The old record at the cursor, with as many edits as the argument says.
    case edited = 1
    /// A record of as many bytes as the argument says, which follow.
    case new = 2
    /// No record: the cursor moves by the argument, which is signed.
    case moved = 3
  }

  /// How the entries of the new file come about.
  enum Entries: UInt64 {
    /// The next entries of the old file, as many as the argument says; each points at the successor of its old record.
    case followed = 0
    /// The next entries of the old file have no counterpart, as many as the argument says.
    case dropped = 1
    /// The next entry of the old file points elsewhere; the argument, which is signed, says where.
    case redirected = 2
    /// A new key; the argument says how many bytes it shares with the new key before it.
    case added = 3
  }

  /// How what follows the key index comes about.
  enum Block: UInt64 {
    /// Nothing follows it.
    case absent = 0
    /// The block is what a canonical writer makes of the file.
    case rebuilt = 1
    /// The bytes follow as they are.
    case literal = 2
  }
}

extension Int64 {
  /// Small numbers for small distances in both directions: 0, -1, 1, -2 … are 0, 1, 2, 3 …
  var zigzag: UInt64 { UInt64(bitPattern: (self << 1) ^ (self >> 63)) }

  init(zigzag number: UInt64) { self = Int64(bitPattern: (number >> 1) ^ (0 &- (number & 1))) }
}
