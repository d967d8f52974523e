import Foundation
import Glibc

/// A folder that is there as long as this object.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/fusedb-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of `name` in this folder.
  func path(_ name: String) -> String { path + "/" + name }

  /// A new file of these bytes; whoever has an older one of the name open keeps that.
  @discardableResult
  func write(_ bytes: [UInt8], as name: String = "file.fsdb") throws -> String {
    let path = path(name)
    // Thousands of files are written: Foundation would take longer for many than what is tested with them.
    if unsafe unlink(path) != 0 { try? FileManager.default.removeItem(atPath: path) }
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    defer { close(descriptor) }
    guard descriptor >= 0, unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
    return path
  }

  /// Removes the file `name`.
  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  /// The bytes of the file `name`.
  func read(_ name: String) throws -> [UInt8] { try contents(path(name)) }

  /// All names in the folder, also hidden ones, sorted.
  var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }
}

/// The bytes of a file.
func contents(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
