import Testing

@testable import FuseDBCommands
@testable import FuseDBInput

struct BuildProgressTests {
  @Test func `the text says what is known`() {
    #expect(
      BuildProgress.text("reading", recordCount: 1_200_000, rate: 612_345.6, secondsLeft: 5.2, memory: 310_000_000)
        == "reading, 0:05 left, 1,200,000 records, 612,345 a second, 310.0 MB of memory")
    #expect(
      BuildProgress.text("writing", recordCount: 1, rate: nil, secondsLeft: nil, memory: nil) == "writing, 1 record")
  }

  @Test(
    arguments: [
      (0.5, 10.0, 10.0), (0.25, 2, 6), (1, 7, 0), (0.01, 100, nil), (0.5, 0.5, nil), (0, 5, nil),
    ] as [(Double, Double, Double?)])
  func `what is left is foretold once that means something`(share: Double, elapsed: Double, left: Double?) {
    #expect(BuildProgress.secondsLeft(share: share, elapsed: elapsed) == left)
  }

  @Test(arguments: [
    (0.0, "0:00"), (0.4, "0:00"), (5, "0:05"), (59.6, "1:00"), (754, "12:34"), (3600, "1:00:00"), (3723, "1:02:03"),
    (-1, "0:00"), (1e300, "99:59:59"),
  ])
  func `times are minutes and seconds, and hours where there are some`(seconds: Double, text: String) {
    #expect(Humans.clock(seconds: seconds) == text)
  }
}
