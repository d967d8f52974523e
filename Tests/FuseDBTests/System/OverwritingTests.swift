import Foundation
import Glibc
import Synchronization
import Testing

import FuseDB

@testable import FuseDBSystem

/// A file into which another one of the same length is written, without being renamed. spec/format.md §9
struct `A file that is overwritten by one of equal length while it is open` {
  /// Two files of one length and with the same keys, and other objects under them; or some more, up to ten.
  struct Pair {
    let layout: FuseWriter.Layout
    let bytes: [[UInt8]]

    static let keys = (0..<400).map { Array("key \(1000 + $0)".utf8) }
    static let absent = (0..<100).map { Array("none \($0)".utf8) }

    init(_ layout: FuseWriter.Layout, count: Int = 2) {
      self.layout = layout
      bytes = (0..<count).map { number in
        let mapping = Self.keys.enumerated().map { place, key in (Key(key), Self.object(number, place)) }
        let file = ReferenceFile(canonical: Dictionary(uniqueKeysWithValues: mapping))
        return layout == .plain ? file.bytes : file.bytes(.indexed)
      }
    }

    /// A map with one member, of which a text is the value, that says of which file it is.
    static func object(_ number: Int, _ place: Int) -> [UInt8] {
      [0x81, 0xA1, 0x76, 0xB8] + Array("file \(number) key \(1000 + place) ........".utf8.prefix(24))
    }

    /// The number of the file that an object is of.
    static func number(of object: [UInt8]) -> UInt8? { object.count == 28 ? object[9] - UInt8(ascii: "0") : nil }
  }

  struct Text: Decodable { var v: String }

  /// How the second file gets where the first one is.
  enum Way: CaseIterable {
    /// As `cp` does it: the file has no bytes, and then gets new ones.
    case cutAndWritten
    /// As `dd conv=notrunc` does it, from the start. The header is a write of its own, for within one write the system
    /// promises no order.
    case writtenOver
    /// Nothing but the start has been written yet.
    case startWrittenOver
    /// Through a mapping.
    case mappedOver
    /// It has become shorter and longer again before.
    case cutAndGrown

    func write(_ bytes: [UInt8], into path: String) throws {
      let descriptor = unsafe open(path, O_RDWR | (self == .cutAndWritten ? O_TRUNC : 0))
      defer { close(descriptor) }
      switch self {
      case .cutAndWritten, .writtenOver:
        for start in [0] + stride(from: 40, to: bytes.count, by: 5000) {
          let part = Array(bytes[start..<(start == 0 ? 40 : min(bytes.count, start + 5000))])
          try succeed(unsafe pwrite(descriptor, part, part.count, start) == part.count ? 0 : -1)
        }
      case .startWrittenOver:
        try succeed(unsafe pwrite(descriptor, bytes, 4096, 0) == 4096 ? 0 : -1)
      case .mappedOver:
        let place = unsafe mmap(nil, bytes.count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let place = unsafe place, unsafe place != MAP_FAILED else { throw CallFailure(errno: errno) }
        unsafe place.copyMemory(from: bytes, byteCount: bytes.count)
        unsafe munmap(place, bytes.count)
      case .cutAndGrown:
        try succeed(ftruncate(descriptor, off_t(bytes.count / 3)))
        try succeed(ftruncate(descriptor, off_t(bytes.count)))
        try succeed(unsafe pwrite(descriptor, bytes, bytes.count, 0) == bytes.count ? 0 : -1)
      }
    }
  }

