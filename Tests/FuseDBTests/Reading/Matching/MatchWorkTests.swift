import Testing

import FuseDB

@testable import FuseDBReading

/// What searches cost, counted: with hostile keys too.
struct `The search for a match` {
  private static func build(_ keys: [[UInt8]], keyLengths: Bool, in folder: TemporaryFolder) throws -> FuseReader {
    let writer = FuseWriter(FuseWriter.Options(networks: .never, keyLengths: keyLengths))
    let object = try writer.addObject([0x01])
    for key in keys { try writer.addKey(key, for: object) }
    let path = folder.path("\(keyLengths).fsdb")
    try writer.build(to: path)
    return try FuseReader(path: path)
  }

  @Test func `for a prefix asks for the lengths that keys have, however long the text`() throws {
    let folder = try TemporaryFolder()
    let keys = ["abc", "abcdefg", "x234567890123456789y"].map { Array($0.utf8) }
    let reader = try Self.build(keys, keyLengths: true, in: folder)
    var work = MatchWork()
    let text = Array("abcdefgh".utf8) + [UInt8](repeating: 0x61, count: 60_000)
    #expect(try reader.entry(beginning: text.rawSpan, &work)?.keyByteCount == 7)
    #expect(work.lookupCount == 3 && work.searchCount == 0)
    work = MatchWork()
    #expect(try reader.entry(beginning: "abcdefgh".keyBytes, &work)?.keyByteCount == 7)
    #expect(work.lookupCount == 2 && work.searchCount == 0)
  }

  /// Each beginning of the text is a beginning of a key, and no key; and there are keys of all these lengths.
  @Test(arguments: [true, false])
  func `for a prefix among hostile keys hashes each byte of a long text a few times, and searches once`(
    hasLengths: Bool
  ) throws {
    let folder = try TemporaryFolder()
    let count = 1200
    let keys = (1...count).map { [UInt8](repeating: 0x61, count: $0) + [0x30] }
    let reader = try Self.build(keys, keyLengths: hasLengths, in: folder)
    let text = [UInt8](repeating: 0x61, count: 65_535)
    var work = MatchWork()
    #expect(try reader.entry(beginning: text.rawSpan, &work) == nil)
    #expect(work.searchCount == 1)
    #expect(work.lookupCount >= count - 1 && work.lookupCount <= 40 + count + 1)
    // At first 40 texts, or one beyond 16 KiB; then one text for 64 lengths.
    let atFirst = hasLengths ? 40 * (count + 1) : (16 << 10) + text.count
    #expect(work.hashedByteCount <= atFirst + (count / 64 + 1) * count)
    work = MatchWork()
    // The same of one that is a key: the shortest.
    let found = try Self.build(keys + [[0x61]], keyLengths: hasLengths, in: folder)
    #expect(try found.entry(beginning: text.rawSpan, &work)?.keyByteCount == 1)
    #expect(work.searchCount == 1 && work.lookupCount <= 40 + count + 1)
  }

  @Test func `for a prefix ends at once where no key shares the text's first byte`() throws {
    let folder = try TemporaryFolder()
    let keys = (0..<200).map { [UInt8](repeating: 0x61, count: 60 + $0) }
    let reader = try Self.build(keys, keyLengths: true, in: folder)
    var work = MatchWork()
    #expect(try reader.entry(beginning: [UInt8](repeating: 0x62, count: 5000).rawSpan, &work) == nil)
    #expect(work.lookupCount == 40 && work.searchCount == 1)
  }

  @Test func `for a prefix in a file without a hash index looks nothing up`() throws {
    let reader = try MatchBench(["", "1", "49", "4930", "5"]).reader(.plainForFewLookups)
    var work = MatchWork()
    #expect(try reader.entry(beginning: "493012345".keyBytes, &work)?.keyByteCount == 4)
    #expect(work.searchCount == 1 && work.lookupCount == 0 && work.hashedByteCount == 0)
  }

  @Test func `for a domain asks for the names that keys may have`() throws {
    let folder = try TemporaryFolder()
    let keys = ["google.com", "bing.com", "example.co.uk"].map { Array($0.utf8) }
    func work(_ question: String, keyLengths: Bool) throws -> Int {
      let reader = try Self.build(keys, keyLengths: keyLengths, in: folder)
      var work = MatchWork()
      _ = try reader.entry(covering: question.keyBytes, &work)
      #expect(work.searchCount == 0)
      return work.lookupCount
    }
    // Names of one dot and ten or eight bytes, of two and thirteen.
    #expect(try work("mail.google.com", keyLengths: true) == 1)
    #expect(try work("www.mail.google.com", keyLengths: true) == 1)
    #expect(try work("a.b.c.d.e.f.nowhere.example", keyLengths: true) == 0)
    #expect(try work("mail.google.com", keyLengths: false) == 8)
    let deepest = String(repeating: "a.", count: 126) + "b"
    #expect(try work(deepest, keyLengths: true) == 0)
    #expect(try work(deepest, keyLengths: false) == 3 * 127 - 1)
  }

  @Test func `for an address asks for it where a key has an @`() throws {
    let folder = try TemporaryFolder()
    func work(_ keys: [String]) throws -> Int {
      let reader = try Self.build(keys.map { Array($0.utf8) }, keyLengths: true, in: folder)
      var work = MatchWork()
      #expect(try reader.entry(coveringAddress: "jo@google.com".keyBytes, &work) != nil)
      return work.lookupCount
    }
    #expect(try work(["google.com", "abc.google.com"]) == 1)
    #expect(try work(["google.com", "jo@google.org"]) == 2)
  }
}
