internal import FuseDBValues

/// What an object is called while a file is being built: the partition that it belongs to by its hash, and its number there.
struct ObjectNumber: Hashable, BitwiseCopyable, Sendable {
  let rawValue: UInt64

  var partition: Int { Int(truncatingIfNeeded: rawValue >> 32) }
  var number: Int { Int(truncatingIfNeeded: rawValue & 0xFFFF_FFFF) }

  init(partition: Int, number: Int) { rawValue = UInt64(partition) << 32 | UInt64(number) }
  init(rawValue: UInt64) { self.rawValue = rawValue }
}
