import Foundation

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
    try? FileManager.default.removeItem(atPath: path(name))
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    return path(name)
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
