import ProgramSupport
import Testing

import FuseDB

/// Random keys and questions beside a plain loop.
struct `A match of random keys` {
  /// A name of a few short labels, so that names share endings; now and then with what is no name.
  private static func name(_ random: inout SeededRandom) -> [UInt8] {
    let labels = (0..<1 + random.below(4)).map { _ in
      random.element(["a", "b", "ab", "com", "example", "x-1", "ä", "", "\0", "*"])
    }
    return Array(labels.joined(separator: ".").utf8)
  }

  private static func key(_ random: inout SeededRandom) -> [UInt8] {
    switch random.below(8) {
    case 0, 1: Array("*.".utf8) + name(&random)
    case 2, 3: Array(".".utf8) + name(&random)
    case 4: Array(random.element(["joe@", "a@b@", "@"]).utf8) + name(&random)
    case 5: (0..<random.below(6)).map { _ in random.element([0x61, 0x62, 0x00, 0xFF, 0x2E]) }
    default: name(&random)
    }
  }

  private static func question(_ random: inout SeededRandom, _ keys: [Key]) -> [UInt8] {
    switch random.below(6) {
    case 0: return random.element(keys).bytes + key(&random)
    case 1: return key(&random) + random.element(keys).bytes
    case 2: return Array("ab.".utf8) + random.element(keys).bytes + (random.bool() ? [0x2E] : [])
    case 3: return random.element(keys).bytes
    case 4: return name(&random).map { $0 >= 0x61 && $0 <= 0x7A && random.bool() ? $0 - 0x20 : $0 }
    default: return Array("joe@".utf8) + name(&random)
    }
  }

  @Test(arguments: MatchBench.Kind.allCases)
  func `is that of a plain loop over them`(kind: MatchBench.Kind) throws {
    var random = SeededRandom.announced()
    for round in 0..<9 {
      let keys = (0...round * round).map { _ in Key(Self.key(&random)) }
      let bench = MatchBench(keys)
      let model = bench.model
      let reader = try bench.reader(kind)
      for _ in 0..<30 {
        for question in MatchQuestion.all(Self.question(&random, keys)) {
          #expect(try question.key(reader) == question.key(model), "\(kind) \(question) \(keys)")
        }
      }
    }
  }

  private static func suffix(_ random: inout SeededRandom) -> [UInt8] {
    random.bool() ? [random.element([0x00, 0x61, 0x63])] : []
  }

  /// Keys that nest deeply, and those that come between them and longer texts in order.
  @Test(arguments: MatchBench.Kind.allCases)
  func `is that of a plain loop over keys that begin one another`(kind: MatchBench.Kind) throws {
    var random = SeededRandom.announced()
    for _ in 0..<4 {
      let text: [UInt8] = (0..<300).map { _ in random.element([0x61, 0x62]) }
      let keys = (0..<150).map { _ in
        Key(text.prefix(random.below(301)) + Self.suffix(&random))
      }
      let bench = MatchBench(keys)
      let reader = try bench.reader(kind)
      for _ in 0..<40 {
        let length = random.below(301)
        let question = MatchQuestion.prefix(text.prefix(length) + random.bytes(random.below(3)))
        #expect(try question.key(reader) == question.key(bench.model), "\(kind) \(question)")
      }
    }
  }
}