  /// Every kind of question.
  static let questions: [(name: String, ask: @Sendable (FuseReader) throws -> Void)] = [
    ("bytes", { reader in _ = try reader.bytes(forKey: Pair.keys[7]) }),
    ("withBytes", { reader in _ = try reader.withBytes(forKey: Pair.keys[7]) { $0.byteCount } }),
    ("absent key", { reader in _ = try reader.bytes(forKey: Pair.absent[7]) }),
    ("contains", { reader in _ = try reader.contains(Pair.keys[7]) }),
    ("contains, absent key", { reader in _ = try reader.contains(Pair.absent[7]) }),
    ("batch", { reader in try reader.withBytes(forKeys: Pair.keys) { _, _ in } }),
    ("batch of absent keys", { reader in try reader.withBytes(forKeys: Pair.absent) { _, _ in } }),
    ("contains, batch", { reader in _ = try reader.contains(keys: Pair.keys) }),
    ("view", { reader in _ = try reader.view(forKey: Pair.keys[7]) }),
    ("withValue", { reader in _ = try reader.withValue(forKey: Pair.keys[7]) { $0["v"]?.string } }),
    ("withValues", { reader in try reader.withValues(forKeys: Pair.keys) { _, _ in } }),
    ("value", { reader in _ = try reader.value(Text.self, forKey: Pair.keys[7]) }),
    ("values", { reader in _ = try reader.values(Text.self, forKeys: Pair.keys) }),
    ("table", { reader in _ = try FuseTable<[UInt8], Text>(reader)[Pair.keys[7]] }),
    (
      "table's rows",
      { reader in
        var rows = try FuseTable<[UInt8], Text>(reader).rows()
        _ = try rows.next()
      }
    ),
    (
      "scan",
      { reader in
        var scan = try reader.entries()
        _ = try scan.next()
      }
    ),
    (
      "descending scan",
      { reader in
        var scan = try reader.entries(.descending)
        _ = try scan.next()
      }
    ),
    (
      "prefix",
      { reader in
        var scan = try reader.prefix("key 10")
        _ = try scan.next()
      }
    ),
    (
      "objects",
      { reader in
        var scan = reader.objects()
        _ = try scan.next()
      }
    ),
    ("differences", { reader in _ = try reader.differences(from: reader) }),
    ("statistics", { reader in _ = try reader.statistics() }),
    ("verify", { reader in _ = try reader.verify() }),
    ("check", { reader in try reader.checkNotShrunk() }),
  ]

