import FuseDB
import Glibc
import ProgramSupport
import Synchronization

/// Threads read a file into which others are written in place, and check that what they get is of one file, or an error.
struct Overwriting: Sendable {
  /// How a file gets where another is.
  private enum Way: CaseIterable { case cut, over, cutAndGrown, mapped }

  let name: String
  /// The build of each round. None comes twice: a reader can't tell a file from one that held the same bytes before, when
  /// another was there in between. See spec/format.md [M5]. Builds of one kind are of one length.
  let build: @Sendable (_ round: Int) -> Int
  let roundCount: Int
  /// Whether readers may skip checksums: a plain file that is opened while it is being written is told by nothing else.
  var skipsChecksums = false

  private final class Shared: Sendable {
    let path: String
    let isOver = Atomic(false)
    let failures = Monitor([String]())
    init(path: String) { self.path = path }
  }

  /// Returns how many answers there were, and how many questions got an error.
  func run(in folder: Scratch, threadCount: Int, seed: UInt64) throws -> (answers: Int, errors: Int) {
    let path = folder.path("written-over.fsdb")
    let files = try (0...roundCount).reversed().map { round in
      try NumberedFile.write(build(round), to: path)
      return Scratch.bytes(of: path)!
    }
    let shared = Shared(path: path)
    let store = try ReloadableReader(path: path)
    let threads = (0..<threadCount).map { number in
      BackgroundWork(isWorthThread: true) {
        var thread = OverwrittenReading(path: shared.path, skipsChecksums: skipsChecksums, seed: seed &+ UInt64(number))
        do {
          while !shared.isOver.load(ordering: .relaxed) { try thread.read(store) }
        } catch {
          shared.failures.change { $0.append("\(error)") }
        }
        return (answers: thread.answerCount, errors: thread.errorCount)
      }
    }
    guard threads.allSatisfy({ $0.hasThread }) else { throw Violation("the system has no \(threadCount) threads left") }
    for (round, file) in files.dropLast().enumerated() where shared.failures.change({ $0.isEmpty }) {
      try write(file, over: path, Way.allCases[round / 5 % Way.allCases.count])
      _ = try? store.reloadIfChanged()
      if round % 20 == 0 { usleep(1000) }
    }
    shared.isOver.store(true, ordering: .relaxed)
    let done = threads.map { $0.wait() }
    if let first = shared.failures.change({ $0.first }) { throw Violation("\(name): \(first)") }
    return (done.reduce(0) { $0 + $1.answers }, done.reduce(0) { $0 + $1.errors })
  }

  private func write(_ bytes: [UInt8], over path: String, _ way: Way) throws {
    let descriptor = unsafe open(path, O_RDWR | (way == .cut ? O_TRUNC : 0))
    defer { close(descriptor) }
    if way == .cutAndGrown {
      guard ftruncate(descriptor, off_t(bytes.count / 2)) == 0 else { throw Violation("cannot cut \(path)") }
    }
    // The header first, and alone: within one write the system promises no order. See spec/format.md [M5].
    let parts = [0..<40] + stride(from: 40, to: bytes.count, by: 512).map { $0..<min(bytes.count, $0 + 512) }
    if way == .mapped {
      guard ftruncate(descriptor, off_t(bytes.count)) == 0,
        let place = unsafe mmap(nil, bytes.count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
        unsafe place != MAP_FAILED
      else { throw Violation("cannot map \(path)") }
      for part in parts {
        let slice = Array(bytes[part])
        // SAFETY: each part lies inside the mapping, and the slice is as long.
        unsafe (place + part.lowerBound).copyMemory(from: slice, byteCount: slice.count)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
      }
      unsafe munmap(place, bytes.count)
      return
    }
    for part in parts {
      let slice = Array(bytes[part])
      guard unsafe pwrite(descriptor, slice, slice.count, part.lowerBound) == slice.count else {
        throw Violation("cannot write \(path)")
      }
    }
    guard ftruncate(descriptor, off_t(bytes.count)) == 0 else { throw Violation("cannot cut \(path)") }
  }
}

/// One thread's reading of a file that is written over.
struct OverwrittenReading: Sendable {
  let path: String
  let skipsChecksums: Bool
  private var random: SeededRandom
  private(set) var answerCount = 0
  private(set) var errorCount = 0

