import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBReading

struct `The hash index` {
  /// The entries that a search for `hash` comes across, in order.
  private static func search(_ index: MemoryIndex, _ hash: UInt64) throws -> [Int] {
    var found: [Int] = []
    let nothing = try index.first(hash: hash) { offset throws(FuseError) -> Int? in
      found.append(offset)
      return nil
    }
    #expect(nothing == nil)
    return found
  }

  /// A hash whose search begins in `bucket` of `bucketCount`, with the tag `tag`.
  private static func hash(bucket: Int, of bucketCount: Int, tag: UInt16) -> UInt64 {
    (UInt64.max / UInt64(bucketCount) * UInt64(bucket) + UInt64.max / UInt64(2 * bucketCount)) & ~0xFFFF | UInt64(tag)
  }

  @Test(arguments: [0, 1, 6, 7, 64, 1000])
  func `finds every entry by its hash, and whatever shares its tag in the chain`(keyCount: Int) throws {
    var random = SeededRandom.announced()
    let index = try MemoryIndex(keyCount: keyCount, seed: 1)
    #expect(Double(index.bucketCount * 8) * 0.8 >= Double(keyCount))
    var rows: [(hash: UInt64, offset: Int)] = []
    for offset in 0..<keyCount {
      // Few tags, tag 0 among them, so that many are shared.
      let hash = random.next() & ~0xFFFF | random.element([0, 1, 2, 0xFFFF])
      #expect(index.insert(hash: hash, offset: offset << 20))
      rows.append((hash, offset << 20))
    }
    for row in rows {
      let found = try Self.search(index, row.hash)
      #expect(found.contains(row.offset))
      let tagged = Set(rows.filter { Bucket.tag(of: $0.hash) == Bucket.tag(of: row.hash) }.map(\.offset))
      #expect(tagged.isSuperset(of: found))
      let first = try index.first(hash: row.hash) { offset throws(FuseError) in offset == row.offset ? offset : nil }
      #expect(first == row.offset)
    }
  }

