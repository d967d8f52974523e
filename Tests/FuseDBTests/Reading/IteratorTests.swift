import FuseDB
import ProgramSupport
import Testing

/// An error of the caller's own.
private struct Enough: Error, Equatable {}

struct `What goes through elements that may fail` {
  /// A reader over so many keys, "key 0" and so on, by tens under one object.
  static func reader(_ keyCount: Int, in folder: TemporaryFolder) throws -> FuseReader {
    let writer = FuseWriter()
    let objects = try (0..<max(1, keyCount / 10)).map { try writer.addObject(FuseEncoder().encode($0)) }
    for number in 0..<keyCount { try writer.addKey("key \(number)", for: objects[number % objects.count]) }
    let path = folder.path("iterated.fsdb")
    try writer.build(to: path)
    return try FuseReader(path: path)
  }

  @Test(arguments: [0, 1, 40]) func `calls a body with each element that is left`(count: Int) throws {
    let folder = try TemporaryFolder()
    var scan = try Self.reader(count, in: folder).entries()
    let expected = try scan.copyOfKeys()
    if count > 0 { _ = try scan.next() }
    var keys: [[UInt8]] = []
    try scan.forEach { keys.append(try $0.key) }
    #expect(keys == Array(expected.dropFirst()))
    // It stays where it was.
    #expect(scan.count == expected.dropFirst().count)
  }

  @Test func `ends when the body says so, or throws`() throws {
    let folder = try TemporaryFolder()
    let reader = try Self.reader(40, in: folder)
    var calls = 0
    try reader.entries().forEach { _, isDone in
      calls += 1
      isDone = calls == 3
    }
    #expect(calls == 3)
    #expect(throws: Enough()) { try reader.objects().forEach { _ in throw Enough() } }
    #expect(throws: Enough()) { try reader.objects().forEach { _, _ in throw Enough() } }
    do throws(FuseError) {
      try reader.entries().forEach { (_) throws(FuseError) in throw FuseError(.refused, "enough") }
    } catch { #expect(error.message == "enough") }
    do throws(FuseError) {
      try reader.entries().forEach { (_, _) throws(FuseError) in throw FuseError(.refused, "enough") }
    } catch { #expect(error.message == "enough") }
  }

  @Test func `gives pages, the last of which is shorter, and then empty ones`() throws {
    let folder = try TemporaryFolder()
    var scan = try Self.reader(10, in: folder).entries()
    #expect(try scan.next(0).isEmpty)
    #expect(try scan.next(4).map { try $0.key } == (0..<4).map { Array("key \($0)".utf8) })
    #expect(try scan.next(4).count == 4)
    #expect(try scan.next(4).count == 2)
    #expect(try scan.next(4).isEmpty)
  }

  @Test(arguments: [0, 1, 31, 32, 33, 5_000]) func `gives the same to a task, whatever the count [G4]`(count: Int)
    async throws
  {
    let folder = try TemporaryFolder()
    let reader = try Self.reader(count, in: folder)
    var scan = try reader.entries(.descending)
    let expected = try scan.copyOfKeys()
    if count > 0 { _ = try scan.next() }
    var keys: [[UInt8]] = []
    for try await entry in scan.async { keys.append(try entry.key) }
    #expect(keys == Array(expected.dropFirst()))
    var objectCount = 0
    for try await object in reader.objects().async { objectCount += try object.bytes.byteCount > 0 ? 1 : 0 }
    #expect(try objectCount == reader.statistics().objectCount)
    var rowCount = 0
    for try await (key, value) in try FuseTable<String, Int>(reader).rows().async where key != "" && value >= 0 {
      rowCount += 1
    }
    #expect(rowCount == count)
  }

  @Test func `keeps the file for a task, also where another takes its place`() async throws {
    let folder = try TemporaryFolder()
    _ = try Self.reader(3_000, in: folder)
    let path = folder.path("iterated.fsdb")
    var store: ReloadableReader? = try ReloadableReader(path: path)
    var iterator = try store!.entries().async.makeAsyncIterator()
    _ = try await iterator.next()
    try FuseWriter(.init()).build(to: path)
    var rules = ServingOptions()
    rules.rules.allowsEmpty = true
    store = try ReloadableReader(path: path, options: rules)
    #expect(store!.keyCount == 0)
    store = nil
    var count = 1
    while let entry = try await iterator.next() { count += try entry.bytes.byteCount > 0 ? 1 : 0 }
    #expect(count == 3_000)
  }

  @Test func `ends for a task that is cancelled, and each time it is asked again`() async throws {
    let folder = try TemporaryFolder()
    let reader = try Self.reader(5_000, in: folder)
    let scan = try reader.entries()
    let task = Task { () -> (Int, FuseError?, FuseError?) in
      var count = 0
      var iterator = scan.async.makeAsyncIterator()
      do {
        while try await iterator.next() != nil {
          count += 1
          if count == 100 { unsafe withUnsafeCurrentTask { task in unsafe task!.cancel() } }
        }
        return (count, nil, nil)
      } catch {
        let first = error as? FuseError
        do { _ = try await iterator.next() } catch { return (count, first, error as? FuseError) }
        return (count, first, nil)
      }
    }
    let (count, first, second) = await task.value
    #expect(count == 100 && first?.code == .cancelled && second?.code == .cancelled)
  }

  @Test func `gives a task what was sound before the damage, and then the error, again and again`() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path("damaged.fsdb")
    let reader = try Self.reader(200, in: folder)
    // A key in the middle of the index.
    var bytes = try folder.read("iterated.fsdb")
    var later = try reader.entries(from: "key 9")
    let entry = try #require(try later.next())
    bytes[entry.entry.offset + 2] ^= 0x80
    try folder.write(bytes, as: "damaged.fsdb")
    let damaged = try FuseReader(path: path)
    var expected = 0
    #expect(throws: FuseError.self) {
      var scan = try damaged.entries()
      while try scan.next() != nil { expected += 1 }
    }
    var iterator = try damaged.entries().async.makeAsyncIterator()
    for _ in 0..<expected { #expect(try await iterator.next() != nil) }
    for _ in 0..<2 {
      do {
        _ = try await iterator.next()
        Issue.record("the damage was passed over")
      } catch { #expect((error as? FuseError)?.code == .corrupted) }
    }
  }
}

extension Scan {
  /// The keys that are left, without going there.
  fileprivate func copyOfKeys() throws -> [[UInt8]] {
    var copy = self
    return try copy.restOfKeys().map { $0.bytes }
  }
}
