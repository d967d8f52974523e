internal import FuseDB

/// Draws keys of a file at random, and makes others of the same shapes that are not in it.
struct QuestionMaker {
  /// More would take memory and time, and say nothing more.
  private static let mostQuestions = 1 << 20
  private static let mostBytes = 64 << 20
  /// Enough for no processor to learn the order of a small file's keys by heart.
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
      let entry = try reader.entry(number: random.below(reader.keyCount))
      let object = try entry.bytes
      let answer = Questions.answer(object)
      let key = try entry.keyBytes
      // What the index leads to must be what a look-up finds.
      guard try reader.contains(key) else {
        throw FuseError(
          .corrupted, "a key of the index is not found; 'fusedb verify' lists the damage",
          offset: UInt64(entry.indexOffset), path: reader.path)
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
    // Dots and the like make the shape.
    for _ in 0..<8 {
      let place = random.below(key.count)
      switch key[place] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): key[place] = UInt8(ascii: "0") + UInt8(random.below(10))
      case UInt8(ascii: "a")...UInt8(ascii: "z"): key[place] = letter()
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): key[place] = letter() - 32
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