  @Test func `gives all of one tag in one bucket in the order in which they came, also through overflow`() throws {
    // Sixteen buckets; thirty entries of one hash fill three of them and part of a fourth.
    let index = try MemoryIndex(keyCount: 100, seed: 1)
    let buckets = index.bucketCount
    #expect(buckets == 16)
    for home in [0, 5, buckets - 2, buckets - 1] {
      let index = try MemoryIndex(keyCount: 100, seed: 1)
      let hash = Self.hash(bucket: home, of: buckets, tag: 0x77)
      for offset in 0..<30 { #expect(index.insert(hash: hash, offset: offset)) }
      #expect(try Self.search(index, hash) == Array(0..<30))
      // Another tag at the same place meets nothing; the same tag one bucket on meets what overflowed.
      #expect(try Self.search(index, Self.hash(bucket: home, of: buckets, tag: 0x78)) == [])
      #expect(try Self.search(index, Self.hash(bucket: (home + 1) % buckets, of: buckets, tag: 0x77)) == Array(8..<30))
      #expect(try Self.search(index, Self.hash(bucket: (home + 4) % buckets, of: buckets, tag: 0x77)) == [])
    }
  }

  @Test func `treats tag 0 as tag 1, so that the match decides`() throws {
    let index = try MemoryIndex(keyCount: 4, seed: 1)
    #expect(index.insert(hash: 0, offset: 10))
    #expect(index.insert(hash: 1, offset: 11))
    #expect(try Self.search(index, 0) == [10, 11])
    #expect(try Self.search(index, 1) == [10, 11])
    #expect(try Self.search(index, 2) == [])
  }

  @Test func `says no when a chain is longer than 64 full buckets [L9]`() throws {
    let index = try MemoryIndex(keyCount: 10_000, seed: 1)
    let hash = Self.hash(bucket: 100, of: index.bucketCount, tag: 9)
    for offset in 0..<512 { #expect(index.insert(hash: hash, offset: offset)) }
    #expect(!index.insert(hash: hash, offset: 512))
    #expect(try Self.search(index, hash) == Array(0..<512))
    // Elsewhere there is room as before.
    let other = Self.hash(bucket: 164, of: index.bucketCount, tag: 9)
    #expect(index.insert(hash: other, offset: 600))
    #expect(try Self.search(index, other) == [600])
  }

  @Test func `says no when it is full, and still ends its searches`() throws {
    let index = try MemoryIndex(keyCount: 1, seed: 1)
    #expect(index.bucketCount == 1)
    for offset in 0..<8 { #expect(index.insert(hash: UInt64(offset + 1), offset: offset)) }
    #expect(!index.insert(hash: 5, offset: 8))
    #expect(Set(try Self.search(index, 5)) == [4])
    #expect(try Self.search(index, 99) == [])
  }

  @Test func `passes on the error of a match`() throws {
    let index = try MemoryIndex(keyCount: 1, seed: 1)
    #expect(index.insert(hash: 5, offset: 1))
    let error = failure {
      _ = try index.first(hash: 5) { offset throws(FuseError) -> Int? in throw .corrupted("here", at: offset) }
    }
    #expect(error?.offset == 1)
  }

  @Test func `keeps the largest offset of a file [L5]`() throws {
    let index = try MemoryIndex(keyCount: 1, seed: 1)
    #expect(index.insert(hash: 5, offset: 1 << 48 - 1))
    #expect(try Self.search(index, 5) == [1 << 48 - 1])
  }

  @Test func `holds what a search can meet to be plausible, and nothing else`() throws {
    let index = try MemoryIndex(keyCount: 10_000, seed: 1)
    let buckets = index.bucketCount
    let hash = Self.hash(bucket: 3, of: buckets, tag: 7)
    #expect(index.isPlausible(hash, nextTo: hash))
    #expect(!index.isPlausible(Self.hash(bucket: 3, of: buckets, tag: 8), nextTo: hash))
    // The chain of a search that began at the end of the table runs on at its start.
    #expect(index.isPlausible(Self.hash(bucket: buckets - 1, of: buckets, tag: 7), nextTo: hash))
    #expect(!index.isPlausible(Self.hash(bucket: buckets / 2, of: buckets, tag: 7), nextTo: hash))
  }

  /// Entries of these keys, back to back.
  private static func entries(_ keys: [[UInt8]]) -> [UInt8] {
    keys.flatMap { ReferenceFile.big($0.count, 2) + $0 + ReferenceFile.big(40, 8) }
  }

  @Test(arguments: [0, 1, 15, 16, 17, 33, 2000])
  func `of the entries of a file holds each of them, and no more than asked for`(count: Int) throws {
    let keys = (0..<count).map { Array("key \($0)".utf8) }
    let file: [UInt8] = [1, 2, 3] + Self.entries(keys + [[0x7A]])
    let index = try MemoryIndex(of: file.rawSpan, from: 3, keyCount: count)
    var offset = 3
    var wrong = 0
    for key in keys {
      if try !Self.search(index, key.rawSpan.hash(seed: index.seed)).contains(offset) { wrong += 1 }
      offset += 10 + key.count
    }
    let next = [UInt8](hex: "7a")
    #expect(wrong == 0)
    #expect(try !Self.search(index, next.rawSpan.hash(seed: index.seed)).contains(offset))
  }

  @Test func `of entries that suit no seed is an error, and of fewer than promised ends with the file [L9]`() throws {
    let equal = Self.entries([[UInt8]](repeating: [0x61], count: 600))
    let error = failure { _ = try MemoryIndex(of: equal.rawSpan, from: 0, keyCount: 600) }
    #expect(error?.code == .corrupted)
    let few = Self.entries([[0x61], [0x62]]) + [0xFF, 0xFF, 0x00]
    let index = try MemoryIndex(of: few.rawSpan, from: 0, keyCount: 100)
    let key = [UInt8](hex: "62")
    #expect(try Self.search(index, key.rawSpan.hash(seed: index.seed)) == [11])
  }

  @Test func `that cannot be allocated is an error, not a crash`() {
    let error = failure { _ = try ZeroedMemory(byteCount: 1 << 60) }
    #expect(error?.code == .inputOutput)
    #expect(error?.errno != nil)
    // It is the caller's to name the file.
    #expect(error?.at(path: "a.fsdb").path == "a.fsdb")
  }
}
