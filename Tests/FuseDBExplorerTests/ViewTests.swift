import FuseDB
import FuseDBWeb
import ProgramSupport
import Testing

@testable import FuseDBExplorer

struct ViewTests {
  static let people: [(keys: [[UInt8]], value: FuseValue)] = [
    ([[UInt8]("ann"), [UInt8]("a@x.org"), [UInt8]("x.org")], ["name": "Ann", "age": 31]),
    ([[UInt8]("bob")], ["name": "Bob", "age": 32]),
  ]

  @Test func `each view has a page and a twin, and all headers`() throws {
    let files = ExplorerFiles()
    try files.serve("people", Self.people)
    try files.serve("older", [Self.people[0]])
    for view in ["", "find", "tree", "shape", "change", "verify"] {
      let page = try files.page(["people", view])
      #expect(page.hasPrefix("<!DOCTYPE html><html lang=\"en\">") && page.hasSuffix("</html>"))
      #expect(page.components(of: "<h1>") == 2)
      #expect(page.contains("format=json"))
      _ = try files.twin(["people", view])
      let headers = try files.ask(["people", view]).headers.map { "\($0.name): \($0.value)" }
      #expect(headers.contains("Content-Security-Policy: \(Page.securityPolicy)"))
    }
    #expect(try files.page([]).contains("href=\"/older/\""))
    #expect(try files.ask(["people"]).status == 301)
    #expect(Explorer(databases: files.databases).answer(to: WebRequest(path: [[UInt8]("nobody"), []])) == nil)
    #expect(
      Explorer(databases: files.databases).answer(to: WebRequest(path: [[UInt8]("people"), [UInt8]("nothing")])) == nil)
  }

  @Test func `one file is where the first page leads`() throws {
    let files = ExplorerFiles()
    try files.serve("people", Self.people)
    let answer = try files.ask([])
    #expect(answer.status == 302 && answer.headers.contains { $0.name == "Location" && $0.value == "/people/" })
    #expect(try files.twin([])["files"]?[0]?["keys"]?.int == 4)
  }

  @Test(arguments: [
    ("ann", "exact", "ann"), ("a@x.org", "exact", "a@x.org"), ("zoe@x.org", "email", "x.org"),
    ("www.x.org", "domain", "x.org"),
    ("bobby", "prefix", "bob"),
  ])
  func `a question finds what answers it`(question: String, reason: String, key: String) throws {
    let files = ExplorerFiles()
    try files.serve("people", Self.people)
    let twin = try files.twin(["people", "find"], [("q", [UInt8](question))])
    #expect(twin["answers"]?[0]?["reason"]?.string == reason)
    #expect(twin["answers"]?[0]?["key"]?.string == key)
  }

  @Test(arguments: [true, false])
  func `keys that share an object are listed, page by page`(reverse: Bool) throws {
    let files = ExplorerFiles()
    let shared = (0..<170).map { [UInt8]("key \($0)") }
    try files.serve("a", [(shared, 1), ([[UInt8]("other")], 2)], reverse: reverse)
    var found: [String] = []
    var from = 0
    while true {
      let twin = try files.twin(["a", "find"], [("key", shared[7]), ("from", [UInt8](String(from)))])
      let sharing = twin["answers"]?[0]?["sharing"]
      #expect(sharing?["isListed"]?.bool == reverse)
      found += sharing?["keys"]?.elements?.compactMap(\.string) ?? []
      guard let next = sharing?["next"]?.int else { break }
      from = next
    }
    #expect(
      found == shared.map { String(decoding: $0, as: UTF8.self) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
  }

  @Test func `a key of any bytes and any length is found by its link`() throws {
    let files = ExplorerFiles()
    let keys = [[UInt8]("<script>"), [0, 255, 10], [UInt8](repeating: 120, count: 65_535), []]
    try files.serve("a", keys.enumerated().map { ([$1], .int(Int64($0))) })
    for (number, key) in keys.enumerated() {
      let twin = try files.twin(["a", "find"], [("key", key)])
      #expect(twin["answers"]?[0]?["object"]?["value"]?.int == number)
    }
    let page = try files.page(["a", "tree"])
    #expect(!page.contains("<script>") && page.contains("&lt;script&gt;"))
    #expect(page.contains("number=3") && !page.contains(String(repeating: "x", count: 200)))
    let whole = try files.page(["a", "find"], [("number", [UInt8]("3")), ("whole", [UInt8]("1"))])
    #expect(whole.contains(String(repeating: "x", count: 65_535)))
    #expect(try files.ask(["a", "find"], [("key", [UInt8]("absent"))]).status == 404)
    #expect(try files.ask(["a", "find"], [("number", [UInt8]("9"))]).status == 404)
    #expect(try files.ask(["a", "find"], [("q", [UInt8](repeating: 1, count: 65_536))]).status == 400)
  }

  @Test func `differences come page by page, and are those of a model`() throws {
    var random = SeededRandom.announced()
    var old: [String: Int] = [:]
    var new: [String: Int] = [:]
    for _ in 0..<400 {
      let key = "key \(random.below(1000))"
      let value = random.below(2)
      if random.below(4) > 0 { old[key] = value }
      if random.below(4) > 0 { new[key] = random.below(5) > 0 ? value : value + 1 }
    }
    let files = ExplorerFiles()
    try files.serve("old", old.map { ([[UInt8]($0)], ["n": .int(Int64($1)), "same": true]) })
    try files.serve("new", new.map { ([[UInt8]($0)], ["n": .int(Int64($1)), "same": true]) })
    let changed = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
    var found: [String] = []
    var place = (old: "0", new: "0")
    while true {
      let twin = try files.twin(
        ["new", "change"], [("from", [UInt8]("old")), ("old", [UInt8](place.old)), ("new", [UInt8](place.new))])
      #expect(twin["added"]?.int == new.keys.count { old[$0] == nil })
      #expect(twin["removed"]?.int == old.keys.count { new[$0] == nil })
      let both = old.keys.filter { new[$0] != nil }
      #expect(twin["changed"]?.int == both.count { old[$0] != new[$0] })
      #expect(twin["equal"]?.int == both.count { old[$0] == new[$0] })
      #expect(twin["fields"]?[0]?["path"]?.string == "n" && twin["fields"]?.count == 1)
      for change in twin["changes"]?.elements ?? [] {
        let key = try #require(change["key"]?.string)
        #expect(change["old"]?["value"]?["n"]?.int == old[key] && change["new"]?["value"]?["n"]?.int == new[key])
        found.append(key)
      }
      guard let next = twin["next"], !next.isNil else { break }
      place = (String(next["old"]?.int ?? 0), String(next["new"]?.int ?? 0))
    }
    #expect(found.count == changed.count && Set(found) == changed)
  }

  @Test func `spaces at the ends of a question are left out, unless a key has them`() throws {
    let files = ExplorerFiles()
    try files.serve("people", Self.people + [([[UInt8](" ann")], 1), ([[UInt8]("8.8.0.0/16")], 2)])
    func key(_ question: String) throws -> String? {
      try files.twin(["people", "find"], [("q", [UInt8](question))])["answers"]?[0]?["key"]?.string
    }
    #expect(try key("ann \n") == "ann" && key("\tbob") == "bob" && key(" 8.8.8.8 ") == "8.8.0.0/16")
    #expect(try key(" ann") == " ann" && key("   ") == nil && key(" ") == nil)
  }

  @Test func `the file before is compared with, and gone back to with a token alone`() throws {
    let files = ExplorerFiles()
    let database = try files.serve("people", Self.people)
    try files.build("people", [Self.people[0]])
    try database.reader.reload()
    #expect(try files.twin(["people", "change"], [("from", [UInt8]("@previous"))])["removed"]?.int == 1)
    #expect(try files.ask(["people", "rollback"], method: .post).status == 403)
    #expect(database.reader.generation == 2)
    let elsewhere = [(name: "origin", value: "http://elsewhere"), (name: "host", value: "here")]
    #expect(try files.ask(["people", "rollback"], method: .post, headers: elsewhere, isKnown: true).status == 403)
    #expect(try files.ask(["people", "rollback"], method: .post, isKnown: true).status == 200)
    #expect(database.reader.generation == 3 && database.reader.keyCount == 4)
    #expect(try files.twin(["people", "change"])["history"]?[0]?["generation"]?.int == 3)
    #expect(try files.twin(["people", "change"])["history"]?[0]?["isRollback"]?.bool == true)
    #expect(try files.page(["people", "change"]).contains("gone back to the file before"))
    #expect(try files.ask(["people", "rollback"], method: .post, isKnown: true).status == 409)
  }

  @Test func `verification runs once at a time, and lists damage`() throws {
    let files = ExplorerFiles()
    // Of the last page of a file, a reader has a copy.
    let database = try files.serve(
      "people", Self.people + [([[UInt8]("large")], .bytes([UInt8](repeating: 1, count: 10_000)))])
    let elsewhere = [(name: "sec-fetch-site", value: "cross-site")]
    #expect(try files.ask(["people", "verify"], method: .post, headers: elsewhere).status == 403)
    #expect(try files.twin(["people", "verify"])["state"]?.string == "none")
    let same = [
      (name: "origin", value: "http://here:1"), (name: "host", value: "here:1"),
      (name: "sec-fetch-site", value: "same-origin"),
    ]
    #expect(try files.ask(["people", "verify"], method: .post, headers: same).status == 303)
    func result() throws -> FuseValue {
      while true {
        let twin = try files.twin(["people", "verify"])
        if twin["state"]?.string != "running" { return twin }
      }
    }
    #expect(try result()["isSound"]?.bool == true)
    // A byte of an object, in the file that is mapped.
    let bytes = try #require(files.scratch.read("people.fsdb"))
    try files.overwrite("people.fsdb", [bytes[50] ^ 1], at: 50)
    #expect(try files.ask(["people", "verify"], method: .post).status == 303)
    let damaged = try result()
    #expect(damaged["isSound"]?.bool == false && (damaged["damageCount"]?.int ?? 0) > 0)
    #expect(try files.page(["people", "verify"]).contains("objectChecksum"))
    withExtendedLifetime(database) {}
  }

  @Test func `a sample says that it is one`() throws {
    let files = ExplorerFiles()
    let objects = (0..<1000).map {
      (keys: [[UInt8]("key \($0)")], value: FuseValue.map([.init(key: "n", value: .int(Int64($0 / 10)))]))
    }
    let reader = try files.serve("a", objects).reader.snapshot()
    let exact = try Shape(of: reader)
    #expect(exact.isExact && exact.sampled == 1000 && exact.objectCount == 100)
    #expect(
      exact.mostShared.first?.count == 10 && exact.fields.map(\.count) == [100]
        && exact.fields[0].types == ["integer": 100])
    #expect(exact.keyLengths.bars.map(\.values) == [5...5, 6...6, 7...7])
    #expect(exact.keyLengths.bars.map(\.count) == [10, 90, 900])
    let sampled = try Shape(of: reader, mostCounted: 100, sampleCount: 100)
    #expect(!sampled.isExact && sampled.sampled == 100)
  }

  @Test func `fields with names that have dots are chosen by`() throws {
    let files = ExplorerFiles()
    try files.serve("a", [([[UInt8]("k")], ["a.b": ["c\\d": "x"]]), ([[UInt8]("l")], ["a": ["b": "x"]])])
    let path = FusePath.spelling(of: [[UInt8]("a.b"), [UInt8]("c\\d")])
    let twin = try files.twin(["a", "tree"], [("at", []), ("field", path), ("value", [UInt8]("x"))])
    #expect(twin["keys"]?.elements?.compactMap(\.string) == ["k"])
    #expect(try files.ask(["a", "tree"], [("in", [UInt8]("8.0.0.0/8"))]).status == 400)
  }
}

extension String {
  fileprivate func components(of text: String) -> Int { split(separator: text, omittingEmptySubsequences: false).count }
}
