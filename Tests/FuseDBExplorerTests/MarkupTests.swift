import FuseDBFormat
import ProgramSupport
import Testing

@testable import FuseDBExplorer

struct MarkupTests {
  static let hostile = [
    "<script>alert(1)</script>", "\" onload=\"alert(1)", "' onload='alert(1)", "a & b", "</title>", "]]>", "<!--",
    "&lt;",
    "a\u{0}b", "\u{202E}gnp.exe", "\u{2066}x", "\u{FEFF}", "\u{200B}", "\n\r\t", "\u{7F}", "\u{85}", "\u{2028}",
  ]

  @Test(arguments: hostile)
  func `a text has nothing that HTML takes for its own`(text: String) {
    var markup = Markup()
    markup.text(text)
    let out = String(decoding: markup.bytes, as: UTF8.self)
    #expect(!out.contains { "<>\"'".contains($0) })
    #expect(
      !out.replacing("&amp;", with: "").replacing("&lt;", with: "").replacing("&gt;", with: "")
        .replacing("&quot;", with: "").replacing("&#39;", with: "").contains("&"))
    #expect(out.unicodeScalars.allSatisfy { VisibleText.isPlain($0) })
  }

  @Test(arguments: hostile)
  func `a value of an attribute ends where its quote does`(text: String) {
    var markup = Markup()
    markup.void("input", Attribute("value", text))
    let out = String(decoding: markup.bytes, as: UTF8.self)
    #expect(out.hasPrefix("<input value=\"") && out.hasSuffix("\">"))
    #expect(!out.dropFirst("<input value=\"".count).dropLast(2).contains { "<>\"'".contains($0) })
    #expect(!markup.bytes.contains(0))
  }

  @Test func `elements are written with what is in them`() {
    var markup = Markup()
    markup.element("p", .class("a b"), Attribute("title", "\"")) {
      $0.text("1 < 2 ")
      $0.element("b", text: "&")
      $0.void("br")
    }
    #expect(
      String(decoding: markup.bytes, as: UTF8.self) == "<p class=\"a b\" title=\"&quot;\">1 &lt; 2 <b>&amp;</b><br></p>"
    )
  }

  @Test func `an attribute that could run something takes no text`() async {
    await #expect(processExitsWith: .failure) { _ = Attribute("href", "javascript:alert(1)") }
    await #expect(processExitsWith: .failure) { _ = Attribute("onclick", "alert(1)") }
    await #expect(processExitsWith: .failure) { _ = Attribute("style", "color: red") }
  }

  @Test func `every byte of a key stands in a link so that it comes back`() {
    let all = (0...255).map { UInt8($0) }
    let text = Link("a b/<", .find).with("key", all).text
    #expect(text.hasPrefix("/a%20b%2F%3C/find?key=%00%01%02"))
    #expect(text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"<>\"'\\^`{|}".utf8.contains($0) })
    var decoded: [UInt8] = []
    var rest = text.split(separator: "key=")[1].utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%") {
        decoded.append(UInt8(String(rest.prefix(2))!, radix: 16)!)
        rest = rest.dropFirst(2)
      } else {
        decoded.append(byte)
      }
    }
    #expect(decoded == all)
  }

  @Test(arguments: [
    ("", "(empty)"), ("plain", "plain"), ("a\tb", "a\\tb"), ("x\u{202E}y", "x\\u{202e}y"), ("a\u{0}b", "a\\x00b"),
    ("שלום", "שלום"), ("\u{A0}", "\\u{a0}"), ("e\u{301}", "e\u{301}"),
  ])
  func `what can't be seen is spelled`(text: String, shown: String) {
    var markup = Markup()
    markup.shown(Array(text.utf8))
    #expect(Self.text(of: markup) == shown)
  }

  @Test func `bytes that are no text are digits, or spelled among text`() {
    var markup = Markup()
    markup.shown([0xDE, 0xAD, 0xBE, 0xEF, 0x00])
    #expect(Self.text(of: markup) == "deadbeef 00")
    markup = Markup()
    markup.shown(Array("caf".utf8) + [0xE9] + Array(" in Paris".utf8))
    #expect(Self.text(of: markup) == "caf\\xe9 in Paris")
  }

  @Test func `a long key is cut between characters, and its length is said`() {
    for limit in 8...12 {
      var markup = Markup()
      markup.shown(Array(String(repeating: "€", count: 100).utf8), atMost: limit)
      #expect(Self.text(of: markup) == String(repeating: "€", count: limit / 3) + "… 300 bytes ")
    }
  }

  @Test func `random bytes never leave an element`() {
    var random = SeededRandom.announced()
    for _ in 0..<2000 {
      var markup = Markup()
      markup.shown(random.bytes(random.below(40)))
      #expect(
        markup.bytes.starts(with: "<code><bdi>".utf8)
          && markup.bytes.reversed().starts(with: "</bdi></code>".utf8.reversed()))
      #expect(!markup.bytes.contains(0) && markup.bytes.rawSpan.isUTF8)
    }
  }

  @Test(arguments: [
    (0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (54_258_832, "54.3 MB"), (999_960_000, "1.0 GB"),
  ])
  func `lengths are read at a glance`(count: Int, text: String) { #expect(Figures.bytes(count) == text) }

  /// The text of markup, without its elements.
  static func text(of markup: Markup) -> String {
    var out = ""
    var isInside = false
    for character in String(decoding: markup.bytes, as: UTF8.self).unicodeScalars {
      if character == "<" { isInside = true }
      if !isInside { out.unicodeScalars.append(character) }
      if character == ">" { isInside = false }
    }
    return out
  }
}
