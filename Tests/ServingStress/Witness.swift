import FuseDB
import ProgramSupport

/// What one thread has seen of one store.
struct Witness<Store: Reloadable>: Sendable {
  private let subject: Subject<Store>
  /// Whether builds rise with generations.
  private let buildsRise: Bool
  private var newest = (generation: 0, build: 0)
  /// Readers that outlived their file's time, or not yet.
  private var held: [(reader: FuseReader, build: Int)] = []
  private(set) var answerCount = 0

  init(_ subject: Subject<Store>, buildsRise: Bool) {
    self.subject = subject
    self.buildsRise = buildsRise
  }

  /// Reads something, once with `inner` done meanwhile.
  mutating func read(_ random: inout SeededRandom, around inner: (inout SeededRandom) throws -> Void) throws {
    switch random.below(100) {
    case 0..<50: try readOnce(&random)
    case 50..<65: try readInside(&random, depth: random.below(10), around: inner)
    case 65..<75: try hold(&random) { store in store.snapshot() }
    // A reference that escapes from the body.
    case 75..<85: try hold(&random) { store in store.withReader { $0 } }
    case 85..<95: try readHeld(&random)
    case 95..<99: try failInside()
    // Seldom, for this takes a lock.
    default: try readCounters()
    }
  }

  /// One call.
  private mutating func readOnce(_ random: inout SeededRandom) throws {
    let least = least
    var tally = Tally()
    try tally.readOnce(subject.store, &random)
    answerCount += tally.answerCount
    if let build = tally.build { try see(nil, build, since: least) }
  }

  /// Several calls on one file, or one that takes long, and inside them the same again: there are more levels than a
  /// thread has places for what it uses.
  private mutating func readInside(
    _ random: inout SeededRandom, depth: Int, around inner: (inout SeededRandom) throws -> Void
  ) throws {
    let least = least
    var tally = Tally()
    if random.below(2) == 0 {
      try subject.store.withReader { reader in
        try tally.read(reader, &random)
        try see(reader.generation, tally.build!, since: least)
        if depth > 0 { try readInside(&random, depth: depth - 1, around: inner) } else { try inner(&random) }
        try tally.read(reader, &random)
      }
    } else {
      let key = random.below(NumberedFile.leastKeyCount)
      let found: Void? = try subject.store.withBytes(forKey: NumberedFile.keys[key]) { bytes in
        try tally.count(try NumberedFile.build(saidBy: bytes, key: key), from: "long look-up")
        try see(nil, tally.build!, since: least)
        if depth > 0 { try readInside(&random, depth: depth - 1, around: inner) } else { try inner(&random) }
        try tally.count(try NumberedFile.build(saidBy: bytes, key: key), from: "long look-up, at its end")
      }
      try tally.count(found != nil, from: "long look-up")
    }
    answerCount += tally.answerCount
  }

  /// Takes a reader to keep.
  private mutating func hold(_ random: inout SeededRandom, _ take: (Store) -> FuseReader) throws {
    let least = least
    let reader = take(subject.store)
    var tally = Tally()
    try tally.read(reader, &random)
    answerCount += tally.answerCount
    try see(reader.generation, tally.build!, since: least)
    if held.count == 3 { held.remove(at: random.below(held.count)) }
    held.append((reader, tally.build!))
  }

  /// What is kept stays as it was.
  private mutating func readHeld(_ random: inout SeededRandom) throws {
    guard !held.isEmpty else { return }
    let (reader, build) = held[random.below(held.count)]
    var tally = Tally()
    try tally.count(build, from: "view that is held")
    try tally.read(reader, &random)
    answerCount += tally.answerCount - 1
  }

  /// An error that a body throws arrives, and ends the reading.
  private mutating func failInside() throws {
    do {
      try subject.store.withReader { _ in throw Intended() }
      throw Violation("an error did not leave withReader")
    } catch is Intended {}
    do {
      _ = try subject.store.withBytes(forKey: NumberedFile.keys[0]) { _ in throw Intended() }
      throw Violation("an error did not leave withBytes")
    } catch is Intended {}
    answerCount += 2
  }

  private mutating func readCounters() throws {
    let least = least
    let generation = subject.store.counters.generation
    let later = subject.store.generation
    guard generation >= least.generation, later >= generation else {
      throw Violation("counters: generation \(generation) after \(least.generation), then \(later)")
    }
    newest.generation = later
    answerCount += 2
  }

  /// What a read that begins now has to see at least.
  private var least: (generation: Int, build: Int) {
    let certain = subject.least
    return (max(certain.generation, newest.generation), max(certain.build, newest.build))
  }

  private mutating func see(_ generation: Int?, _ build: Int, since least: (generation: Int, build: Int)) throws {
    if buildsRise, build < least.build { throw Violation("build \(build) after build \(least.build)") }
    newest.build = max(newest.build, build)
    guard let generation else { return }
    if generation < least.generation { throw Violation("generation \(generation) after \(least.generation)") }
    if generation > newest.generation { try subject.note(generation, build) }
    newest.generation = max(newest.generation, generation)
  }
}

/// An error that is no failure.
private struct Intended: Error {}
