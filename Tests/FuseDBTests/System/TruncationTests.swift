import Foundation
import Glibc
import Synchronization
import Testing

import FuseDB

@testable import FuseDBReading
@testable import FuseDBSystem

/// A file that becomes shorter while readers have it mapped. spec/format.md §9
struct `A file that is truncated while it is open` {
  /// A file of some twenty pages, what it holds, and keys that it does not hold.
  struct Sample {
    let bytes: [UInt8]
    /// The same with an extension block.
    let indexed: [UInt8]
    let mapping: [Key: [UInt8]]
    let keys: [Key]
    let absent: [Key]

    init() {
      var mapping: [Key: [UInt8]] = [Key(""): [0x01]]
      for number in 0..<300 {
        // No zero in the objects, so that zeros are never mistaken for one.
        let body = (0..<200).map { UInt8(1 + (number * 7 + $0) % 255) }
        mapping[Key("key " + String(number * 7919 % 1000) + String(repeating: "x", count: number % 60))] =
          [0xC4, 200] + body
      }
      self.mapping = mapping
      keys = mapping.keys.sorted()
      absent = (0..<100).map { Key("absent " + String($0)) } + [Key([0]), Key([0, 0]), Key([0xFF])]
      let file = ReferenceFile(canonical: mapping)
      bytes = file.bytes
      indexed = file.bytes(.indexed)
    }
  }

  static let sample = Sample()
  static let pageByteCount = Int(getpagesize())

  static func cut(_ path: String, to byteCount: Int) {
    let result = unsafe truncate(path, byteCount)
    #expect(result == 0)
  }

  /// Whether an error says where: `truncated`, or `corrupted` with an offset.
  private static func isTelling(_ error: FuseError) -> Bool {
    error.offset != nil && error.path != nil && (error.code == .truncated || error.code == .corrupted)
  }

  /// What is wrong with the answers of `reader`, or nil. Each is the truth or a telling error.
  static func complaint(about reader: FuseReader) -> String? {
    let sample = sample
    for key in sample.keys {
      do throws(FuseError) {
        guard let object = try reader.copy(of: key.bytes) else { return "nil for \(key)" }
        if object != sample.mapping[key] { return "another object for \(key)" }
      } catch { if !isTelling(error) { return "look-up: \(error)" } }
      do throws(FuseError) {
        if try !reader.contains(key.bytes) { return "does not contain \(key)" }
      } catch { if !isTelling(error) { return "contains: \(error)" } }
    }
    for key in sample.absent {
      do throws(FuseError) {
        if try reader.copy(of: key.bytes) != nil { return "found \(key)" }
        if try reader.contains(key.bytes) { return "contains \(key)" }
      } catch { if !isTelling(error) { return "absent: \(error)" } }
    }
    for direction in [FuseReader.Direction.ascending, .descending] {
      do throws(FuseError) {
        var scan = try reader.entries(direction)
        let rest = try scan.rest()
        if rest.map(\.key) != (direction == .ascending ? sample.keys : sample.keys.reversed()) { return "another scan" }
        if rest.map(\.object) != rest.map({ sample.mapping[$0.key] }) { return "a scan with other objects" }
      } catch { if !isTelling(error) { return "scan: \(error)" } }
      for prefix in ["key 1", "key 9", "", "key", "l"] {
        do throws(FuseError) {
          var scan = try reader.prefix(prefix, direction)
          let expected = sample.keys.filter { $0.bytes.starts(with: prefix.utf8) }
          if scan.count != expected.count { return "another count of prefix \(prefix)" }
          var found: [Key] = []
          while let entry = try scan.next() { found.append(Key(try entry.key)) }
          if found != (direction == .ascending ? expected : expected.reversed()) { return "another prefix \(prefix)" }
        } catch { if !isTelling(error) { return "prefix: \(error)" } }
      }
    }
    do throws(FuseError) {
      if try reader.statistics().keyCount != sample.keys.count { return "other statistics" }
    } catch { if !isTelling(error) { return "statistics: \(error)" } }
    do throws(FuseError) {
      var objects = reader.objects()
      while let object = try objects.next() {
        let bytes = try object.bytes.array()
        if !sample.mapping.values.contains(bytes) { return "another object at \(object.offset)" }
      }
    } catch { if !isTelling(error) { return "objects: \(error)" } }
    return nil
  }

