import Testing

import FuseDB

@testable import FuseDBServing

/// When the mapping of a replaced file goes, by what the system says of this process.
struct MappingLifetimeTests {
  enum Kind: CaseIterable { case reader, readerThatFences, pool, poolThatFences }

  /// How many mappings a store of a kind has of one file.
  static func mappingCount(_ kind: Kind) -> Int { kind == .pool || kind == .poolThatFences ? 3 : 1 }

  static func store(_ kind: Kind, at path: String) throws -> any Reloadable {
    let options = ServingOptions()
    switch kind {
    case .reader: return try ReloadableReader(path: path, options: options)
    case .readerThatFences: return try ReloadableReader(path: path, options: options, readersFence: true)
    case .pool: return try FusePool(path: path, size: 3, options: options)
    case .poolThatFences: return try FusePool(path: path, size: 3, options: options, readersFence: true)
    }
  }

  /// A folder with two files, each with one key that says which file it is.
  final class Files: Sendable {
    let folder: TemporaryFolder
    var paths: [String] { [folder.path("1.fsdb"), folder.path("2.fsdb")] }

    init() throws {
      folder = try TemporaryFolder()
      for (number, path) in paths.enumerated() { try ReloadableReaderTests.build(path, saying: UInt8(number + 1)) }
    }

    /// How many mappings this process has of each.
    var mappingCounts: [Int] {
      let lines = String(decoding: procFile("maps"), as: UTF8.self).split(separator: "\n")
      // The system spells paths its own way, and adds words to that of a file that is gone.
      let names = paths.map { $0.split(separator: "/").suffix(2).joined(separator: "/") }
      return names.map { name in lines.count { $0.contains(name) } }
    }
  }

  static func answer(_ reader: FuseReader) throws -> UInt8? { try reader.withBytes(forKey: "key") { $0.byte(at: 0) } }

  @Test(arguments: Kind.allCases)
  func `a file stays mapped while another thread reads it, and is unmapped as that ends`(kind: Kind) throws {
    let files = try Files()
    let count = Self.mappingCount(kind)
    do {
      let store = try Self.store(kind, at: files.paths[0])
      let (isInside, mayLeave) = (Gate(), Gate())
      let work = BackgroundWork(isWorthThread: true) {
        let answer = store.withReader { reader in
          isInside.open()
          mayLeave.wait()
          return try? Self.answer(reader)
        }
        return (answer: answer, mappingCounts: files.mappingCounts)
      }
      isInside.wait()
      try store.swap(to: files.paths[1])
      #expect(try store.withReader(Self.answer) == 2)
      #expect(files.mappingCounts == [count, count])
      mayLeave.open()
      let (answer, mappingCounts) = work.wait()
      #expect(answer == 1)
      #expect(mappingCounts == [0, count])
      withExtendedLifetime(store) {}
    }
    #expect(files.mappingCounts == [0, 0])
  }

  @Test(arguments: Kind.allCases)
  func `a body may replace the file that it reads, at any depth`(kind: Kind) throws {
    let files = try Files()
    let count = Self.mappingCount(kind)
    let store = try Self.store(kind, at: files.paths[0])
    func descend(_ depth: Int) throws {
      let mine = UInt8(1 + depth % 2)
      try store.withReader { reader in
        #expect(try Self.answer(reader) == mine)
        #expect(reader.generation == 1 + depth)
        if depth < 12 {
          try store.swap(to: files.paths[(depth + 1) % 2])
          try descend(depth + 1)
        }
        #expect(try Self.answer(reader) == mine)
        #expect(reader.generation == 1 + depth)
      }
      // Those of the levels above, the one that was swapped in last, and none of those below.
      #expect(files.mappingCounts.reduce(0, +) <= count * (depth + 1))
    }
    try descend(0)
    #expect(files.mappingCounts == [count, 0])
  }

  @Test(arguments: Kind.allCases)
  func `a body that throws has left`(kind: Kind) throws {
    struct Intended: Error, Equatable {}
    let files = try Files()
    let store = try Self.store(kind, at: files.paths[0])
    for number in 1...20 {
      #expect(throws: Intended()) {
        try store.withReader { (_) throws(Intended) in
          do { try store.swap(to: files.paths[number % 2]) } catch { Issue.record(error) }
          throw Intended()
        }
      }
      #expect(files.mappingCounts.reduce(0, +) == Self.mappingCount(kind))
    }
    withExtendedLifetime(store) {}
  }

  @Test(arguments: Kind.allCases)
  func `what escapes keeps the file: a snapshot, a reader, a scan`(kind: Kind) throws {
    let files = try Files()
    let store = try Self.store(kind, at: files.paths[0])
    let count = Self.mappingCount(kind)
    var views = [store.snapshot(), store.withReader { $0 }, store.withReader { Optional($0)! }]
    var scans = [try store.prefix("k")]
    try store.swap(to: files.paths[1])
    // Of a pool, it is this thread's member.
    #expect(files.mappingCounts == [1, count])
    for view in views {
      #expect(try Self.answer(view) == 1)
      #expect(view.generation == 1)
    }
    views = []
    #expect(files.mappingCounts == [1, count])
    let entry = try scans[0].next()
    scans = []
    #expect(try entry?.bytes.byte(at: 0) == 1)
    #expect(files.mappingCounts == [1, count])
    withExtendedLifetime(entry) {}
  }

  @Test func `the members of a pool are released together, and their sizes count together`() throws {
    let files = try Files()
    let reader = try FuseReader(path: files.paths[0])
    #expect(PoolMembers([reader, reader, reader]).byteCount == 3 * reader.byteCount)
  }
}
