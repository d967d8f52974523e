import FuseDB
import Glibc
import ProgramSupport

@testable import FuseDBStore

/// A store in a folder that goes with this object.
final class ScratchStore {
  let folder: String
  let store: FuseStore

  init(_ configuration: FuseStore.Configuration = FuseStore.Configuration()) throws {
    var template = Array("/dev/shm/fusedb-store-XXXXXX".utf8CString)
    // SAFETY: the template ends in a zero byte; mkdtemp changes its letters.
    guard unsafe mkdtemp(&template) != nil else { preconditionFailure("no folder for the test") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    store = try FuseStore.create(path: folder + "/store", configuration: configuration)
  }

  deinit { Self.remove(folder) }

  private static func remove(_ path: String) {
    for name in Scratch.names(in: path) ?? [] { remove("\(path)/\(name)") }
    if unsafe rmdir(path) != 0 { unsafe unlink(path) }
  }

  var path: String { folder + "/store" }

  /// As another process would have it.
  func again() throws -> FuseStore { try FuseStore(path: path) }

  /// All files of the store, and their bytes.
  var files: [String: [UInt8]] { Self.files(path, "") }

  private static func files(_ path: String, _ prefix: String) -> [String: [UInt8]] {
    var all: [String: [UInt8]] = [:]
    for name in Scratch.names(in: path) ?? [] {
      let place = "\(path)/\(name)"
      if Scratch.names(in: place) != nil {
        all.merge(files(place, "\(prefix)\(name)/")) { first, _ in first }
      } else {
        all[prefix + name] = Scratch.bytes(of: place)
      }
    }
    return all
  }

  /// Puts bytes in the place of a file's.
  func overwrite(_ name: String, with bytes: [UInt8]) {
    let place = "\(path)/\(name)"
    unsafe unlink(place)
    guard let file = unsafe fopen(place, "wb") else { preconditionFailure("no file for the test") }
    unsafe fwrite(bytes, 1, bytes.count, file)
    unsafe fclose(file)
  }
}

/// Bytes that look like nothing.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
  var random = SeededRandom(seed: seed)
  return random.bytes(count)
}

/// Bytes that look like a text.
func prose(_ count: Int, seed: UInt64) -> [UInt8] {
  let words = ["look", "up", "store", "chunk", "pack", "digest", "key", "value", "reader", "writer"]
  var random = SeededRandom(seed: seed)
  var bytes: [UInt8] = []
  while bytes.count < count { bytes += Array(random.element(words).utf8) + [random.below(9) == 0 ? 10 : 32] }
  return Array(bytes.prefix(count))
}

extension ScratchStore {
  /// Removes a file of the store.
  func remove(_ name: String) { unsafe unlink("\(path)/\(name)") }

  /// Gives a file or folder of the store another name.
  func move(_ name: String, to other: String) { unsafe rename("\(path)/\(name)", "\(path)/\(other)") }
}

extension ScratchStore {
  /// Writes a file that is none of the store's.
  func write(_ bytes: [UInt8], to place: String) {
    guard let file = unsafe fopen(place, "wb") else { preconditionFailure("no file for the test") }
    unsafe fwrite(bytes, 1, bytes.count, file)
    unsafe fclose(file)
  }
}
