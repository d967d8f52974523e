import FuseDB
import Testing

@testable import FuseDBInput

struct HumansTests {
  @Test(arguments: [
    (0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (585_321, "585,321"), (1_000_000, "1,000,000"),
    (-1234, "-1,234"),
    (Int.max, "9,223,372,036,854,775,807"), (Int.min, "-9,223,372,036,854,775,808"),
  ])
  func `numbers have a comma every three digits`(value: Int, text: String) {
    #expect(Humans.number(value) == text)
  }

  @Test(arguments: [(0, "0 keys"), (1, "1 key"), (2, "2 keys"), (1000, "1,000 keys")])
  func `what is counted has its plural`(value: Int, text: String) {
    #expect(Humans.count(value, "key") == text)
  }

  @Test(arguments: [
    (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (1049, "1.0 kB"), (1050, "1.1 kB"),
    (41_300_000, "41.3 MB"),
    (999_949, "999.9 kB"), (999_950, "1.0 MB"), (999_999_999, "1.0 GB"), (4_294_967_295, "4.3 GB"),
    (1_000_000_000_000, "1.0 TB"),
    (Int.max, "9.2 EB"),
  ])
  func `sizes are in steps of 1,000, rounded to a tenth`(byteCount: Int, text: String) {
    #expect(Humans.size(byteCount) == text)
  }

  @Test(arguments: [
    (0.0, 2, "0.00"), (1.5, 2, "1.50"), (2.345, 1, "2.3"), (2.35, 1, "2.4"), (0.999, 2, "1.00"), (1234.5, 0, "1,235"),
    (-0.001, 2, "0.00"), (-1.25, 1, "-1.3"), (2341.284, 2, "2,341.28"), (0.05, 2, "0.05"),
  ])
  func `decimals are rounded half away from zero`(value: Double, places: Int, text: String) {
    #expect(Humans.decimal(value, places: places) == text)
  }

  @Test(arguments: [(1, 8, "12.5%"), (0, 3, "0.0%"), (3, 3, "100.0%"), (0, 0, "0.0%"), (2, 3, "66.7%")])
  func `a part is in percent of its whole`(part: Int, whole: Int, text: String) {
    #expect(Humans.percent(part, of: whole) == text)
  }
}
