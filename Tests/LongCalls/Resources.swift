import CMalloc
import Glibc

/// What this process holds of the system, as the system says.
struct Resources {
  private let descriptorCount: Int
  private let mappingCount: Int
  /// Neighbours of one kind are one mapping, so their length counts too.
  private let mappedByteCount: Int
  private let heapByteCount: Int

  /// Makes the heap one for all threads, which then neither map nor keep any for themselves.
  static func calmHeap() { mallopt(M_ARENA_MAX, 1) }

  init() throws {
    let lines = String(decoding: try ScratchFolder.read("/proc/self/maps"), as: UTF8.self).split(separator: "\n")
    mappingCount = lines.count
    mappedByteCount = lines.reduce(0) { sum, line in
      let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { Int($0, radix: 16) }
      // The heap is counted by itself.
      return line.hasSuffix("[heap]") || ends.count != 2 ? sum : sum + ends[1] - ends[0]
    }
    descriptorCount = try Self.count(in: "/proc/self/fd")
    heapByteCount = Int(mallinfo2().uordblks)
  }

  /// What is more now than `before`, or nil.
  func growth(from before: Resources) -> String? {
    if descriptorCount != before.descriptorCount {
      return "\(descriptorCount) descriptors are open, before it was \(before.descriptorCount)"
    }
    if mappingCount > before.mappingCount || mappedByteCount > before.mappedByteCount + 1 << 20 {
      return "there are \(mappingCount) mappings of \(mappedByteCount) bytes, before it was \(before.mappingCount) of "
        + "\(before.mappedByteCount)"
    }
    if heapByteCount > before.heapByteCount + 1 << 20 {
      return "the heap has \(heapByteCount) bytes, before it was \(before.heapByteCount)"
    }
    return nil
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
