import CMalloc
import Glibc

/// What this process holds of the system, as the system says.
package struct Resources {
  /// What more there may be, for threads and the heap have ways of their own.
  package struct Margin {
    let mappingCount: Int
    let mappedByteCount: Int
    let heapByteCount: Int

    package init(mappingCount: Int, mappedByteCount: Int, heapByteCount: Int) {
      self.mappingCount = mappingCount
      self.mappedByteCount = mappedByteCount
      self.heapByteCount = heapByteCount
    }
  }

  private let descriptorCount: Int
  private let mappingCount: Int
  /// Neighbours of one kind are one mapping, so their length counts too.
  private let mappedByteCount: Int
  /// Bytes that the C library has given out; 0 under a sanitizer, which has a heap of its own.
  private let heapByteCount: Int

  /// Makes the heap one for all threads, which then neither map nor keep any for themselves.
  package static func calmHeap() { mallopt(M_ARENA_MAX, 1) }

  package init() throws {
    descriptorCount = try Self.need(Scratch.names(in: "/proc/self/fd"), "list /proc/self/fd").count
    heapByteCount = Int(mallinfo2().uordblks)
    let mappings = try Self.mappings()
    mappingCount = mappings.count
    mappedByteCount = mappings.reduce(0) { sum, line in
      let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { Int($0, radix: 16) }
      // The heap is counted by itself.
      return line.hasSuffix("[heap]") || ends.count != 2 ? sum : sum + ends[1] - ends[0]
    }
  }

  private static func need<Content>(_ content: Content?, _ purpose: String) throws -> Content {
    guard let content else { throw Violation.cannot(purpose) }
    return content
  }

  /// How many files of a folder are mapped.
  package static func mappingCount(ofFilesIn folder: Scratch) throws -> Int {
    try mappings().count { $0.contains(folder.folder + "/") }
  }

  private static func mappings() throws -> [Substring] {
    String(decoding: try Self.need(Scratch.bytes(of: "/proc/self/maps"), "read /proc/self/maps"), as: UTF8.self).split(
      separator: "\n")
  }

  /// Throws when more is held now than `before`.
  package func check(against before: Resources, _ margin: Margin) throws {
    guard descriptorCount == before.descriptorCount else {
      throw Violation("\(descriptorCount) descriptors are open, before it was \(before.descriptorCount)")
    }
    guard mappingCount - before.mappingCount <= margin.mappingCount,
      mappedByteCount - before.mappedByteCount <= margin.mappedByteCount
    else {
      throw Violation(
        "there are \(mappingCount) mappings of \(mappedByteCount) bytes, before it was \(before.mappingCount) of "
          + "\(before.mappedByteCount)")
    }
    guard heapByteCount - before.heapByteCount <= margin.heapByteCount else {
      throw Violation("the heap has \(heapByteCount) bytes, before it was \(before.heapByteCount)")
    }
  }
}
