/// Keys for every hash: what XXH3-64 does to eight bytes under seed 0 can be undone, step by step.
enum XXH3Inverse {
  private static let factor: UInt64 = 0x9FB2_1C65_1E98_DF25
  /// Two eight-byte words of the hash's secret, from byte 8 on, xor-ed.
  private static let secret: UInt64 = 0x1CAD_21F7_2C81_017C ^ 0xDB97_9083_E96D_D4DE

  /// The eight bytes of which `hash` is the hash.
  static func key(for hash: UInt64) -> [UInt8] {
    var word = hash
    word ^= word >> 28 ^ word >> 56
    word = word &* inverse(of: factor)
    // The upper 29 bits are as they were, and say what was xor-ed into the lower ones.
    word ^= (word >> 35) &+ 8
    word = word &* inverse(of: factor)
    // The step xors a word with two rotations of itself. Done 64 times it does nothing, so 63 more undo it.
    for _ in 0..<63 { word ^= rotated(word, 49) ^ rotated(word, 24) }
    word ^= secret
    let halves = [UInt32(truncatingIfNeeded: word >> 32), UInt32(truncatingIfNeeded: word)]
    return halves.flatMap { half in (0..<4).map { UInt8(truncatingIfNeeded: half >> UInt32(8 * $0)) } }
  }

  private static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }

  /// The number whose product with an odd one is 1, modulo 2^64: each round doubles the bits that are right.
  private static func inverse(of odd: UInt64) -> UInt64 {
    (0..<6).reduce(odd) { found, _ in found &* (2 &- odd &* found) }
  }
}
