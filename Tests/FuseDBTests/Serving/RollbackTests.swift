import Glibc
import Testing

import FuseDB

struct `Going back` {
  /// A store that has had the files 1 to `last`.
  private static func bench(
    _ kind: ServingBench.Kind = .reader, keeping keptFileCount: Int, last: UInt8
  ) throws -> ServingBench {
    let bench = try ServingBench(kind) { $0.keptFileCount = keptFileCount }
    for number in 2..<max(3, last + 1) where number <= last {
      try bench.put(ServingBench.file(number))
      try bench.store.reload()
    }
    return bench
  }

  @Test(arguments: [0, 1, 3], ServingBench.Kind.allCases)
  func `leads to as many files as were kept, each mapped for as long`(
    keptFileCount: Int, kind: ServingBench.Kind
  ) throws {
    let bench = try Self.bench(kind, keeping: keptFileCount, last: 6)
    let mappingsOfOne = kind == .pool ? 3 : 1
    #expect(bench.mappingCount == mappingsOfOne * (1 + keptFileCount))
    for step in 0..<keptFileCount {
      try bench.store.rollback()
      #expect(try bench.said == [5 - step])
      // It never goes back.
      #expect(bench.store.generation == 7 + step)
      #expect(bench.mappingCount == mappingsOfOne * (keptFileCount - step))
    }
    let error = try #require(failure { try bench.store.rollback() })
    #expect(error.code == .notFound)
    #expect(error.message.contains("'keptFileCount' of the options says how many are kept, now \(keptFileCount)"))
    #expect(error.path == bench.path)
    #expect(try bench.said == [6 - keptFileCount])
    #expect(bench.store.generation == 6 + keptFileCount)
    #expect(bench.store.counters.reloadCount == 5 + keptFileCount)
    // No file was refused.
    #expect(bench.store.counters.refusalCount == 0)
  }

  @Test func `leaves alone what was gone back from, until it changes`() throws {
    let bench = try Self.bench(keeping: 2, last: 3)
    try bench.store.rollback()
    for _ in 0..<3 { #expect(try !bench.store.reloadIfChanged()) }
    try bench.store.rollback()
    #expect(try !bench.store.reloadIfChanged())
    #expect(try bench.said == [1])
    // Who insists gets it.
    try bench.store.reload()
    #expect(try bench.said == [3])
    try bench.store.rollback()
    #expect(try bench.said == [1])
    #expect(try !bench.store.reloadIfChanged())
    try bench.put(ServingBench.file(4))
    #expect(try bench.store.reloadIfChanged())
    #expect(try bench.said == [4])
    #expect(bench.store.generation == 8)
  }

  @Test func `leaves alone what was gone back from when it gets another name or other rights`() throws {
    let bench = try Self.bench(keeping: 1, last: 2)
    try bench.store.rollback()
    let before = FileIdentity(path: bench.path)
    #expect(unsafe link(bench.path, bench.path + ".link") == 0)
    #expect(unsafe chmod(bench.path, 0o600) == 0)
    #expect(unsafe rename(bench.path, bench.path + ".away") == 0)
    #expect(unsafe rename(bench.path + ".away", bench.path) == 0)
    // The change can be seen.
    #expect(FileIdentity(path: bench.path) != before)
    #expect(try !bench.store.reloadIfChanged())
    #expect(try bench.said == [1])
    // What is written into it makes it another file.
    try bench.put(ServingBench.file(2))
    #expect(try bench.store.reloadIfChanged())
    #expect(try bench.said == [2])
  }

  @Test func `leaves alone a file that was refused before, too`() throws {
    let bench = try Self.bench(keeping: 1, last: 2)
    try bench.put([1, 2, 3])
    #expect(failure { try bench.store.reloadIfChanged() } != nil)
    try bench.store.rollback()
    #expect(try !bench.store.reloadIfChanged())
    #expect(bench.store.counters.refusalCount == 1)
    #expect(try bench.said == [1])
  }

  @Test func `leaves alone what was gone back from when nothing could be opened between`() throws {
    let bench = try Self.bench(keeping: 1, last: 2)
    try bench.store.rollback()
    let served = bench.folder.path("served")
    // A name of a folder above changes nothing of the file.
    try #require(rename(served, to: served + ".away") == 0)
    #expect(failure { try bench.store.reloadIfChanged() }?.code == .notFound)
    try #require(rename(served + ".away", to: served) == 0)
    #expect(try !bench.store.reloadIfChanged())
    #expect(try bench.said == [1])
  }

  @Test func `leads to the path of the file, too`() throws {
    let bench = try Self.bench(keeping: 3, last: 1)
    let other = bench.folder.path("other.fsdb")
    try bench.folder.write(ServingBench.file(2), as: "other.fsdb")
    try bench.store.swap(to: other)
    #expect(bench.store.path == other)
    try bench.put(ServingBench.file(3))
    try bench.store.swap(to: bench.path)
    #expect(bench.store.path == bench.path)
    try bench.store.rollback()
    #expect(bench.store.path == other)
    #expect(try bench.said == [2])
    #expect(try !bench.store.reloadIfChanged())
    try bench.store.rollback()
    #expect(bench.store.path == bench.path)
    #expect(try bench.said == [1])
    // File 3 is what was gone back from, two steps ago.
    #expect(try !bench.store.reloadIfChanged())
    try bench.put(ServingBench.file(4))
    #expect(try bench.store.reloadIfChanged())
    #expect(try bench.said == [4])
  }

  @Test func `takes what came to the path while another was served`() throws {
    let bench = try Self.bench(keeping: 1, last: 1)
    try bench.folder.write(ServingBench.file(2), as: "other.fsdb")
    try bench.store.swap(to: bench.folder.path("other.fsdb"))
    try bench.put(ServingBench.file(3))
    try bench.store.rollback()
    #expect(try bench.said == [1])
    #expect(try bench.store.reloadIfChanged())
    #expect(try bench.said == [3])
  }

  @Test func `does not disturb a snapshot, which keeps its file after it was dropped`() throws {
    let bench = try Self.bench(keeping: 1, last: 2)
    var view: FuseReader? = bench.store.snapshot()
    try bench.store.rollback()
    #expect(bench.mappingCount == 2)
    #expect(try view.map(ServingBench.says) == 2)
    #expect(view?.generation == 2)
    view = nil
    #expect(bench.mappingCount == 1)
  }

  @Test func `can keep no fewer than no file`() async {
    await #expect(processExitsWith: .failure) { _ = try ServingBench { $0.keptFileCount = -1 } }
  }
}

struct `A swap to another path` {
  @Test(arguments: ServingBench.Kind.allCases)
  func `takes files from there from now on`(kind: ServingBench.Kind) throws {
    let bench = try ServingBench(kind)
    let other = try bench.folder.write(ServingBench.file(2), as: "other.fsdb")
    try bench.store.swap(to: other)
    #expect(bench.store.path == other)
    #expect(try bench.said == [2])
    #expect(try !bench.store.reloadIfChanged())
    try bench.put(ServingBench.file(3))
    #expect(try !bench.store.reloadIfChanged())
    try bench.folder.write(ServingBench.file(4), as: "other.fsdb")
    #expect(try bench.store.reloadIfChanged())
    #expect(try bench.said == [4])
  }

