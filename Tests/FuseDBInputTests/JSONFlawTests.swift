import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBInput

struct JSONFlawTests {
  private static let good = [
    "null", " [1, -2.5e+3, \"é\\u00e9\\n\", true, {}, [], {\"a\": {\"b\": [false]}}] ", "0", "-0", "1e5",
    "18446744073709551615", "{\"\":\"\"}",
  ]

  private func flaw(_ text: String) -> JSONFlaw? { JSONFlaw.first(in: Array(text.utf8).rawSpan) }

  @Test(arguments: good)
  func `what is JSON has no flaw`(text: String) {
    #expect(flaw(text) == nil)
  }

  @Test(arguments: [
    ("", 1, "the text ends, and a value is missing"),
    ("{", 2, "the text ends inside an object, and a name in double quotes is missing"),
    ("[1", 3, "the text ends inside an array, and ',' or ']' is missing"), ("{\"é\" 1}", 6, "':' is missing"),
    ("[01]", 2, "a number does not begin with 0"),
    ("[1.]", 4, "a digit is missing"), ("[1e400]", 2, "the number is beyond what a float64 can hold"),
    ("[tru]", 2, "a value is missing"),
    ("\"a\tb\"", 3, "a control character must be escaped"), ("\"\\x\"", 3, "there is no such escape"),
    ("\"\\u12g4\"", 3, "four hexadecimal digits must follow '\\u'"),
    ("{'a':1}", 2, "a name in double quotes is missing"), ("1 2", 3, "more follows the value"),
  ])
  func `the first flaw is named with its column`(text: String, column: Int, reason: String) {
    #expect(flaw(text)?.column == column)
    #expect(flaw(text)?.reason == reason)
    #expect(flaw(text)?.isCut == (column > text.unicodeScalars.count))
  }

  @Test func `whatever the parser refuses has a flaw, and what it takes has none`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let alphabet = Array("{}[]\",:1-.e0 \\untf\u{1}".utf8) + [0xC3, 0xA9]
    let parser = JSONParser()
    for _ in 0..<3000 {
      var text = Array(Self.good.randomElement(using: &random)!.utf8)
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        let place = Int.random(in: 0..<text.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: text[place] = alphabet.randomElement(using: &random)!
        case 1: text.insert(alphabet.randomElement(using: &random)!, at: place)
        default: if text.count > 1 { text.remove(at: place) }
        }
      }
      var isJSON = true
      do { try parser.withNode(of: text.rawSpan) { _ in } } catch { isJSON = false }
      #expect(
        (JSONFlaw.first(in: text.rawSpan) == nil) == isJSON, "seed \(seed): \(String(decoding: text, as: UTF8.self))")
    }
  }
}
