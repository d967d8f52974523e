import Testing

@testable import FuseDBCommands

struct SeededNumbersTests {
  @Test func `a seed gives the numbers of SplitMix64, on every machine and in every version`() {
    var numbers = SeededNumbers(seed: 1_234_567)
    // As its authors' program prints them.
    #expect(
      [numbers.next(), numbers.next(), numbers.next()]
        == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
  }

  @Test(arguments: [(0, 10), (1, 10), (10, 10), (20, 10), (3, 1000), (900, 1000), (0, 0), (5, 0), (1, 1)])
  func `as many numbers are drawn as asked for, each once, rising`(count: Int, bound: Int) throws {
    for seed in 0..<50 {
      var numbers = SeededNumbers(seed: UInt64(seed))
      let drawn = try numbers.draw(count, below: bound)
      #expect(drawn.count == min(count, bound))
      #expect(drawn == Set(drawn).sorted())
      #expect(drawn.allSatisfy { (0..<bound).contains($0) })
    }
  }

  /// Both ways to draw: by far fewer than there are, and one in turn.
  @Test(arguments: [(2, 40), (10, 40)])
  func `each number is drawn as often as any other, and each pair`(count: Int, bound: Int) throws {
    var numbers = SeededNumbers(seed: 5)
    var counts = [Int](repeating: 0, count: bound)
    var pairs = 0
    let rounds = 20_000
    for _ in 0..<rounds {
      let drawn = try numbers.draw(count, below: bound)
      for number in drawn { counts[number] += 1 }
      if drawn.contains(0), drawn.contains(bound - 1) { pairs += 1 }
    }
    let expected = Double(rounds * count) / Double(bound)
    // Five deviations; the seed is the same each time.
    for each in counts { #expect(abs(Double(each) - expected) < 5 * expected.squareRoot()) }
    let expectedPairs = expected * Double(count - 1) / Double(bound - 1)
    #expect(abs(Double(pairs) - expectedPairs) < 5 * expectedPairs.squareRoot() + 1)
  }

  @Test func `of things that come one by one, each is kept as often as any other`() {
    var numbers = SeededNumbers(seed: 6)
    var counts = [Int](repeating: 0, count: 30)
    for _ in 0..<20_000 {
      var kept: [Int] = []
      for thing in 0..<30 {
        guard let place = numbers.place(among: 6, before: thing) else { continue }
        if place == kept.count { kept.append(thing) } else { kept[place] = thing }
      }
      #expect(kept.count == 6)
      for thing in kept { counts[thing] += 1 }
    }
    for each in counts { #expect(abs(each - 4000) < 320) }
  }
}
