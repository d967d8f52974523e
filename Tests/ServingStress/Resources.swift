import CMalloc
import Glibc

/// What this process holds of the system, as the system says.
struct Resources {
  /// Mappings of files in the folder.
  let fileMappingCount: Int
  /// All mappings.
  let mappingCount: Int
  let descriptorCount: Int
  /// Bytes that the C library has given out; 0 under a sanitizer, which has a heap of its own.
  let heapByteCount: Int

  init(filesIn folder: ScratchFolder) throws {
    let lines = String(decoding: try ScratchFolder.read("/proc/self/maps"), as: UTF8.self).split(separator: "\n")
    mappingCount = lines.count
    fileMappingCount = lines.count { $0.contains(folder.path + "/") }
    descriptorCount = try Self.count(in: "/proc/self/fd")
    heapByteCount = Int(mallinfo2().uordblks)
  }

  /// Throws when more is held now than `before`, by more than threads and the heap's ways explain.
  func check(against before: Resources) throws {
    guard descriptorCount == before.descriptorCount else {
      throw Violation("\(before.descriptorCount) descriptors were open, now it is \(descriptorCount)")
    }
    guard mappingCount < before.mappingCount + 200 else {
      throw Violation("there were \(before.mappingCount) mappings, now it is \(mappingCount)")
    }
    guard heapByteCount < before.heapByteCount + 256 << 10 else {
      throw Violation("the heap had \(before.heapByteCount) bytes, now it is \(heapByteCount)")
    }
  }

  private static func count(in folder: String) throws -> Int {
    guard let list = unsafe opendir(folder) else {
      throw Violation("cannot list \(folder): \(unsafe String(cString: strerror(errno)))")
    }
    defer { unsafe closedir(list) }
    var count = 0
    while unsafe readdir(list) != nil { count += 1 }
    return count
  }
}
