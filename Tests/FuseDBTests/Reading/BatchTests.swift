import Testing

import FuseDB

struct `Look-ups of many keys` {
  /// What the file says about one key, as a batch and as a single look-up have it.
  private enum Answer: Equatable {
    case object([UInt8])
    case absent
  }

  private static func batch(_ reader: FuseReader, _ keys: [[UInt8]]) throws -> [Answer] {
    var answers: [Answer] = []
    try reader.withBytes(forKeys: keys) { (number: Int, bytes: RawSpan?) in
      #expect(number == answers.count, "answers come in the order of the keys")
      if let bytes { answers.append(.object(bytes.array())) } else { answers.append(.absent) }
    }
    return answers
  }

  /// Keys of every class of length, each pointing at an object that holds its number.
  private static func keys(_ count: Int) -> [[UInt8]] {
    (0..<count).map { number in
      Array(String(repeating: "k", count: number % 41 + (number % 7 == 0 ? 230 : 0)).utf8) + Array("\(number)".utf8)
    }
  }

  private static func file(_ folder: TemporaryFolder, _ layout: FuseWriter.Layout, _ keys: [[UInt8]]) throws -> String {
    let writer = FuseWriter(.init(layout: layout))
    for (number, key) in keys.enumerated() {
      try writer.add([key], messagePack: [0xCD, UInt8(number >> 8), UInt8(number & 0xFF)])
    }
    let path = folder.path("many.fsdb")
    try writer.build(to: path)
    return path
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain], [FuseReader.ExpectedLookups.many, .few])
  func `say where objects are as single look-ups do`(
    layout: FuseWriter.Layout, lookups: FuseReader.ExpectedLookups
  ) throws {
    let folder = try TemporaryFolder()
    let present = Self.keys(100)
    let reader = try FuseReader(path: Self.file(folder, layout, present), expecting: lookups)
    var text: [UInt8] = []
    var ranges: [Range<Int>] = []
    for key in present + Self.keys(20).map({ $0 + [0] }) {
      ranges.append(text.count..<text.count + key.count)
      text += key
    }
    for count in [0, 1, 15, 16, 17, ranges.count] {
      var found: [UInt64?] = []
      try reader.forEachObjectOffset(ofKeys: Array(ranges.suffix(count)), in: text.rawSpan) { number, object in
        #expect(number == found.count)
        found.append(object)
      }
      let single = try ranges.suffix(count).map { try reader.objectOffset(forKey: text.rawSpan.extracting($0)) }
      #expect(found == single)
      for object in found.compactMap({ $0 }) { #expect(try reader.bytes(ofObjectAt: object).byteCount == 3) }
    }
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain], [FuseReader.ExpectedLookups.many, .few])
  func `are answered in the order of the keys, present and absent`(
    layout: FuseWriter.Layout, lookups: FuseReader.ExpectedLookups
  ) throws {
    let folder = try TemporaryFolder()
    let present = Self.keys(300)
    let reader = try FuseReader(path: Self.file(folder, layout, present), expecting: lookups)
    for count in [0, 1, 2, 15, 16, 17, 31, 32, 33, 300] {
      // Every third is absent, and every fifth asked twice.
      var asked: [[UInt8]] = []
      var expected: [Answer] = []
      for number in 0..<count {
        if number % 3 == 0 {
          asked.append(present[number] + [0x21])
          expected.append(.absent)
        }
        for _ in 0..<(number % 5 == 0 ? 2 : 1) {
          asked.append(present[number])
          expected.append(.object([0xCD, UInt8(number >> 8), UInt8(number & 0xFF)]))
        }
      }
      #expect(try Self.batch(reader, asked) == expected)
      #expect(try reader.contains(keys: asked) == expected.map { $0 != .absent })
    }
  }

  @Test func `take texts, also short ones, and slices`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter()
    try writer.add(["8.8.8.8", "gmail.com"], messagePack: [0x01])
    try writer.add([""], messagePack: [0x02])
    try writer.build(to: folder.path("texts.fsdb"))
    let reader = try FuseReader(path: folder.path("texts.fsdb"))
    let keys = ["nowhere", "8.8.8.8", "", "a text that is longer than fits into the text itself", "gmail.com"]
    #expect(try reader.contains(keys: keys) == [false, true, true, false, true])
    #expect(try reader.contains(keys: keys[1...2]) == [true, true])
  }

  @Test func `end with an error at a damaged object, after the answers before it`() throws {
    let folder = try TemporaryFolder()
    let keys = Self.keys(40)
    let path = try Self.file(folder, .indexed, keys)
    var bytes = try contents(path)
    let place = try FuseReader(path: path).place(of: keys[20])
    bytes[try #require(place) + 1] ^= 1
    let reader = try FuseReader(path: folder.write(bytes))
    var answered = 0
    let error = failure {
      try reader.withBytes(forKeys: keys) { (_: Int, bytes: RawSpan?) in
        if bytes != nil { answered += 1 }
      }
    }
    #expect(error?.code == .corrupted)
    #expect(answered == 20)
    // Whether a key is there does not depend on its object.
    #expect(try reader.contains(keys: keys) == keys.map { _ in true })
  }

  @Test func `stop where the caller throws`() throws {
    struct Enough: Error {}
    let folder = try TemporaryFolder()
    let keys = Self.keys(40)
    let reader = try FuseReader(path: Self.file(folder, .indexed, keys))
    var answered = 0
    #expect(throws: Enough.self) {
      try reader.withBytes(forKeys: keys) { (number: Int, _: RawSpan?) in
        answered += 1
        if number == 18 { throw Enough() }
      }
    }
    #expect(answered == 19)
  }
}

extension FuseReader {
  /// Where the object under a key begins in the file.
  fileprivate func place(of key: [UInt8]) throws -> Int? {
    try objectOffset(forKey: key.rawSpan).map { try record(at: $0).start }
  }
}
