internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

// SAFETY: a question's bytes, and the one before them where it has a mark, stay until it is answered: they are the caller's, or in memory
// that the function which asks has for itself.
/// One of several keys that are looked up together, the first of which that is there counts.
///
/// They wait for memory together: each asks for what its hash leads to before the first is answered.
@safe
struct KeyQuestion {
  /// How many keys are looked up at once.
  static let atOnce = 12

  let start: UnsafeRawPointer
  let count: Int
  /// The first byte is taken for another one: `.` for 1, `*` for 2, itself for 0.
  let mark: Int
  let hash: UInt64
  let probe: HashSectionTable.Probe

  /// Calls `body` with the bytes of the key, marked.
  @inline(__always)
  static func withKey<Result>(
    _ start: UnsafeRawPointer, count: Int, mark: Int, _ body: (RawSpan) throws(FuseError) -> Result
  ) throws(FuseError) -> Result {
    let key = unsafe RawSpan(_unsafeStart: start, byteCount: count)
    guard mark != 0 else { return try body(key) }
    // Bytes that are marked are in memory that was allocated to be written to.
    let first = unsafe UnsafeMutableRawPointer(mutating: start)
    let byte = unsafe first.load(as: UInt8.self)
    unsafe first.storeBytes(of: mark == 1 ? UInt8(ascii: ".") : UInt8(ascii: "*"), as: UInt8.self)
    defer { unsafe first.storeBytes(of: byte, as: UInt8.self) }
    return try body(key)
  }
}

extension FuseReader {
  /// Hashes a key and asks for what the hash leads to.
  @inline(__always)
  @unsafe
  func question(_ start: UnsafeRawPointer, count: Int, mark: Int = 0) -> KeyQuestion {
    let hash = unsafe hash(start, count: count, mark: mark)
    guard let table = index.table else {
      index.memory?.prefetch(hash)
      return unsafe KeyQuestion(start: start, count: count, mark: mark, hash: hash, probe: .none)
    }
    let probe = table.probe(of: hash)
    table.prefetchSlot(probe)
    return unsafe KeyQuestion(start: start, count: count, mark: mark, hash: hash, probe: probe)
  }

  @inline(__always)
  @unsafe
  private func hash(_ start: UnsafeRawPointer, count: Int, mark: Int) -> UInt64 {
    let seed = hashSeed
    do {
      return unsafe try KeyQuestion.withKey(start, count: count, mark: mark) { key throws(FuseError) in
        key.hash(seed: seed)
      }
    } catch { return 0 }
  }

  /// The seed of keys' hashes; 0 where there is no hash index.
  @inline(__always)
  var hashSeed: UInt64 { index.table?.section.seed ?? index.memory?.seed ?? 0 }

  /// The entry of the first key that is there, or nil: then none of them is.
  @inline(__always)
  @unsafe
  func answer(
    _ questions: UnsafeMutableBufferPointer<KeyQuestion>, count: Int, _ work: inout MatchWork
  ) throws(FuseError) -> IndexEntry? {
    work.lookupCount &+= count
    for number in 0..<count {
      // SAFETY: the first `count` questions have values.
      let question = unsafe questions[number]
      work.hashedByteCount &+= question.count
      let entry = unsafe try KeyQuestion.withKey(question.start, count: question.count, mark: question.mark) {
        key throws(FuseError) in try self.entry(forKey: key, hash: question.hash, probe: question.probe)
      }
      if let entry { return entry }
    }
    return nil
  }

  /// The entry of a key whose hash and probe are known, or nil, which is proved as for a single look-up.
  @inline(__always)
  func entry(
    forKey key: RawSpan, hash: UInt64, probe: HashSectionTable.Probe
  ) throws(FuseError) -> IndexEntry? {
    guard let table = index.table else { return try entry(inMemory: key, hash: hash) }
    let slot = table.slot(probe)
    if slot.tag == HashLine.tag(of: hash) {
      if table.compare(key, with: slot) == .found { return try entry(at: dataEnd &+ Int(slot.entry)) }
      try checkOther(key, hash)
    }
    // Absent, if the lines that say so are what was written. [X16]
    if checksums == .verified, !table.isSound(probe) { throw damagedLine(hash) }
    return nil
  }
}

extension HashSectionTable.Probe {
  /// That of a file without a table.
  static let none = HashSectionTable.Probe(pilotLine: 0, position: HashSection.SlotPosition(line: 0, slot: 0))
}
