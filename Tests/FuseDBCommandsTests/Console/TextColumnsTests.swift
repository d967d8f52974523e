import Testing

@testable import FuseDBCommands

struct TextColumnsTests {
  @Test(arguments: [
    ("", 0), ("reading geo.fsdb", 16), ("é", 1), ("e\u{301}", 1), ("日本語.csv", 10), ("한국", 4), ("한", 2),
    ("👍", 2), ("👩‍👩‍👧", 2), ("🇨🇭", 2), ("❤️", 2), ("❤", 1), ("a\u{200B}b", 2), ("שלום", 4), ("Ａ", 2),
  ])
  func `a character takes no column, one or two`(text: String, columnCount: Int) {
    #expect(text.reduce(0) { $0 + TextColumns.columnCount(of: $1) } == columnCount)
    #expect(TextColumns.fitting(text, in: columnCount) == text)
  }

  @Test(arguments: [
    ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("abcdef", 1, "…"), ("abcdef", 0, ""), ("abcdef", -1, ""),
    ("日本語", 6, "日本語"), ("日本語", 5, "日本…"), ("日本語", 4, "日…"), ("日本語", 2, "…"),
    ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"), ("a\nb\u{1B}[Kc", 10, "a?b?[Kc"), ("a\r\nb", 10, "a?b"),
  ])
  func `what does not fit is cut, between characters`(text: String, columnCount: Int, shown: String) {
    #expect(TextColumns.fitting(text, in: columnCount) == shown)
  }
}
