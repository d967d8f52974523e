import Glibc

/// Random numbers that a printed seed brings back: SplitMix64.
package struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// Random numbers under a new seed, printed beside `name`; or under the seed in `FUSEDB_TEST_SEED`, to see a failure again.
  package static func announced(_ name: String = #function) -> SeededRandom {
    // SAFETY: the text is copied before anything changes the environment.
    let given = unsafe getenv("FUSEDB_TEST_SEED").flatMap { unsafe UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: 0...UInt64.max)
    print("FUSEDB_TEST_SEED=\(seed) for: \(name)")
    return SeededRandom(seed: seed)
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  package mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

  package mutating func bool() -> Bool { next() & 1 == 0 }

  package mutating func bytes(_ count: Int) -> [UInt8] {
    // Eight at a time: without optimisation, a closure for each byte takes longer than much of what is tested with them.
    var words = [UInt64](repeating: 0, count: (count + 7) / 8)
    for place in words.indices { words[place] = next() }
    return unsafe words.withUnsafeBytes { unsafe [UInt8](UnsafeRawBufferPointer(rebasing: $0[..<count])) }
  }

  package mutating func element<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
}
