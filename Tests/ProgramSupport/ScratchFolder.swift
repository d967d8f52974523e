import Glibc

/// A new folder, which goes away with this object; in memory where the system offers that, for no program here is about
/// disks.
package final class ScratchFolder {
  package let path: String
  private var names: Set<String> = []

  package init() throws {
    for place in ["/dev/shm", "/tmp"] {
      var template = Array("\(place)/FuseDB-test-XXXXXX".utf8CString)
      // SAFETY: the template ends in a zero byte; mkdtemp changes its letters.
      guard unsafe mkdtemp(&template) != nil else { continue }
      path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      return
    }
    throw Violation.cannot("make a folder for files")
  }

  deinit {
    for name in names { unsafe unlink("\(path)/\(name)") }
    unsafe rmdir(path)
  }

  /// The path of a file that will be here.
  package func path(_ name: String) -> String {
    names.insert(name)
    return "\(path)/\(name)"
  }

  /// A file of these bytes.
  package func write(_ bytes: [UInt8], as name: String) throws -> String {
    let path = path(name)
    let file = unsafe fopen(path, "wb")
    // SAFETY: fwrite reads the array's bytes; the file is open.
    guard let file = unsafe file, unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count, unsafe fclose(file) == 0
    else { throw Violation.cannot("write \(path)") }
    return path
  }

  /// The bytes of a file.
  package static func read(_ path: String) throws -> [UInt8] {
    guard let file = unsafe fopen(path, "rb") else { throw Violation.cannot("read \(path)") }
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

  /// The names in a folder.
  package static func names(in folder: String) throws -> [String] {
    guard let list = unsafe opendir(folder) else { throw Violation.cannot("list \(folder)") }
    defer { unsafe closedir(list) }
    var names: [String] = []
    while let entry = unsafe readdir(list) {
      // SAFETY: the name ends in a zero byte, within its array.
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      names.append(name)
    }
    return names
  }
}
