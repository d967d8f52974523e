import Testing

import FuseDB

/// The rules of spec/matches.md, one by one.
struct `The key that covers a question best` {
  struct Case: CustomTestStringConvertible {
    let keys: [String]
    let question: MatchQuestion
    let answer: String?

    var testDescription: String { "\(keys): \(question)" }
  }

  private static func domain(_ question: String, _ keys: [String], _ answer: String?) -> Case {
    Case(keys: keys, question: .domain(Array(question.utf8)), answer: answer)
  }

  private static func email(_ question: String, _ keys: [String], _ answer: String?) -> Case {
    Case(keys: keys, question: .email(Array(question.utf8)), answer: answer)
  }

  private static func prefix(_ question: String, _ keys: [String], _ answer: String?) -> Case {
    Case(keys: keys, question: .prefix(Array(question.utf8)), answer: answer)
  }

  static let domains: [Case] = [
    // [Q2] A key covers itself and what is below it, at labels.
    domain("gmail.com", ["gmail.com"], "gmail.com"),
    domain("mail.gmail.com", ["gmail.com"], "gmail.com"),
    domain("a.b.c.gmail.com", ["gmail.com"], "gmail.com"),
    domain("notgmail.com", ["gmail.com"], nil),
    domain("com", ["gmail.com"], nil),
    domain("gmail.com.evil", ["gmail.com"], nil),
    domain("gmail.com", ["*.gmail.com"], nil),
    domain("a.gmail.com", ["*.gmail.com"], "*.gmail.com"),
    domain("a.b.gmail.com", ["*.gmail.com"], "*.gmail.com"),
    domain("notgmail.com", ["*.gmail.com", ".gmail.com"], nil),
    domain("gmail.com", [".gmail.com"], ".gmail.com"),
    domain("a.gmail.com", [".gmail.com"], ".gmail.com"),
    domain("com", ["com", "*.com", ".com"], "com"),
    // [Q3] The order.
    domain("a.com", ["a.com", ".a.com", "*.a.com", "*.com", ".com", "com"], "a.com"),
    domain("a.com", [".a.com", "*.a.com", "*.com", ".com", "com"], ".a.com"),
    domain("a.com", ["*.a.com", "*.com", ".com", "com"], "*.com"),
    domain("a.com", ["*.a.com", ".com", "com"], ".com"),
    domain("a.com", ["*.a.com", "com"], "com"),
    domain("b.a.com", ["a.com", ".a.com", "*.a.com", "*.com"], "*.a.com"),
    domain("b.a.com", ["a.com", ".a.com", "*.com"], ".a.com"),
    domain("b.a.com", ["a.com", "*.com"], "a.com"),
    domain("c.b.com", ["*.com", "b.com"], "b.com"),
    domain("c.b.com", ["b.com", "*.b.com", "c.b.com"], "c.b.com"),
    // [Q1] What the question is taken for.
    domain("A.GMail.COM", ["gmail.com"], "gmail.com"),
    domain("gmail.com", ["GMail.com"], nil),
    domain("GMail.com", ["GMail.com"], nil),
    domain("gmail.com.", ["gmail.com"], "gmail.com"),
    domain("gmail.com..", ["gmail.com"], nil),
    domain("gmail.com.", ["gmail.com."], nil),
    domain(".gmail.com", ["gmail.com", ".gmail.com"], nil),
    domain("a..gmail.com", ["gmail.com", ".gmail.com", "*.gmail.com"], nil),
    domain("", ["", ".", "*.", "*", "com"], nil),
    domain(".", ["", ".", "*.", "*", "com"], nil),
    domain("..", ["", ".", "*.", "*", "com"], nil),
    domain("com", ["", ".", "*.", "*"], nil),
    domain("*.gmail.com", ["*.gmail.com"], "*.gmail.com"),
    domain("*.gmail.com", ["*.gmail.com", ".*.gmail.com"], "*.gmail.com"),
    domain("a.*.gmail.com", ["*.gmail.com", ".*.gmail.com"], ".*.gmail.com"),
    domain("*", ["*", "*."], "*"),
    domain("BÜCHER.example", ["bÜcher.example"], "bÜcher.example"),
    domain("[@`{Z].example", ["[@`{z].example"], "[@`{z].example"),
    domain("a.\0b", ["\0b", "b"], "\0b"),
    domain("city.kawasaki.jp", ["*.kawasaki.jp", "!city.kawasaki.jp"], "*.kawasaki.jp"),
    domain("joe@gmail.com", ["gmail.com", "com"], "com"),
  ]

