import FuseDBInput
import Testing

@testable import FuseDBCommands

struct InputNameTests {
  @Test(
    arguments: [
      ("x", nil, "x", .ndjson), ("x.csv", nil, "x.csv", .csv), ("x.csv", .tsv, "x.csv", .tsv), ("-", nil, nil, .ndjson),
      ("-", .csv, nil, .csv), ("csv:x", nil, "x", .csv), ("csv:x.tsv", .msgpack, "x.tsv", .csv),
      ("msgpack:-", nil, nil, .msgpack), ("ndjson:a:b", nil, "a:b", .ndjson), ("csv:tsv:x", nil, "tsv:x", .csv),
      ("./csv:x", nil, "./csv:x", .ndjson), ("CSV:x", nil, "CSV:x", .ndjson), ("C:x.csv", nil, "C:x.csv", .csv),
      ("csv:", nil, "", .csv), ("csv", nil, "csv", .ndjson), (":x", nil, ":x", .ndjson),
    ] as [(String, FuseInput.Format?, String?, FuseInput.Format)])
  func `a format before the name counts first, then the option, then the ending`(
    word: String, option: FuseInput.Format?, path: String?, format: FuseInput.Format
  ) {
    let name = InputName(word, format: option)
    #expect(name.path == path)
    #expect(name.format == format)
  }
}
