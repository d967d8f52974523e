import Testing

import FuseDB

/// A typed view of a file.
struct `A table` {
  struct Org: Codable, Equatable {
    var name: String
    var asn: UInt32?
  }

  /// Builds a file of orgs under these keys, named after them.
  @discardableResult
  private func build(
    _ keys: [[UInt8]], as name: String = "orgs.fsdb", saying prefix: String = "", in folder: TemporaryFolder
  ) throws -> String {
    let writer = FuseWriter()
    for key in keys {
      try writer.add(key, Org(name: prefix + String(decoding: key, as: UTF8.self), asn: UInt32(key.count)))
    }
    let path = folder.path(name)
    try writer.build(to: path)
    return path
  }

  private func build(_ keys: String..., saying prefix: String = "", in folder: TemporaryFolder) throws -> String {
    try build(keys.map { [UInt8]($0.utf8) }, saying: prefix, in: folder)
  }

  private func all<Key, Value>(_ rows: FuseTable<Key, Value>.Rows) throws -> [(key: Key, value: Value)] {
    var rows = rows
    var all: [(key: Key, value: Value)] = []
    var left = rows.count
    while let row = try rows.next() {
      all.append(row)
      left -= 1
      #expect(rows.count == left)
    }
    return all
  }

  @Test func `answers as the file does, key by key and for many`() throws {
    let folder = try TemporaryFolder()
    let table = try FuseTable<String, Org>(path: try build("a", "b", "bb", "c", in: folder))
    #expect(table.count == 4)
    #expect(try table["bb"] == Org(name: "bb", asn: 2))
    #expect(try table["none"] == nil)
    #expect(try table.contains("c"))
    #expect(try !table.contains("cc"))
    #expect(try table.values(forKeys: ["c", "x", "a"]) == [Org(name: "c", asn: 1), nil, Org(name: "a", asn: 1)])
    #expect(try table.values(forKeys: []) == [])
  }

  @Test func `goes through its rows in order, between bounds, by prefix, and back`() throws {
    let folder = try TemporaryFolder()
    let table = try FuseTable<String, Org>(path: try build("c", "a", "bb", "b", "ba", "é", in: folder))
    func keys(_ rows: FuseTable<String, Org>.Rows) throws -> [String] {
      try all(rows).map { row in
        #expect(row.value.name == row.key)
        return row.key
      }
    }
    #expect(try keys(table.rows()) == ["a", "b", "ba", "bb", "c", "é"])
    #expect(try keys(table.rows(.descending)) == ["é", "c", "bb", "ba", "b", "a"])
    #expect(try keys(table.rows(from: "b", upTo: "bb")) == ["b", "ba"])
    #expect(try keys(table.rows(from: "bb")) == ["bb", "c", "é"])
    #expect(try keys(table.rows(upTo: "b")) == ["a"])
    #expect(try keys(table.rows(from: "b", upTo: "c", .descending)) == ["bb", "ba", "b"])
    #expect(try keys(table.rows(from: "c", upTo: "b")) == [])
    #expect(try keys(table.prefix("b")) == ["b", "ba", "bb"])
    #expect(try keys(table.prefix("b", .descending)) == ["bb", "ba", "b"])
    #expect(try keys(table.prefix("")) == ["a", "b", "ba", "bb", "c", "é"])
    #expect(try keys(table.prefix("z")) == [])
    #expect(try keys(table.prefix([0xC3] as [UInt8])) == ["é"], "half a letter is a prefix too")
  }

  @Test func `of a reloadable reader answers from the newest file, its snapshot and rows from their own`() throws {
    let folder = try TemporaryFolder()
    let path = try build("a", "b", saying: "old ", in: folder)
    let store = try ReloadableReader(path: path)
    let table = FuseTable<String, Org>(store)
    let snapshot = table.snapshot()
    var rows = try table.rows()
    #expect(try rows.next()?.value.name == "old a")

    _ = try build("a", "b", "c", saying: "new ", in: folder)
    #expect(try table["a"]?.name == "old a")
    try store.reload()
    #expect(try table["a"]?.name == "new a")
    #expect(table.count == 3)
    #expect(try table.contains("c"))
    #expect(try table.values(forKeys: ["c"])[0]?.name == "new c")
    #expect(try table.prefix("c").count == 1)

    #expect(try snapshot["a"]?.name == "old a")
    #expect(snapshot.count == 2)
    #expect(try !snapshot.contains("c"))
    #expect(try rows.next()?.value.name == "old b")
    #expect(try rows.next() == nil)
  }

  @Test func `of a pool answers from the newest file`() throws {
    let folder = try TemporaryFolder()
    let path = try build("a", saying: "old ", in: folder)
    let pool = try FusePool(path: path)
    let table = FuseTable<String, Org>(pool)
    let snapshot = table.snapshot()
    _ = try build("a", saying: "new ", in: folder)
    try pool.reload()
    #expect(try table["a"]?.name == "new a")
    #expect(try snapshot["a"]?.name == "old a")
  }