  static let pages = 0..<(sample.bytes.count + pageByteCount - 1) / pageByteCount

  @Test(arguments: pages, [FuseReader.ExpectedLookups.many, .few])
  func `to any page gives the truth or an error, and the process lives [M2] [M3] [M4]`(
    page: Int, lookups: FuseReader.ExpectedLookups
  ) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.sample.bytes)
    let reader = try FuseReader(path: path, expecting: lookups)
    #expect(Self.complaint(about: reader) == nil)
    Self.cut(path, to: page * Self.pageByteCount)

    let first = try #require(failure { _ = try reader.statistics() })
    #expect(first.code == .truncated)
    #expect(first.path == path)
    // The first missing byte that was touched lies after the cut.
    #expect(try #require(first.offset) >= page * Self.pageByteCount)
    #expect(try #require(first.offset) < Self.sample.bytes.count)
    #expect(Self.complaint(about: reader) == nil)

    // From then on every answer is that error, also for what is still there, also when the file grows again.
    for grown in [false, true] {
      if grown { Self.cut(path, to: Self.sample.bytes.count) }
      for key in Self.sample.keys + Self.sample.absent {
        #expect(failure { _ = try reader.copy(of: key.bytes) } == first)
        #expect(failure { _ = try reader.contains(key.bytes) } == first)
        #expect(failure { _ = try reader.object(of: key.bytes) } == first)
      }
      #expect(failure { _ = try reader.statistics() } == first)
      #expect(failure { _ = try reader.verify() } == first)
      #expect(failure { try reader.checkNotShrunk() } == first)
      #expect(
        failure {
          var scan = try reader.entries(); _ = try scan.next()
        } == first)
      #expect(
        failure {
          var scan = try reader.entries(.descending); _ = try scan.next()
        } == first)
      #expect(
        failure {
          var scan = reader.objects(); _ = try scan.next()
        } == first)
    }
  }

  @Test(arguments: pages)
  func `to any page ends a look-up, a scan and verification that meet it first [M2] [P5]`(page: Int) throws {
    let folder = try TemporaryFolder()
    let questions: [(String, (FuseReader) throws(FuseError) -> Void)] = [
      ("verify", { reader throws(FuseError) in _ = try reader.verify() }),
      ("statistics", { reader throws(FuseError) in _ = try reader.statistics() }),
      (
        "scan",
        { reader throws(FuseError) in
          var scan = try reader.entries()
          while let entry = try scan.next() { _ = try entry.key }
        }
      ),
      (
        "descending scan",
        { reader throws(FuseError) in
          var scan = try reader.entries(.descending)
          while let entry = try scan.next() { _ = try entry.key }
        }
      ),
      (
        "look-ups",
        { reader throws(FuseError) in
          for key in Self.sample.keys { _ = try reader.copy(of: key.bytes) }
        }
      ),
      (
        "contains",
        { reader throws(FuseError) in
          for key in Self.sample.keys { _ = try reader.contains(key.bytes) }
        }
      ),
    ]
    for (name, ask) in questions {
      let path = try folder.write(Self.sample.bytes)
      let reader = try FuseReader(path: path)
      Self.cut(path, to: page * Self.pageByteCount)
      let error = failure { try ask(reader) }
      #expect(error.map(Self.isTelling) == true, "\(name)")
      // Where whole pages are gone, no byte of them was taken for the file's.
      #expect(error?.code == .truncated || error?.code == .corrupted, "\(name)")
    }
  }

  @Test func `inside its last page raises no signal, and its answers are the truth or an error [D3] [G4]`() throws {
    let folder = try TemporaryFolder()
    let lastPage = Self.sample.bytes.count / Self.pageByteCount * Self.pageByteCount
    for byteCount in stride(from: Self.sample.bytes.count - 1, to: lastPage, by: -61) {
      for lookups in [FuseReader.ExpectedLookups.many, .few] {
        let path = try folder.write(Self.sample.bytes)
        let reader = try FuseReader(path: path, expecting: lookups)
        Self.cut(path, to: byteCount)
        #expect(Self.complaint(about: reader) == nil, "cut to \(byteCount), \(lookups)")
        #expect(failure { _ = try reader.verify() }?.code == .truncated, "cut to \(byteCount)")
      }
    }
  }

  /// The system fills the rest of such a page with zeros, from the cut to its end: until it is there, the last bytes don't tell.
  @Test func `inside its last page takes no byte from an answer that was begun [M6]`() throws {
    let folder = try TemporaryFolder()
    let page = Self.pageByteCount
    // One page, many, and ends beside a page's: of the second, the last eight bytes begin on the page before the last.
    for byteCount in [9, 300, page, page + 3, page + 8, 2 * page, 2 * page + 7, 5 * page + 1] {
      let bytes = (0..<byteCount).map { UInt8(1 + $0 % 255) }
      let lastPage = max(0, byteCount - 8) / page * page
      for cut in [lastPage, lastPage + 1, (lastPage + byteCount) / 2, byteCount - 1] {
        let path = try folder.write(bytes)
        let mapping = try FileMapping(path: path)
        #expect(mapping.bytes.array() == bytes && mapping.shrunkAt == nil)
        Self.cut(path, to: cut)
        #expect(mapping.bytes.array() == bytes, "\(byteCount) bytes, cut to \(cut)")
        let offset = try #require(mapping.shrunkAt, "\(byteCount) bytes, cut to \(cut)")
        #expect(offset >= max(0, byteCount - 8) && offset < byteCount)
        // What was read in order and let go of comes back, the last page too.
        mapping.dropPages(in: 0..<byteCount)
        #expect(mapping.bytes.array() == bytes)
      }
    }
  }

  @Test func `inside a page of objects is met whatever is asked for [M2] [M3]`() throws {
    let folder = try TemporaryFolder()
    // Short enough to be one page, so that no signal ever comes.
    let mapping = Dictionary(
      uniqueKeysWithValues: (1...9).map { (Key("k\($0)"), [0xA3, 0x61, 0x62, 0x60 + UInt8($0)]) })
    let file = ReferenceFile(canonical: mapping)
    for byteCount in 40..<Int(file.indexOffset) {
      let path = try folder.write(file.bytes)
      let reader = try FuseReader(path: path)
      Self.cut(path, to: byteCount)
      for key in mapping.keys {
        #expect(failure { _ = try reader.copy(of: key.bytes) }?.offset != nil)
        #expect(failure { _ = try reader.contains(key.bytes) }?.offset != nil)
      }
      #expect(failure { _ = try reader.verify() }?.code == .truncated)
      #expect(
        failure {
          var scan = try reader.entries(); while try scan.next() != nil {}
        }?.offset != nil)
    }
  }

  @Test func `is never taken for the absence of a key, whatever tags the zeros have [G3]`() throws {
    let folder = try TemporaryFolder()
    let keys = (0..<250).map { [UInt8](ReferenceFile.big(0x6100 + $0, 2)) }
    let file = ReferenceFile(objects: [[0x01]], keys: keys.map { ($0, 0) })
    #expect(file.bytes.count < Self.pageByteCount)
    let none: [UInt8] = []
    // A zeroed entry is one of the empty key; under some seeds its tag is that of a key that was there.
    while true {
      let path = try folder.write(file.bytes)
      let reader = try FuseReader(path: path)
      let index = try #require(reader.index.memory)
      let seed = index.seed
      let zeros = none.rawSpan.hash(seed: seed)
      guard let key = keys.first(where: { index.isPlausible(zeros, nextTo: $0.rawSpan.hash(seed: seed)) })
      else { continue }
      Self.cut(path, to: 40)
      for key in [key] + keys.prefix(20) {
        #expect(failure { _ = try reader.contains(key) }?.code == .truncated, "key \(key.hex), seed \(seed)")
        #expect(failure { _ = try reader.copy(of: key) }?.code == .truncated, "key \(key.hex), seed \(seed)")
      }
      break
    }
  }

  @Test func `inside a page of keys hands out no key that was not there [G3] [G4]`() throws {
    let folder = try TemporaryFolder()
    let mapping = Dictionary(uniqueKeysWithValues: (1...40).map { (Key("key \($0)"), [0xA1, 0x30 + UInt8($0)]) })
    let file = ReferenceFile(canonical: mapping)
    let keys = mapping.keys.sorted()
    for byteCount in Int(file.indexOffset) - 3..<file.bytes.count {
      let path = try folder.write(file.bytes)
      let reader = try FuseReader(path: path)
      Self.cut(path, to: byteCount)
      for direction in [FuseReader.Direction.ascending, .descending] {
        var found: [Key] = []
        let error = failure {
          var scan = try reader.entries(direction)
          while let entry = try scan.next() { found.append(Key(try entry.key)) }
        }
        let expected = direction == .ascending ? keys : keys.reversed()
        #expect(found == Array(expected.prefix(found.count)), "cut to \(byteCount)")
        #expect(found.count == keys.count || error?.offset != nil, "cut to \(byteCount)")
      }
    }
  }

  @Test(arguments: [FuseReader.ExpectedLookups.many, .few])
  func `inside a page of keys finds no key that was not there [G1] [G3]`(lookups: FuseReader.ExpectedLookups) throws {
    let folder = try TemporaryFolder()
    let keys = (1...40).map { Array("key \($0 + 10)".utf8) }
    let file = ReferenceFile(objects: [[0x01]], keys: keys.map { ($0, 0) })
    // What a key becomes when zeros take the place of its end.
    let absent: [[UInt8]] =
      [[]] + keys.flatMap { key in (0..<6).map { key[..<$0] + [UInt8](repeating: 0, count: 6 - $0) } }
    for byteCount in Int(file.indexOffset) - 3..<file.bytes.count {
      let path = try folder.write(file.bytes)
      let reader = try FuseReader(path: path, expecting: lookups)
      Self.cut(path, to: byteCount)
      for key in absent {
        let found = (try? reader.contains(key)) ?? false
        #expect(!found, "\(key.hex), cut to \(byteCount)")
      }
      for key in keys {
        // A key whose entry is there may be found; one that is not there anymore is an error.
        let isMissed = (try? reader.contains(key)) == false
        #expect(!isMissed, "\(key.hex), cut to \(byteCount)")
      }
    }
  }

  /// The last bytes of the file are what shows a cut that raises no signal.
  @Test func `of a single byte is met by every question [M2] [M3]`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.sample.bytes)
    let reader = try FuseReader(path: path)
    try #require(Self.sample.bytes.last != 0)
    Self.cut(path, to: Self.sample.bytes.count - 1)
    let key = try #require(Self.sample.keys.first)
    #expect(failure { _ = try reader.contains(key.bytes) }?.code == .truncated)
    #expect(failure { _ = try reader.copy(of: key.bytes) }?.code == .truncated)
    #expect(failure { _ = try reader.contains([0x7A, 0x7A]) }?.code == .truncated)
    #expect(failure { _ = try reader.prefix("key") }?.code == .truncated)
    // Nor does it help to put the byte back.
    let descriptor = unsafe open(path, O_WRONLY | O_APPEND)
    try #require(unsafe write(descriptor, [try #require(Self.sample.bytes.last)], 1) == 1)
    close(descriptor)
    try #require(try folder.read("file.fsdb") == Self.sample.bytes)
    #expect(failure { _ = try reader.contains(key.bytes) }?.code == .truncated)
  }

  @Test func `while a closure looks at its bytes ends as an error [M4]`() throws {
    let folder = try TemporaryFolder()
    let key = try #require(Self.sample.keys.last)
    func open() throws -> (String, FuseReader) {
      let path = try folder.write(Self.sample.bytes)
      return (path, try FuseReader(path: path))
    }
    do {
      let (path, reader) = try open()
      let error = failure {
        _ = try reader.withBytes(forKey: key.bytes) { bytes in
          Self.cut(path, to: 0)
          #expect(bytes.byte(at: 100) == 0)
        }
      }
      #expect(error?.code == .truncated)
    }
    do {
      let (path, reader) = try open()
      var scan = try reader.entries()
      // Of the last page there is a copy.
      try scan.skip(Self.sample.keys.count / 2)
      let entry = try #require(try scan.next())
      let error = failure {
        let bytes = try entry.keyBytes
        Self.cut(path, to: 0)
        #expect(bytes.byte(at: 0) == 0)
        try reader.checkNotShrunk()
      }
      #expect(error?.code == .truncated)
      #expect(failure { _ = try entry.key } == error)
      #expect(failure { _ = try entry.bytes.array() } == error)
    }
    do {
      let (path, reader) = try open()
      var scan = reader.objects()
      let object = try #require(try scan.next())
      let error = failure {
        let bytes = try object.bytes
        Self.cut(path, to: 0)
        #expect(bytes.byte(at: 0) == 0)
        try reader.checkNotShrunk()
      }
      #expect(error?.code == .truncated)
      #expect(failure { _ = try object.bytes.array() } == error)
    }
  }

  @Test func `while it is verified ends verification with an error [P5]`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.sample.bytes)
    let error = failure {
      _ = try FuseReader.verify(path: path, progress: { _ in Self.cut(path, to: Self.pageByteCount) })
    }
    #expect(error?.code == .truncated)
    #expect(error?.path == path)
    #expect(try #require(error?.offset) >= Self.pageByteCount)
  }

  @Test func `is refused when it is opened anew, and taken when it is whole again`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.sample.bytes)
    let reader = try FuseReader(path: path)
    Self.cut(path, to: Self.pageByteCount)
    #expect(failure { _ = try reader.statistics() }?.code == .truncated)
    #expect(failure { _ = try FuseReader(path: path) }?.offset != nil)
    try folder.write(Self.sample.bytes)
    let again = try FuseReader(path: path)
    #expect(Self.complaint(about: again) == nil)
    #expect(try again.verify().isSound)
    #expect(failure { _ = try reader.statistics() }?.code == .truncated)
  }

  @Test func `by another thread gives every thread the truth or an error [M2] [M4]`() throws {
    let folder = try TemporaryFolder()
    let complaints = Mutex<[String]>([])
    for round in 0..<6 {
      let path = try folder.write(Self.sample.bytes)
      let reader = try FuseReader(path: path)
      DispatchQueue.concurrentPerform(iterations: 4) { thread in
        if thread == 0 {
          for page in Self.pages.reversed() { Self.cut(path, to: page * Self.pageByteCount) }
        } else if let complaint = Self.complaint(about: reader) {
          complaints.withLock { $0.append("round \(round), thread \(thread): \(complaint)") }
        }
      }
      #expect(failure { _ = try reader.statistics() }?.code == .truncated)
    }
    #expect(complaints.withLock { $0 } == [])
  }

  @Test func `leaves the readers of other files, and of the same file replaced, as they were [M1]`() throws {
    let folder = try TemporaryFolder()
    let old = try FuseReader(path: folder.write(Self.sample.bytes))
    let other = try FuseReader(path: folder.write(Self.sample.bytes, as: "other.fsdb"))
    // The same name, another file.
    let path = try folder.write(Self.sample.bytes)
    let victim = try FuseReader(path: path)
    Self.cut(path, to: 0)
    #expect(failure { _ = try victim.statistics() }?.code == .truncated)
    for reader in [old, other] {
      #expect(Self.complaint(about: reader) == nil)
      #expect(try reader.verify().isSound)
      try reader.checkNotShrunk()
    }
  }

  @Test func `marks its reader alone, however many come and go`() throws {
    let folder = try TemporaryFolder()
    for _ in 0..<50 {
      let paths = try (0..<4).map { try folder.write(Self.sample.bytes, as: "\($0).fsdb") }
      let readers = try paths.map { path in try FuseReader(path: path) }
      Self.cut(paths[1], to: 0)
      Self.cut(paths[3], to: Self.pageByteCount)
      let codes = readers.map { reader in failure { _ = try reader.statistics() }?.code }
      #expect(codes == [nil, .truncated, nil, .truncated])
    }
  }
}
