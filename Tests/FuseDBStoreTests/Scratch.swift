import FuseDB
import FuseDBStore
import ProgramSupport

@testable import FuseDBStore

/// A store in a folder that goes with this object.
final class ScratchStore {
  let scratch: Scratch
  let store: FuseStore

  init(_ configuration: FuseStore.Configuration = FuseStore.Configuration()) throws {
    scratch = try Scratch()
    store = try FuseStore.create(path: scratch.path + "/store", configuration: configuration)
  }

  var path: String { scratch.path + "/store" }
  /// As another process would have it.
  func again() throws -> FuseStore { try FuseStore(path: path) }
}

/// Bytes that look like nothing.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
  var random = SeededRandom(seed: seed)
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count)
  while bytes.count < count {
    let word = random.next()
    for shift in 0..<8 where bytes.count < count { bytes.append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(shift)))) }
  }
  return bytes
}

/// Bytes that look like a text.
func text(_ count: Int, seed: UInt64) -> [UInt8] {
  let words = ["look", "up", "store", "chunk", "pack", "digest", "key", "value", "reader", "writer"]
  var random = SeededRandom(seed: seed)
  var bytes: [UInt8] = []
  while bytes.count < count {
    bytes += Array(words[Int(random.next() % 10)].utf8) + [random.next() % 9 == 0 ? 10 : 32]
  }
  return Array(bytes.prefix(count))
}