  static let emails: [Case] = [
    // [Q5] The address, then its name.
    email("joe@gmail.com", ["joe@gmail.com", "gmail.com"], "joe@gmail.com"),
    email("ann@gmail.com", ["joe@gmail.com", "gmail.com"], "gmail.com"),
    email("ann@mail.gmail.com", ["ann@gmail.com", "*.gmail.com"], "*.gmail.com"),
    email("joe@GMail.Com.", ["joe@gmail.com"], "joe@gmail.com"),
    email("Joe@gmail.com", ["joe@gmail.com", "com"], "com"),
    email("Joe@gmail.com", ["Joe@gmail.com", "com"], "Joe@gmail.com"),
    email("joe@gmail.com", ["joe@gmail.com.", "joe@Gmail.com"], nil),
    email("joe@gmail.com", ["@gmail.com", "e@gmail.com"], nil),
    // [Q4] What is no address.
    email("a@b@c", ["a@b@c", "b", "c"], "a@b@c"),
    email("a@b@c", ["b", "c", "b@c"], "c"),
    email("a@b@c", ["b", "b@c"], nil),
    email("@gmail.com", ["@gmail.com", "gmail.com"], nil),
    email("gmail.com", ["gmail.com"], nil),
    email("joe@", ["joe@", "joe"], nil),
    email("joe@.", ["joe@.", "joe@"], nil),
    email("joe@a..b", ["joe@a..b", "b"], nil),
    email("@", ["@", ""], nil),
    email("", ["", "@"], nil),
    email("a@@com", ["a@@com", "com"], "a@@com"),
    email("a@@com", ["com"], "com"),
    email("j.o.e@com", ["e@com", "o.e@com", "com"], "com"),
  ]

  static let prefixes: [Case] = [
    // [Q6]
    prefix("493012345", ["49", "4930", "1"], "4930"),
    prefix("4989", ["49", "4930", "1"], "49"),
    prefix("5", ["49", "4930", "1"], nil),
    prefix("4930", ["49", "4930", "1"], "4930"),
    prefix("493", ["49", "4930", "1"], "49"),
    prefix("", ["", "4"], ""),
    prefix("", ["4"], nil),
    prefix("x", ["", "4"], ""),
    prefix(
      "https://a.example/b/c", ["https://a.example/", "https://a.example/b", "https://a.exampl"], "https://a.example/b"),
    prefix("ABC", ["abc", "AB"], "AB"),
    prefix("a\0\0b", ["a", "a\0", "a\0\0\0"], "a\0"),
    prefix("aé", ["a\u{c3}"], nil),
    prefix("x", [], nil),
  ]

  @Test(arguments: domains + emails + prefixes)
  func `is the one of the rules`(row: Case) throws {
    let bench = MatchBench(row.keys)
    #expect(row.question.key(bench.model) == row.answer.map { Key($0) }, "the model")
    for kind in MatchBench.Kind.allCases {
      let bytes = try bench.bytes(kind)
      for checksums in [FuseReader.Checksums.verified, .skipped] {
        let reader = try MatchBench.reader(kind, of: bytes, checksums: checksums)
        #expect(try row.question.key(reader) == row.answer.map { Key($0) }, "\(kind) \(checksums)")
      }
    }
  }

  @Test func `is found for a name of 253 bytes, and none for one of 254`() throws {
    let top = "a.example"
    let longest = String(repeating: "xy.", count: 81) + "z" + top
    let labels = String(repeating: "a.", count: 126) + "b"
    let bench = MatchBench([
      top, "." + longest, "*." + longest, labels, "." + labels, "*." + labels, "x" + longest, "b", "jp@" + longest,
    ])
    #expect(longest.utf8.count == 253 && labels.utf8.count == 253)
    let questions = [
      longest, longest + ".", longest + "..", "x" + longest, "x." + longest, labels, labels + ".", "a." + labels,
    ]
    for kind in MatchBench.Kind.allCases {
      let reader = try bench.reader(kind)
      for text in questions.flatMap({ [$0, $0.uppercased()] }) {
        for question in MatchQuestion.all(Array(text.utf8)) + [.email(Array(("jp@" + text).utf8))] {
          #expect(try question.key(reader) == question.key(bench.model), "\(kind) \(question)")
        }
      }
    }
    let reader = try bench.reader(.lengths)
    #expect(try MatchQuestion.domain(Array(longest.utf8)).key(reader) == Key("." + longest))
    #expect(try MatchQuestion.domain(Array(("x" + longest).utf8)).key(reader) == nil)
    #expect(try MatchQuestion.domain(Array(labels.utf8)).key(reader) == Key(labels))
  }

  @Test func `is found for an address whose local part is as long as a key may be`() throws {
    let fits = String(repeating: "l", count: 65_535 - 6) + "@b.com"
    let bench = MatchBench([fits, "com"])
    for kind in MatchBench.Kind.allCases {
      let reader = try bench.reader(kind)
      #expect(try MatchQuestion.email(Array(fits.utf8)).key(reader) == Key(fits))
      for text in ["l" + fits, String(fits.dropFirst()), String(repeating: "x", count: 200_000) + "@B.com."] {
        #expect(try MatchQuestion.email(Array(text.utf8)).key(reader) == Key("com"))
      }
    }
  }
}
