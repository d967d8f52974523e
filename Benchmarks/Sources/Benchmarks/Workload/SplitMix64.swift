/// The generator of everything random here: the same seed gives the same data everywhere.
struct SplitMix64 {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  /// A number from 0 up to `bound`, excluded. The bias of the multiplication is below 2^-32 here.
  mutating func next(below bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

  /// A number from 0 up to 1, excluded.
  mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }
}

/// Another number for each number, none twice: the finalizer of MurmurHash3.
func mixed(_ number: UInt32) -> UInt32 {
  var word = number
  word = (word ^ (word >> 16)) &* 0x85EB_CA6B
  word = (word ^ (word >> 13)) &* 0xC2B2_AE35
  return word ^ (word >> 16)
}
