internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What the hash section is made of, for one key.
struct HashRecord: BitwiseCopyable {
  static let byteCount = MemoryLayout<HashRecord>.stride

  /// Under the seed of the section.
  var hash: UInt64
  /// Where the key's entry begins, from the start of the key index.
  var entry: UInt64
  /// The object offset of that entry.
  var object: UInt64

  /// The same where both offsets have 32 bits.
  struct Narrow: BitwiseCopyable {
    var hash: UInt64
    var entry: UInt32
    var object: UInt32
  }

  @inline(__always)
  var narrow: Narrow {
    Narrow(hash: hash, entry: UInt32(truncatingIfNeeded: entry), object: UInt32(truncatingIfNeeded: object))
  }

  @inline(__always)
  init(hash: UInt64, entry: UInt64, object: UInt64) {
    self.hash = hash
    self.entry = entry
    self.object = object
  }

  @inline(__always)
  init(_ narrow: Narrow) {
    self.init(hash: narrow.hash, entry: UInt64(narrow.entry), object: UInt64(narrow.object))
  }
}
