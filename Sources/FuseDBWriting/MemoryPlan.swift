internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// How a build divides the memory that it may use. See spec/decisions/0009-external-build.md.
struct MemoryPlan {
  /// What the process needs beside: code, stacks, the buffers of output files.
  private static let overhead = 20 << 20
  static let leastByteCount = 16 << 20

  /// For objects that are kept in memory, with their table.
  var objects: Int
  /// For keys that wait to be sorted or merged.
  var keys: Int
  /// For one buffer of keys. Small enough to be sorted within the larger caches and to be spilled in parts, large enough
  /// for few runs.
  var keyBuffer: Int
  /// For what is collected for the extension block while the index is written.
  var extensionBlock: Int
  /// For what is read at once of all runs on disk.
  var runWindows: Int
  /// For one part of what goes to the temporary file while objects are added.
  var spillChunk: Int
  /// How many threads add keys at the same time.
  let shardCount: Int

  /// - Parameters:
  ///   - byteCount: how much memory the process may use in all.
  ///   - shardCount: how many threads add keys at the same time.
  init(byteCount: Int, shardCount: Int) {
    let usable = max(byteCount - Self.overhead, Self.leastByteCount / 3)
    self.shardCount = shardCount
    objects = usable / 100 * 36
    keys = usable / 100 * 32
    keyBuffer = min(max(keys / (2 * shardCount) & ~4095, KeyBuffer.leastByteCount), 32 << 20)
    extensionBlock = usable / 100 * 16
    runWindows = usable / 100 * 6
    spillChunk = min(1 << 18, max(1 << 12, usable / 2048)) & ~4095
  }

  /// Leaves a half for a second build. Of what only one of both needs at a time, each has all.
  mutating func halve() {
    objects /= 2
    keys /= 2
    keyBuffer = max(keyBuffer / 2 & ~4095, KeyBuffer.leastByteCount)
    runWindows /= 2
    spillChunk = max(spillChunk / 2, 1 << 12) & ~4095
  }

  private static let leastRunWindow = 1 << 14

  /// How many runs on disk may be read at once.
  var fanIn: Int { max(16, runWindows / Self.leastRunWindow) }

  /// How much is read at once of each of `count` runs on disk.
  func runWindow(of count: Int) -> Int { max(4096, min(1 << 20, runWindows / max(1, count)) & ~4095) }
}
