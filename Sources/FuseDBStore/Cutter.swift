internal import CFuseCuts
internal import FuseDBFormat

/// Says where contents that come piece by piece are cut. [SC5]
///
/// Where a chunk ends depends on its own contents alone. So chunks after a change are the ones before it again, once a cut is the same.
struct Cutter {
  private let least: Int
  private let average: Int
  private let most: Int
  private let strict: UInt64
  private let loose: UInt64
  private let isFixed: Bool
  private var format: RecordCutter?

  init(_ chunking: FuseStore.Chunking) {
    switch chunking {
    case .fixed(let count):
      (least, average, most, strict, loose, isFixed) = (count, count, count, 0, 0, true)
    case .contentDefined(let least, let average, let most):
      (self.least, self.average, self.most) = (least, average, most)
      (strict, loose) = (Self.mask(average.trailingZeroBitCount + 1), Self.mask(average.trailingZeroBitCount - 1))
      isFixed = false
    case .lookupFile:
      self = Cutter(.standard)
      format = RecordCutter()
    }
  }

  /// The upper bits: each byte of the window has a say in them.
  private static func mask(_ bitCount: Int) -> UInt64 { ~0 << (64 - UInt64(max(1, bitCount))) }

  /// Where chunks end in bytes that begin with a chunk: those ends that do not depend on what is still to come.
  mutating func cuts(_ bytes: RawSpan, isLast: Bool) -> [Int] {
    var ends: [Int] = []
    var start = 0
    while start < bytes.byteCount {
      switch format?.step(bytes, from: start, isLast: isLast) {
      case .end(let end):
        ends.append(end)
        start = end
        continue
      case .more: return ends
      case .otherwise(nil), nil: break
      case .otherwise(let limit?):
        // A record longer than a chunk is cut as anything is.
        let limit = min(limit, bytes.byteCount)
        guard let end = next(bytes.extracting(first: limit), from: start, isLast: isLast || limit < bytes.byteCount)
        else { return ends }
        format?.passed(end - start)
        ends.append(end)
        start = end
        continue
      }
      guard let end = next(bytes, from: start, isLast: isLast) else { return ends }
      ends.append(end)
      start = end
    }
    return ends
  }

  private func next(_ bytes: RawSpan, from start: Int, isLast: Bool) -> Int? {
    let rest = bytes.byteCount - start
    guard rest >= most || isLast else { return nil }
    guard !isFixed, rest > least else { return start + min(rest, isFixed ? most : rest) }
    let middle = start + min(average, rest)
    let far = start + min(most, rest)
    // SAFETY: the places that are looked at lie inside of the bytes, eight bytes after the start at least, for `least` is more.
    return unsafe bytes.withUnsafeBytes { bytes in
      let base = unsafe bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
      let found = unsafe fuse_cut_find(base, start + least, middle, strict)
      return found < middle ? found : unsafe fuse_cut_find(base, middle, far, loose)
    }
  }
}

/// Cuts look-up files between their records. [SC6]
private struct RecordCutter {
  enum Step {
    /// A chunk ends here.
    case end(Int)
    /// More bytes have to come first.
    case more
    /// Contents are cut by others, up to here.
    case otherwise(Int?)
  }

  private static let least = 2 << 10
  private static let most = 16 << 10

  /// Where in the file the next chunk begins; nil where this is no look-up file, or its data have ended.
  private var position: Int? = 0
  private var dataEnd = 0
  /// How much of a long record is left.
  private var left = 0

  mutating func passed(_ count: Int) {
    left -= count
    position = position.map { $0 + count }
  }

  mutating func step(_ bytes: RawSpan, from start: Int, isLast: Bool) -> Step {
    guard let position else { return .otherwise(nil) }
    if left > 0 { return .otherwise(start + left) }
    if position == 0 {
      guard bytes.byteCount - start >= Header.byteCount || isLast else { return .more }
      guard bytes.byteCount - start >= Header.byteCount,
        let header = try? Header(parsing: bytes.extracting(start..<start + Header.byteCount)),
        header.indexOffset < 1 << 60
      else {
        self.position = nil
        return .otherwise(nil)
      }
      dataEnd = Int(header.indexOffset)
      // It is another one in each version.
      self.position = Header.byteCount
      return .end(start + Header.byteCount)
    }
    var end = start
    while true {
      let place = position + (end - start)
      guard place < dataEnd else {
        if end > start { return finish(end, start) }
        self.position = nil
        return .otherwise(nil)
      }
      guard bytes.byteCount - end >= 8, let length = bytes.load(at: end, as: UInt32.self),
        let checksum = bytes.load(at: end + 4, as: UInt32.self)
      else {
        guard isLast else { return .more }
        self.position = nil
        return .otherwise(nil)
      }
      let next = end + 8 + Int(length)
      if next - start > Self.most {
        if end > start { return finish(end, start) }
        left = next - start
        return .otherwise(start + left)
      }
      guard next <= bytes.byteCount else {
        guard isLast else { return .more }
        self.position = nil
        return .otherwise(nil)
      }
      end = next
      // The record's checksum is a function of its contents.
      if end - start >= Self.least, checksum & 15 == 0 { return finish(end, start) }
    }
  }

  private mutating func finish(_ end: Int, _ start: Int) -> Step {
    position = position.map { $0 + (end - start) }
    return .end(end)
  }
}
