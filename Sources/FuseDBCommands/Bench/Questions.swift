internal import FuseDB

/// Keys to ask a file for, back to back in memory, and what the answers add up to.
struct Questions: Sendable {
  private var bytes: [UInt8] = []
  /// Where each key begins, and where the last ends.
  private var bounds = [0]
  /// The sum of all answers before each key.
  private var sums: [UInt64] = [0]

  /// How many keys there are.
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
    // SAFETY: the array lives as long as self, which is borrowed and so does not change.
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
  struct Key: FuseKeyBytes {
    // SAFETY: the caller of the initializer keeps the memory.
    let bytes: UnsafeRawBufferPointer

    // SAFETY: a key is used while its batch is, and the memory is kept for as long as the batch.
    var keyBytes: RawSpan {
      @_lifetime(borrow self)
      get { unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self) }
    }
  }

  // SAFETY: the caller of the initializer keeps both arrays.
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

/// Draws keys of a file at random, and makes others of the same shapes that are not in it.
struct QuestionMaker {
  /// More would take memory and time without changing the result.
  private static let mostQuestions = 1 << 20
  private static let mostBytes = 64 << 20
  /// Enough that no branch predictor learns the order of a small file's keys.
  private static let fewestQuestions = 1 << 16

  private let reader: FuseReader
  private let count: Int
  private var random = SplitMix64(seed: 1)

  /// - Parameter limit: the most questions to make; tests need few.
  init(_ reader: FuseReader, limit: Int? = nil) {
    self.reader = reader
    count = min(limit ?? .max, min(Self.mostQuestions, max(Self.fewestQuestions, reader.keyCount)))
  }

  /// Keys of the file, each drawn from all, and the lines of their look-ups.
  mutating func hits(
    progress: (Double) -> Void
  ) throws(FuseError) -> (questions: Questions, floor: LookupFloor) {
    var questions = Questions()
    var floor = LookupFloor(reader)
    guard reader.keyCount > 0 else { return (questions, floor) }
    while questions.count < count, questions.byteCount < Self.mostBytes {
      let entry = try reader.sampleEntry(number: random.below(reader.keyCount))
      let object = try entry.bytes
      let answer = Questions.answer(object)
      let key = try entry.keyBytes
      // A look-up must find each key of the index.
      guard try reader.contains(key) else {
        throw FuseError(
          .corrupted, "a key of the index is not found; 'fusedb verify' lists the damage",
          offset: entry.objectOffset, path: reader.path)
      }
      questions.append(key, answer: answer)
      try floor.add(entry)
      if questions.count % 4096 == 0 { progress(Double(questions.count) / Double(count)) }
    }
    return (questions, floor)
  }

  /// Keys that the file does not have, made of `hits` by changing letters and digits for others.
  mutating func misses(of hits: Questions, progress: (Double) -> Void) throws(FuseError) -> Questions {
    var questions = Questions()
    while questions.count < count, questions.byteCount < Self.mostBytes {
      let like = hits.count == 0 ? [] : hits.key(questions.count % hits.count).array()
      let key = try absent(like: like)
      questions.append(key.rawSpan, answer: 0)
      if questions.count % 4096 == 0 { progress(Double(questions.count) / Double(count)) }
    }
    return questions
  }

  private mutating func absent(like key: [UInt8]) throws(FuseError) -> [UInt8] {
    var changed = key
    for _ in 0..<16 {
      guard !changed.isEmpty else { break }
      changeOne(&changed)
      if try !reader.contains(changed) { return changed }
    }
    // All keys of this shape seem to be there.
    repeat { changed = (0..<16).map { _ in letter() } } while try reader.contains(changed)
    return changed
  }

  /// Changes one byte of a key for another of its kind.
  private mutating func changeOne(_ key: inout [UInt8]) {
    // Dots and the like stay: they make the shape.
    for _ in 0..<8 {
      let index = random.below(key.count)
      switch key[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): key[index] = UInt8(ascii: "0") + UInt8(random.below(10))
      case UInt8(ascii: "a")...UInt8(ascii: "z"): key[index] = letter()
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): key[index] = letter() - 32
      default: continue
      }
      return
    }
    key[random.below(key.count)] = UInt8(random.below(256))
  }

  private mutating func letter() -> UInt8 { UInt8(ascii: "a") + UInt8(random.below(26)) }
}

/// A generator of random numbers that is the same everywhere.
struct SplitMix64 {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  /// A number from 0 on and below `bound`.
  mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }
}