  @Test(arguments: Way.allCases, [FuseWriter.Layout.indexed, .plain])
  func `is an error, whatever is asked for first, and stays one [M2] [M3]`(way: Way, layout: FuseWriter.Layout) throws {
    let pair = Pair(layout)
    try #require(pair.bytes[0].count == pair.bytes[1].count)
    let folder = try TemporaryFolder()
    for (name, ask) in Self.questions {
      for checksums in [FuseReader.Checksums.verified, .skipped] {
        let path = try folder.write(pair.bytes[0])
        let reader = try FuseReader(path: path, checksums: checksums)
        try ask(reader)
        try way.write(pair.bytes[1], into: path)
        let error = try #require(failure { try ask(reader) }, "\(name), \(checksums)")
        #expect(error.code == .truncated, "\(name), \(checksums): \(error)")
        #expect(error.path == path && error.offset != nil, "\(name), \(checksums): \(error)")
        // Nor does it help to put the bytes back.
        try way.write(pair.bytes[0], into: path)
        for (name, ask) in Self.questions { #expect(failure { try ask(reader) } == error, "\(name), \(checksums)") }
        if way != .startWrittenOver { try FuseReader(path: path).checkNotShrunk() }
      }
    }
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `is an error for what was handed out before, and for a closure that looks at it [M4]`(
    layout: FuseWriter.Layout
  ) throws {
    let pair = Pair(layout)
    let folder = try TemporaryFolder()
    func overwritten(_ ask: (FuseReader, () throws -> Void) throws -> Void) throws -> FuseError? {
      let path = try folder.write(pair.bytes[0])
      let reader = try FuseReader(path: path)
      return failure { try ask(reader) { try Way.writtenOver.write(pair.bytes[1], into: path) } }
    }
    let errors = [
      try overwritten { reader, write in _ = try reader.withBytes(forKey: Pair.keys[7]) { _ in try write() } },
      try overwritten { reader, write in _ = try reader.withValue(forKey: Pair.keys[7]) { _ in try write() } },
      try overwritten { reader, write in
        try reader.withBytes(forKeys: Pair.keys) { number, _ in if number == Pair.keys.count - 1 { try write() } }
      },
      try overwritten { reader, write in
        var scan = try reader.entries()
        let entry = try #require(try scan.next())
        try write()
        _ = try entry.key
      },
      try overwritten { reader, write in
        var scan = try reader.entries()
        let entry = try #require(try scan.next())
        try write()
        _ = try entry.bytes
      },
      try overwritten { reader, write in
        var scan = reader.objects()
        let object = try #require(try scan.next())
        try write()
        _ = try object.bytes
      },
    ]
    #expect(errors.map { $0?.code } == errors.map { _ in .truncated })
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `is an error of a store's look-ups, until the store takes the new file`(layout: FuseWriter.Layout) throws {
    let pair = Pair(layout)
    let folder = try TemporaryFolder()
    for makeStore in [
      { path in try ReloadableReader(path: path) as any Reloadable }, { path in try FusePool(path: path, size: 2) },
    ] as [(String) throws -> any Reloadable] {
      let path = try folder.write(pair.bytes[0])
      let store = try makeStore(path)
      let snapshot = store.snapshot()
      try Way.writtenOver.write(pair.bytes[1], into: path)
      #expect(failure { _ = try store.withBytes(forKey: Pair.keys[7]) { $0.byteCount } }?.code == .truncated)
      #expect(failure { _ = try store.contains(Pair.absent[7]) }?.code == .truncated)
      #expect(failure { _ = try store.value(Text.self, forKey: Pair.keys[7]) }?.code == .truncated)
      #expect(try store.reloadIfChanged())
      #expect(try store.withBytes(forKey: Pair.keys[7]) { Pair.number(of: $0.array()) } == 1)
      #expect(failure { try snapshot.checkNotShrunk() }?.code == .truncated)
    }
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `is an error of a reader of a descriptor, and none of a copy`(layout: FuseWriter.Layout) throws {
    let pair = Pair(layout)
    let folder = try TemporaryFolder()
    for way in Way.allCases {
      let path = try folder.write(pair.bytes[0])
      let descriptor = try OwnedDescriptor(reading: path)
      let reader = try FuseReader(descriptor: descriptor.number)
      let copy = try FuseReader(descriptor: descriptor.number, access: .copied)
      let answers = try Answers.of(copy, asking: (Pair.keys + Pair.absent).map { Key($0) })
      try way.write(pair.bytes[1], into: path)
      #expect(failure { _ = try reader.contains(Pair.keys[7]) }?.code == .truncated, "\(way)")
      #expect(try Answers.of(copy, asking: (Pair.keys + Pair.absent).map { Key($0) }) == answers, "\(way)")
    }
  }

  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `ends what reads all of it with an error, and nothing is written`(layout: FuseWriter.Layout) throws {
    let pair = Pair(layout)
    let folder = try TemporaryFolder()
    let output = folder.path("output.fsdb")
    func overwritten(_ work: (_ path: String, _ write: @Sendable @escaping () -> Void) throws -> Void) throws
      -> FuseError?
    {
      let path = try folder.write(pair.bytes[0])
      return failure { try work(path) { try? Way.writtenOver.write(pair.bytes[1], into: path) } }
    }
    let errors = [
      try overwritten { path, write in _ = try FuseReader.verify(path: path, progress: { _ in write() }) },
      try overwritten { path, write in _ = try FuseWriter.reindex(path) { _ in write() } },
      try overwritten { path, write in
        let other = try folder.write(pair.bytes[1], as: "other.fsdb")
        defer { try? folder.remove("other.fsdb") }
        var options = MergeOptions()
        options.onConflict = .combine { _, _, _ in
          write()
          return .first
        }
        _ = try FuseWriter.merge([path, other], to: output, options: options)
      },
      try overwritten { path, write in
        let reader = try FuseReader(path: path)
        write()
        _ = try FusePatch.make(from: reader, to: reader, at: output)
      },
    ]
    #expect(errors.map { $0 == nil } == errors.map { _ in false })
    #expect(errors.allSatisfy { $0?.code == .truncated || $0?.code == .corrupted })
    #expect(try folder.read("file.fsdb") == pair.bytes[1])
    #expect(try folder.names.filter { $0.hasPrefix("output") } == [])
  }

  /// Somebody writes one file and then another, over and over, in all ways; each reader answers from one file. A file that comes back
  /// while a reader of it is asked is none that a plain one can tell from one that stayed: so ten take turns.
  @Test(arguments: [FuseWriter.Layout.indexed, .plain])
  func `gives each reader the answers of one file, or errors`(layout: FuseWriter.Layout) throws {
    let pair = Pair(layout, count: 10)
    let folder = try TemporaryFolder()
    let path = try folder.write(pair.bytes[0])
    let isOver = Atomic(false)
    let complaints = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 3) { thread in
      if thread == 0 {
        for round in 1...600 {
          let way = [Way.cutAndWritten, .writtenOver, .cutAndGrown][round / 2 % 3]
          try? way.write(pair.bytes[round % 10], into: path)
        }
        isOver.store(true, ordering: .relaxed)
        return
      }
      while !isOver.load(ordering: .relaxed) {
        let access: FuseAccess = thread == 1 ? .mapped : .copied
        guard let reader = try? FuseReader(path: path, access: access) else { continue }
        var numbers: Set<UInt8?> = []
        for key in Pair.keys {
          guard let object = try? reader.object(of: key) else { break }
          numbers.insert(Pair.number(of: object))
        }
        if numbers.count > 1 { complaints.withLock { $0.append("thread \(thread): files \(numbers)") } }
      }
    }
    #expect(complaints.withLock { $0 } == [])
  }
  /// Somebody writes rising numbers into all pages, from the first to the last, through a mapping that has them already: no
  /// time is noted then, just as where the clock has not moved. At any moment no page has a greater number than the one
  /// before it.
  @Test func `is copied as it was at some moment, or not at all, also where its times don't tell`() throws {
    let (pageCount, pageByteCount) = (500, 4096)
    let folder = try TemporaryFolder()
    let path = try folder.write([UInt8](repeating: 0, count: pageCount * pageByteCount))
    let descriptor = unsafe open(path, O_RDWR)
    defer { close(descriptor) }
    let mapped = unsafe mmap(nil, pageCount * pageByteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { throw CallFailure(errno: errno) }
    defer { unsafe munmap(mapped, pageCount * pageByteCount) }
    let isOver = Atomic(false)
    // SAFETY: the thread ends before the mapping does, and writes inside it.
    nonisolated(unsafe) let pages = unsafe mapped
    let writing = BackgroundWork(isWorthThread: true) {
      var number = 0
      while !isOver.load(ordering: .relaxed) {
        number += 1
        for page in 0..<pageCount {
          unsafe pages.storeBytes(of: number.bigEndian, toByteOffset: page * pageByteCount, as: Int.self)
          atomicMemoryFence(ordering: .releasing)
        }
      }
    }
    var (refusalCount, mixed) = (0, nil as [Int]?)
    for _ in 0..<100_000 where refusalCount < 30 && mixed == nil {
      try succeed(futimens(descriptor, nil))
      do throws(FuseError) {
        let copy = try FileMapping(path: path, access: .copied)
        let numbers = (0..<pageCount).map { copy.bytes.loadInside(at: $0 * pageByteCount, as: Int.self) }
        // Of a file that was not written just now, its times tell.
        let isPromised = FileStamp(of: descriptor)?.isRecent ?? false
        if isPromised, zip(numbers, numbers.dropFirst()).contains(where: { $0 < $1 }) { mixed = numbers }
      } catch {
        #expect(error.code == .truncated)
        refusalCount += 1
      }
    }
    isOver.store(true, ordering: .relaxed)
    writing.wait()
    #expect(mixed == nil)
    #expect(refusalCount > 0)
  }
}
