internal import FuseDB

/// Numbers drawn at random, the same for the same seed: SplitMix64, so that no version of Swift draws others.
struct SeededNumbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  /// A number from 0 up to `bound`, each as likely as any other.
  ///
  /// - Precondition: `bound` is above 0.
  mutating func next(below bound: Int) -> Int {
    let bound = UInt64(bound)
    while true {
      let product = next().multipliedFullWidth(by: bound)
      // Of 2^64 words, as many must lead to each number; those that are left over are drawn again.
      if product.low >= (0 &- bound) % bound { return Int(product.high) }
    }
  }

  /// `count` numbers below `bound`, or all where there are no more: rising, each set of so many as likely as any other.
  ///
  /// - Complexity: O(count log count), also where `bound` is large.
  mutating func draw(_ count: Int, below bound: Int) throws(FuseError) -> [Int] {
    let count = min(count, bound)
    var drawn: [Int] = []
    try drawn.reserve(count)
    guard count < bound / 16 else {
      // Each number in turn, with the chance of what is still to be drawn among what is still to come.
      for number in 0..<bound where next(below: bound - number) < count - drawn.count { drawn.append(number) }
      return drawn
    }
    // Robert Floyd's way: each step adds one number, whichever was drawn before.
    var seen: Set<Int> = []
    try MemoryRoom.check(count * 2 * MemoryLayout<Int>.stride)
    for last in bound - count..<bound {
      let number = next(below: last + 1)
      if !seen.insert(number).inserted { seen.insert(last) }
    }
    drawn.append(contentsOf: seen)
    drawn.sort()
    return drawn
  }

  /// The place that the next of some things takes among `count` that are kept, when `before` came before it; nil where it is
  /// not kept. In the end each of all is as likely to be among them.
  mutating func place(among count: Int, before: Int) -> Int? {
    if before < count { return before }
    let place = next(below: before + 1)
    return place < count ? place : nil
  }
}
