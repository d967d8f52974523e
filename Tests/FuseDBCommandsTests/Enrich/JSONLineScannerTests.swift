import FuseDB
import FuseDBInput
import ProgramSupport
import Testing

@testable import FuseDBCommands

struct JSONLineScannerTests {
  /// The bytes of a line with its line feed, and what else must be readable. What follows looks like more of it.
  private static func padded(_ line: [UInt8]) -> [UInt8] {
    line + [0x0A] + [UInt8](repeating: UInt8(ascii: "\""), count: JSONLineScanner.padding)
  }

  /// Scans a line for `paths`. Nil where it is no JSON.
  private static func places(of paths: [String], in line: String) throws -> [String?]? {
    var wanted = WantedPaths()
    let nodes = paths.map { wanted.add(FusePath($0)) }
    var scanner = JSONLineScanner(wanted)
    let bytes = padded(Array(line.utf8))
    guard let end = scanner.scan(bytes.rawSpan, from: 0) else { return nil }
    #expect(end == line.utf8.count)
    return nodes.map { node in
      scanner.place(of: node).map { String(decoding: bytes[$0.range], as: UTF8.self) }
    }
  }

  @Test(arguments: [
    (#"{"a":1}"#, ["1", nil, nil]),
    (#"{"a" : { "b" : [ 1 , {"c":"x"} ] } }"#, [#"{ "b" : [ 1 , {"c":"x"} ] }"#, #""x""#, nil]),
    (#"{"a":{"b":[{"c":2},{"c":3}]},"a":{"b":[]}}"#, [#"{"b":[]}"#, nil, nil]),
    (#"{"a":{"b":[{"c":2},{"c":3}]},"a":4}"#, ["4", nil, nil]),
    (#"{"a":{"b":{"1":{"c":true}}}}"#, [#"{"b":{"1":{"c":true}}}"#, "true", nil]),
    (#"{"\u0061":null,"x.y":"\u0061"}"#, ["null", nil, #""\u0061""#]),
    (#"{"b":{"a":1,"x.y":2},"c":[{"a":1}]}"#, [nil, nil, nil]),
    (#"{"a":-1.5e+10 ,"x.y":[]}"#, ["-1.5e+10", nil, "[]"]),
    ("{}", [nil, nil, nil]),
    (#"[{"a":1}]"#, [nil, nil, nil]),
  ])
  func `members are found by their paths, and of one name the last one`(line: String, expected: [String?]) throws {
    #expect(try Self.places(of: ["a", "a.b.1.c", #"x\.y"#], in: line) == expected)
  }

  @Test(arguments: [
    (#"{"a":1 , "b":2 }"#, 14, false), (#" {"a":1}"#, 7, false), (#"{ }"#, 1, true), (#"{"a":{}}"#, 7, false),
    (#"{"a":[1 ] }"#, 9, false),
  ])
  func `the end of what an object holds is after its last member`(line: String, end: Int, isEmpty: Bool) throws {
    var scanner = JSONLineScanner(WantedPaths())
    let bytes = Self.padded(Array(line.utf8))
    let lineEnd = scanner.scan(bytes.rawSpan, from: 0)
    #expect(lineEnd == line.utf8.count)
    let root = try #require(scanner.place(of: 0))
    #expect(root.contentEnd == end)
    #expect(root.isEmpty == isEmpty)
    #expect(root.isObject)
  }

  @Test(arguments: [
    ("", 0), ("{", 1), (#"{"a"}"#, 4), (#"{"a":}"#, 5), (#"{"a":1,}"#, 7), ("[1,]", 3), ("[1 2]", 3), (#"{"a":1]"#, 6),
    ("[1}", 2), ("01", 0), ("-", 1), ("1.", 2), ("1e", 2), ("1e+", 3), (".5", 0), ("+1", 0), ("tru", 0), ("nulL", 0),
    ("NaN", 0), (#""\x""#, 2), (#""\u12G4""#, 2), (#""\ud83"#, 2), ("\"\u{1}\"", 1), ("\"a\tb\"", 2), (#""abc"#, 4),
    (#""abc\"#, 5), ("1 1", 2), ("{}}", 2), ("\u{FEFF}{}", 0),
  ])
  func `what is no JSON is refused where that shows`(line: String, offset: Int) {
    var scanner = JSONLineScanner(WantedPaths())
    let bytes = Self.padded(Array(line.utf8))
    let end = scanner.scan(bytes.rawSpan, from: 0)
    #expect(end == nil)
    #expect(scanner.flaw.offset == offset)
  }

  @Test func `a line cut at any byte is refused, and never read beyond its line feed`() {
    let line = Array(
      #"{"key":[1,-2.5e3,"\u00e9\n\"",{"a":{}},[],true,false,null],"b":"0123456789abcdef0123456789abcdef"}"#.utf8)
    var scanner = JSONLineScanner(WantedPaths())
    for count in 0..<line.count {
      let bytes = Self.padded(Array(line[..<count]))
      let end = scanner.scan(bytes.rawSpan, from: 0)
      #expect(end == nil, "\(count) bytes")
      #expect(scanner.flaw.offset <= count)
    }
    let bytes = Self.padded(line)
    let end = scanner.scan(bytes.rawSpan, from: 0)
    #expect(end == line.count)
  }

  @Test func `nesting has a limit`() {
    var scanner = JSONLineScanner(WantedPaths())
    for (levels, isTaken) in [(JSONLineScanner.mostLevels, true), (JSONLineScanner.mostLevels + 1, false)] {
      let bytes = Self.padded(
        Array((String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8))
      let end = scanner.scan(bytes.rawSpan, from: 0)
      #expect((end != nil) == isTaken)
    }
  }

  @Test func `a flipped bit is judged as the search for flaws judges it`() {
    // Neither range of numbers nor bytes above ASCII: there the two differ.
    let line = Array(#"{"a" : [ 1, -2.5e3 , "x\u0041\t" ], "b":{"c":null,"d":true}}"#.utf8)
    var scanner = JSONLineScanner(WantedPaths())
    for place in line.indices {
      for bit in 0..<7 {
        var changed = line
        changed[place] ^= 1 << bit
        guard changed[place] != 0x0A else { continue }
        let bytes = Self.padded(changed)
        let isJSON = scanner.scan(bytes.rawSpan, from: 0) != nil
        let isParsed = (try? FuseJSON.messagePack(from: String(decoding: changed, as: UTF8.self))) != nil
        #expect(isJSON == isParsed, "\(String(decoding: changed, as: UTF8.self))")
      }
    }
  }

  @Test(arguments: [
    (#"abc"#, "abc"), (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"), (#"\u00e9\u20AC"#, "é€"),
    (#"\ud83d\ude00"#, "😀"),
    (#"\ud83d"#, nil), (#"\ud83dx"#, nil), (#"\ud83d\u0041"#, nil), (#"\ude00"#, nil), (#"\u0000"#, "\0"), ("", ""),
  ])
  func `escapes are resolved, and half a surrogate pair is no text`(string: String, expected: String?) {
    let bytes = Array(string.utf8)
    #expect(JSONText.unescaped(bytes.rawSpan) == expected.map { Array($0.utf8) })
  }
}

struct WantedPathsTests {
  @Test func `two fields go neither to one place nor one into the other`() {
    var paths = WantedPaths()
    _ = paths.add(FusePath("geo.country.name"))
    let isTaken = [
      paths.add(field: 0, at: FusePath("geo.country")), paths.add(field: 1, at: FusePath("geo.country")),
      paths.add(field: 1, at: FusePath("geo")), paths.add(field: 1, at: FusePath("geo.country.name")),
      paths.add(field: 1, at: FusePath("geo.city")),
    ]
    #expect(isTaken == [true, false, false, false, true])
    #expect(paths.fieldRoots.count == 1)
  }
}