  @Test func `whose keys are texts names a key that is none, and goes on after it`() throws {
    let folder = try TemporaryFolder()
    let keys: [[UInt8]] = [[0x61], [0x62, 0xFF], [0x63]]
    let path = try build(keys, in: folder)
    var rows = try FuseTable<String, Org>(path: path).rows()
    #expect(try rows.next()?.key == "a")
    let error = failure { _ = try rows.next() }
    #expect(error?.code == .invalidValue)
    #expect(error?.path == path)
    #expect(error?.message.contains("b\\xff") == true, "\(String(describing: error))")
    #expect(try rows.next()?.key == "c")
    #expect(try rows.next() == nil)
    #expect(try all(FuseTable<[UInt8], Org>(path: path).rows()).map(\.key) == keys)
    #expect(try FuseTable<[UInt8], Org>(path: path)[keys[1]]?.asn == 2)
  }

  @Test func `of another type says which part of which object is wrong, and where`() throws {
    struct Other: Decodable, Equatable { var name: String, asn: UInt8? }
    let folder = try TemporaryFolder()
    let writer = FuseWriter()
    try writer.add(["far", "far too"], ["a": Org(name: "Far", asn: 70_000)])
    try writer.add(["near"], ["a": Org(name: "Near", asn: 7)])
    let path = folder.path("orgs.fsdb")
    try writer.build(to: path)
    let table = try FuseTable<String, [String: Other]>(path: path)
    #expect(try table["near"] == ["a": Other(name: "Near", asn: 7)])

    // 81 a1 61 | 82 a4 name a3 Far a3 asn | ce 00 01 11 70
    var errors = [failure { _ = try table["far"] }, failure { _ = try table.values(forKeys: ["near", "far"]) }]
    var rows = try table.rows()
    errors.append(failure { _ = try rows.next() })
    for error in errors {
      #expect(error?.code == .invalidValue)
      #expect(error?.path == path)
      #expect(error?.offset == 17)
      #expect(error?.codingPath == "a.asn")
      #expect(error?.message == "the integer 70000 does not fit UInt8, from 0 to 255, in the object under \"far\"")
      #expect(
        error?.description
          == "\(path): offset 17 of the value: a.asn: the integer 70000 does not fit UInt8, from 0 to 255, in the object under \"far\""
      )
    }
    // The next row is the same object again, under its other key; then comes one that fits.
    #expect(failure { _ = try rows.next() }?.message.contains("\"far too\"") == true)
    #expect(try rows.next()?.key == "near")
  }

  @Test func `of a damaged file says so, where the object is read`() throws {
    let folder = try TemporaryFolder()
    var bytes = try contents(try build("a", "b", in: folder))
    // In the first object, after header and record.
    bytes[50] ^= 1
    let path = try folder.write(bytes, as: "damaged.fsdb")
    let table = try FuseTable<String, Org>(path: path)
    #expect(try table["b"]?.name == "b")
    #expect(try table.contains("a"))
    for error in [failure { _ = try table["a"] }, failure { _ = try table.values(forKeys: ["a"]) }] {
      #expect(error?.code == .corrupted)
      #expect(error?.offset == 40)
      #expect(error?.path == path)
    }
    var rows = try table.rows()
    #expect(failure { _ = try rows.next() }?.code == .corrupted)
    #expect(try rows.next()?.key == "b")
    #expect(failure { _ = try FuseTable<String, Org>(path: folder.path("none.fsdb")) }?.code == .notFound)
  }

  @Test func `decodes as its decoder says`() throws {
    struct Asked: Decodable {
      let word: String?
      init(from decoder: any Decoder) throws {
        word = CodingUserInfoKey(rawValue: "word").flatMap { decoder.userInfo[$0] } as? String
      }
    }
    let folder = try TemporaryFolder()
    let path = try build("a", in: folder)
    let key = try #require(CodingUserInfoKey(rawValue: "word"))
    let table = try FuseTable<String, Asked>(path: path, decoder: FuseDecoder(userInfo: [key: "given"]))
    #expect(try table["a"]?.word == "given")
    #expect(try table.snapshot()["a"]?.word == "given")
    #expect(try table.values(forKeys: ["a"])[0]?.word == "given")
    var rows = try table.prefix("a")
    #expect(try rows.next()?.value.word == "given")
  }

  @Test func `of a store that counts look-ups has its own counted`() throws {
    let folder = try TemporaryFolder()
    var options = ServingOptions()
    options.countsLookups = true
    let path = try build("a", "b", in: folder)
    for store in [
      try ReloadableReader(path: path, options: options), try FusePool(path: path, options: options),
    ] as [any Reloadable] {
      let table = FuseTable<String, Org>(store)
      #expect(try table["a"] != nil)
      #expect(try table["none"] == nil)
      #expect(try table.values(forKeys: ["b", "none", "a"]).count == 3)
      #expect(throws: FuseError.self) { try store.value(Int.self, forKey: "a") }
      let counters = store.counters
      #expect([counters.hitCount, counters.missCount, counters.failureCount] == [3, 2, 1])
    }
  }
}