  @Test(arguments: ServingBench.Kind.allCases)
  func `that fails changes nothing but the count`(kind: ServingBench.Kind) throws {
    let bench = try ServingBench(kind) { $0.rules.requiredKeys = [Array("key 39".utf8)] }
    try bench.folder.write(ServingBench.file(2, keyCount: 39), as: "other.fsdb")
    try bench.folder.write([0], as: "cut.fsdb")
    for (name, code) in [("other.fsdb", FuseError.Code.refused), ("none", .notFound), ("cut.fsdb", .truncated)] {
      let error = failure { try bench.store.swap(to: bench.folder.path(name)) }
      #expect(error?.code == code)
      #expect(error?.path == bench.folder.path(name))
      #expect(bench.store.counters.lastError == error)
      #expect(bench.store.path == bench.path)
      #expect(try bench.said == [1])
      #expect(bench.store.generation == 1)
      #expect(try !bench.store.reloadIfChanged())
    }
    #expect((bench.store.counters.refusalCount, bench.store.counters.reloadCount) == (3, 0))
    #expect(bench.mappingCount == (kind == .pool ? 3 : 1))
    try bench.put(ServingBench.file(5))
    #expect(try bench.store.reloadIfChanged())
    #expect(try bench.said == [5])
  }

  @Test func `that is abandoned changes nothing, and the file is looked at again`() throws {
    let bench = try ServingBench { $0.keptFileCount = 1 }
    try bench.put(ServingBench.file(2))
    for _ in 0..<3 {
      #expect(try !bench.store.reloadIfChanged(unless: { true }))
      #expect(try bench.said == [1])
      #expect((bench.store.generation, bench.store.counters.reloadCount) == (1, 0))
      #expect(bench.mappingCount == 1)
    }
    #expect(failure { try bench.store.rollback() }?.code == .notFound)
    #expect(try bench.store.reloadIfChanged(unless: { false }))
    #expect(try bench.said == [2])
    // Nobody is asked about a file that is known, or refused.
    var isAsked = false
    func ask() -> Bool {
      isAsked = true
      return false
    }
    #expect(try !bench.store.reloadIfChanged(unless: ask))
    try bench.put([0])
    #expect(failure { _ = try bench.store.reloadIfChanged(unless: ask) } != nil)
    #expect(!isAsked)
  }
}
