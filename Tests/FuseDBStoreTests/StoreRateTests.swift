import Testing

@testable import FuseDBStoreCommands

@Suite struct StoreRateTests {
  @Test(
    arguments: [
      // Nothing is forecast in the first second, nor without an end.
      (0.0, 0, 1000, "0 bytes, x"), (0.5, 500_000, 1_000_000, "500.0 kB, 1.0 MB a second, x"),
      (2.0, 500_000_000, nil, "500.0 MB, 250.0 MB a second, x"),
      (2.0, 500_000_000, 1_500_000_000, "0:04 left, 500.0 MB, 250.0 MB a second, x"),
      (90.0, 900_000_000, 2_700_000_000, "3:00 left, 900.0 MB, 10.0 MB a second, x"),
      // A folder that grew, and one whose files are empty.
      (2.0, 500_000_000, 400_000_000, "500.0 MB, 250.0 MB a second, x"), (2.0, 0, 0, "0 bytes, 0 bytes a second, x"),
    ] as [(Double, Int, Int?, String)]) func `a forecast is what is left, at the rate until now`(
      elapsed: Double, done: Int, whole: Int?, text: String
    )
  { #expect(StoreRate(elapsed: elapsed).text(done, of: whole, "x") == text) }
}
