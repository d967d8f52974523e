internal import FuseDB

/// Keys to ask a file for, back to back in memory, and what the answers add up to.
struct Questions: Sendable {
  private var bytes: [UInt8] = []
  /// Where each key begins, and where the last ends.
  private var bounds = [0]
  /// The sum of all answers before each key.
  private var sums: [UInt64] = [0]

  /// How many there are.
  var count: Int { bounds.count - 1 }
  /// How much memory the keys take.
  var byteCount: Int { bytes.count }

  /// Adds a key, and what its answer adds: see ``answer(_:)``.
  mutating func append(_ key: RawSpan, answer: UInt64) {
    // SAFETY: the array copies the span's bytes before the pointer ends.
    unsafe key.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    bounds.append(bytes.count)
    sums.append(sums.last! &+ answer)
  }

  /// A key's bytes.
  @inline(__always)
  @_lifetime(borrow self)
  func key(_ number: Int) -> RawSpan {
    let all = bytes.rawSpan
    // SAFETY: the array lives as long as self, which nobody changes meanwhile.
    return unsafe _overrideLifetime(all.extracting(bounds[number]..<bounds[number + 1]), borrowing: self)
  }

  /// What the answers to some questions add up to.
  func sum(_ range: Range<Int>) -> UInt64 { sums[range.upperBound] &- sums[range.lowerBound] }

  /// What an answer adds: nothing when the key is absent, otherwise one and the first byte, so that the object is
  /// touched.
  @inline(__always)
  static func answer(_ object: RawSpan?) -> UInt64 {
    guard let object, object.byteCount > 0 else { return 0 }
    // SAFETY: the first byte was just found to be there.
    return unsafe 1 &+ UInt64(object.unsafeLoad(fromUncheckedByteOffset: 0, as: UInt8.self))
  }

  // MARK: Asking

  /// Asks for one key after the other.
  @inline(never)
  func ask(_ reader: FuseReader, _ range: Range<Int>) throws(FuseError) -> UInt64 {
    var sum: UInt64 = 0
    let keys = bytes.rawSpan
    var start = bounds[range.lowerBound]
    for number in range {
      let end = bounds[number + 1]
      sum &+= Self.answer(try reader.bytes(forKey: keys.extracting(start..<end)))
      start = end
    }
    return sum
  }

  /// Asks for `size` keys at a time.
  @inline(never)
  func ask(_ reader: FuseReader, _ range: Range<Int>, inBatchesOf size: Int) throws(FuseError) -> UInt64 {
    var sum: UInt64 = 0
    try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(FuseError) in
      try unsafe bounds.withUnsafeBufferPointer { (bounds) throws(FuseError) in
        var start = range.lowerBound
        while start < range.upperBound {
          let end = min(range.upperBound, start + size)
          // SAFETY: the batch does not outlive the two closures.
          let batch = unsafe QuestionBatch(
            bytes: UnsafeRawBufferPointer(bytes), bounds: bounds, startIndex: start, endIndex: end)
          try reader.withBytes(forKeys: batch) { _, object in sum &+= Self.answer(object) }
          start = end
        }
      }
    }
    return sum
  }
}

/// Some questions as a collection of keys, without the reference counts of arrays.
@safe
struct QuestionBatch: RandomAccessCollection {
  /// A key in the memory of its ``Questions``.
  @safe
  struct Key: FuseKey {
    // SAFETY: whoever makes the batch keeps the memory.
    let bytes: UnsafeRawBufferPointer

    // SAFETY: a key is used while its batch is, and whoever makes a batch keeps the memory for so long.
    var keyBytes: RawSpan {
      @_lifetime(borrow self)
      get { unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self) }
    }
  }

  // SAFETY: whoever makes the batch keeps both arrays.
  private let bytes: UnsafeRawBufferPointer
  private let bounds: UnsafeBufferPointer<Int>
  let startIndex: Int
  let endIndex: Int

  @unsafe
  init(bytes: UnsafeRawBufferPointer, bounds: UnsafeBufferPointer<Int>, startIndex: Int, endIndex: Int) {
    // SAFETY: the pointers are only kept here; the caller keeps the arrays for as long as the batch.
    unsafe self.bytes = bytes
    unsafe self.bounds = bounds
    self.startIndex = startIndex
    self.endIndex = endIndex
  }

  subscript(number: Int) -> Key {
    // SAFETY: a number is below `endIndex`, and `bounds` goes on one further; what it holds are offsets into `bytes`.
    unsafe Key(bytes: UnsafeRawBufferPointer(rebasing: bytes[bounds[number]..<bounds[number + 1]]))
  }
}
