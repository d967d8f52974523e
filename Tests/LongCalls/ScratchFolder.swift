import FuseDB
import Glibc

/// A new folder, which goes away with this object; in memory where the system offers that, for no test here is about
/// disks.
final class ScratchFolder {
  let path: String
  private var names: Set<String> = []

  init() throws {
    for place in ["/dev/shm", "/tmp"] {
      var template = Array("\(place)/LongCalls-XXXXXX".utf8CString)
      // SAFETY: the template ends in a zero byte; mkdtemp changes its letters.
      guard unsafe mkdtemp(&template) != nil else { continue }
      path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      return
    }
    throw Violation("there is no place for files: \(unsafe String(cString: strerror(errno)))")
  }

  deinit {
    for name in names { unsafe unlink("\(path)/\(name)") }
    unsafe rmdir(path)
  }

  /// The path of a file that will be here.
  func path(_ name: String) -> String {
    names.insert(name)
    return "\(path)/\(name)"
  }

  /// A file of these bytes.
  func write(_ bytes: [UInt8], as name: String) throws -> String {
    let path = path(name)
    let file = unsafe fopen(path, "wb")
    // SAFETY: fwrite reads the array's bytes; the file is open.
    guard let file = unsafe file, unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count, unsafe fclose(file) == 0
    else { throw Violation("cannot write \(path): \(unsafe String(cString: strerror(errno)))") }
    return path
  }

  /// The bytes of a file.
  static func read(_ path: String) throws -> [UInt8] {
    guard let file = unsafe fopen(path, "rb") else {
      throw Violation("cannot read \(path): \(unsafe String(cString: strerror(errno)))")
    }
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
}
