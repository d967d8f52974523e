#if canImport(Glibc)
  import Glibc
#endif

/// Byte strings that lie back to back in one buffer, so that every peer gets a pointer and a length and none pays for
/// making strings.
final class ByteList: @unchecked Sendable {
  let count: Int
  let bytes: UnsafeMutableRawPointer
  /// Where each begins, and where the last ends.
  let offsets: UnsafeMutablePointer<UInt32>

  /// Copies strings that end at `ends`.
  init(_ content: [UInt8], ends: [UInt32]) {
    precondition(ends.last ?? 0 == content.count, "the last string ends with the buffer")
    count = ends.count
    bytes = .allocate(byteCount: max(content.count, 1), alignment: 64)
    offsets = .allocate(capacity: ends.count + 1)
    content.withUnsafeBytes { bytes.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(bytes), byteCount: $0.count) }
    offsets.initialize(to: 0)
    for (i, end) in ends.enumerated() { (offsets + i + 1).initialize(to: end) }
  }

  /// Makes `count` strings, each by appending to a buffer.
  convenience init(count: Int, _ append: (Int, inout [UInt8]) -> Void) {
    var content: [UInt8] = []
    var ends: [UInt32] = []
    ends.reserveCapacity(count)
    for i in 0..<count {
      append(i, &content)
      ends.append(UInt32(content.count))
    }
    self.init(content, ends: ends)
  }

  deinit {
    bytes.deallocate()
    offsets.deallocate()
  }

  /// A string; it lies there as long as the list lives.
  @inline(__always)
  subscript(i: Int) -> UnsafeRawBufferPointer {
    let start = Int(offsets[i])
    return UnsafeRawBufferPointer(start: bytes + start, count: Int(offsets[i + 1]) &- start)
  }

  /// All strings, and where each begins and the last ends.
  var content: (bytes: UnsafeRawBufferPointer, offsets: UnsafeRawBufferPointer) {
    (
      UnsafeRawBufferPointer(start: bytes, count: Int(offsets[count])),
      UnsafeRawBufferPointer(start: offsets, count: (count + 1) * MemoryLayout<UInt32>.size)
    )
  }

  /// The numbers of the strings, in the order of the strings' bytes.
  func sortedOrder() -> [UInt32] {
    // The first eight bytes decide mostly, and then no string is touched.
    struct Item {
      var start: UInt64
      var number: UInt32
    }
    var items: [Item] = []
    items.reserveCapacity(count)
    for i in 0..<count {
      var start: UInt64 = 0
      withUnsafeMutableBytes(of: &start) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: self[i].prefix(8))) }
      items.append(Item(start: start.bigEndian, number: UInt32(i)))
    }
    items.sort { left, right in
      if left.start != right.start { return left.start < right.start }
      return self[Int(left.number)].precedes(self[Int(right.number)])
    }
    return items.map(\.number)
  }
}

extension UnsafeRawBufferPointer {
  /// Whether these bytes come before others: as unsigned bytes, a prefix before what it begins.
  func precedes(_ other: UnsafeRawBufferPointer) -> Bool {
    let order = Glibc.memcmp(baseAddress!, other.baseAddress!, Swift.min(count, other.count))
    return order == 0 ? count < other.count : order < 0
  }

  /// The first eight bytes as one number: what is touched of every value.
  /// - Precondition: there are eight.
  @inline(__always)
  var firstWord: UInt64 { loadUnaligned(as: UInt64.self) }
}
