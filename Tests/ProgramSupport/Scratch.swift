import Glibc

/// A new folder, which goes away with this object and all files in it; in memory where the system offers that, for nothing
/// here is about disks.
package final class Scratch {
  package let folder: String

  package init() { folder = Self.folder() }

  /// Makes a new folder that stays.
  package static func folder() -> String {
    for place in ["/dev/shm", "/tmp"] {
      var template = Array("\(place)/fusedb-test-XXXXXX".utf8CString)
      // SAFETY: the template ends in a zero byte; mkdtemp changes its letters.
      guard unsafe mkdtemp(&template) != nil else { continue }
      return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    preconditionFailure("no folder for the test")
  }

  deinit {
    for name in names { unsafe unlink(path(name)) }
    unsafe rmdir(folder)
  }

  /// The names of the files that are there.
  package var names: [String] { Self.names(in: folder)?.sorted() ?? [] }

  /// The path of a file that is here, or will be.
  package func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// Writes a file, and returns its path.
  @discardableResult
  package func write(_ bytes: [UInt8], to name: String) -> String {
    let file = unsafe fopen(path(name), "wb")
    // SAFETY: fwrite reads the array's bytes; the file is open.
    guard let file = unsafe file, unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count, unsafe fclose(file) == 0
    else { preconditionFailure("no file for the test") }
    return path(name)
  }

  @discardableResult
  package func write(_ text: String, to name: String) -> String { write(Array(text.utf8), to: name) }

  /// The bytes of a file that is here; nil when it is not.
  package func read(_ name: String) -> [UInt8]? { Self.bytes(of: path(name)) }

  /// The bytes of a file; nil when it cannot be opened.
  package static func bytes(of path: String) -> [UInt8]? {
    guard let file = unsafe fopen(path, "rb") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var portion = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      // SAFETY: fread writes at most the portion's bytes.
      let count = unsafe fread(&portion, 1, portion.count, file)
      guard count > 0 else { return bytes }
      bytes += portion[..<count]
    }
  }

  /// The names in a folder; nil when it cannot be listed.
  package static func names(in folder: String) -> [String]? {
    guard let list = unsafe opendir(folder) else { return nil }
    defer { unsafe closedir(list) }
    var names: [String] = []
    while let entry = unsafe readdir(list) {
      // SAFETY: the name ends in a zero byte, within its array.
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