  init(path: String, skipsChecksums: Bool, seed: UInt64) {
    self.path = path
    self.skipsChecksums = skipsChecksums
    random = SeededRandom(seed: seed)
  }

  /// Asks one reader several things: a new one, or the store's.
  mutating func read(_ store: ReloadableReader) throws {
    var tally = Tally()
    switch random.below(4) {
    case 0: try ask(store.snapshot(), &tally)
    case 1: try store.withReader { reader in try ask(reader, &tally) }
    default:
      let access: FuseAccess = random.below(3) == 0 ? .copied : .mapped
      let checksums: FuseReader.Checksums = skipsChecksums && random.below(2) == 0 ? .skipped : .verified
      do {
        try ask(try FuseReader(path: path, checksums: checksums, access: access), &tally)
      } catch is FuseError { errorCount += 1 }
    }
    answerCount += tally.answerCount
  }

  private mutating func ask(_ reader: FuseReader, _ tally: inout Tally) throws {
    for _ in 0..<20 {
      do { try askOnce(reader, &tally) } catch is FuseError { errorCount += 1 }
    }
  }

  /// What a closure sees is no answer until the call has returned; so nothing is judged inside of one.
  private mutating func askOnce(_ reader: FuseReader, _ tally: inout Tally) throws {
    let key = random.below(NumberedFile.leastKeyCount)
    var found: [(key: Int, bytes: [UInt8]?)] = []
    switch random.below(7) {
    case 0: found = [(key, try reader.withBytes(forKey: NumberedFile.keys[key], Self.copy))]
    case 1:
      try reader.withBytes(forKeys: NumberedFile.keys[..<NumberedFile.leastKeyCount]) { number, bytes in
        if let bytes { found.append((number, Self.copy(bytes))) } else { found.append((number, nil)) }
      }
    case 2:
      try tally.count(try reader.contains(NumberedFile.keys[key]), from: "contains")
      try tally.count(try !reader.contains(NumberedFile.absentKeys[key]), from: "contains, absent key")
    case 3:
      var scan = try reader.prefix("key 1")
      while let entry = try scan.next() {
        let name = try entry.key
        let bytes = Self.copy(try entry.bytes)
        try reader.checkNotShrunk()
        guard let key = NumberedFile.keys.firstIndex(where: { Array($0.utf8) == name }) else {
          throw Violation("prefix scan: a key that no file has")
        }
        found.append((key, bytes))
      }
    case 4:
      let numbers = try reader.withValue(forKey: NumberedFile.keys[key]) { value -> [Int]? in
        guard let build = value[0]?.int, let key = value[1]?.int else { return [] }
        return [build, key]
      }
      guard let numbers, numbers.count == 2, numbers[1] == key else { throw Violation("view: another object") }
      try tally.count(numbers[0], from: "view")
    case 5:
      guard let numbers = try reader.value([Int].self, forKey: NumberedFile.keys[key]), numbers.count == 2,
        numbers[1] == key
      else { throw Violation("typed value: another object") }
      try tally.count(numbers[0], from: "typed value")
    default:
      guard let build = tally.build else { return }
      try tally.count(
        try reader.statistics().keyCount == NumberedFile.keyCount(ofBuild: build), from: "statistics")
    }
    for (key, bytes) in found {
      guard let bytes else { throw Violation("key \(key) is missing") }
      // SAFETY: every byte of the array is one that was read.
      let build = try unsafe NumberedFile.build(saidBy: bytes.span.bytes, key: key)
      try tally.count(build, from: "reader")
    }
  }

  private static func copy(_ bytes: RawSpan) -> [UInt8] {
    // SAFETY: the buffer is the span's, for as long as the closure runs.
    unsafe bytes.withUnsafeBytes { unsafe Array($0) }
  }
}
