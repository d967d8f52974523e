import Glibc
import Testing

import FuseDB

@testable import FuseDBWriting

/// What was given as a relative path stays where it was when the process goes to another folder. Each test is a process
/// of its own, for a working folder is all of a process's.
@Suite(.serialized)
struct `A relative path, when the process has gone to another folder` {
  @Test func `is where a store reloads from, and goes back to`() async {
    await #expect(processExitsWith: .exitCode(44)) { try Acts.reload() }
  }

  @Test func `is where a store that was swapped to it reloads from`() async {
    await #expect(processExitsWith: .exitCode(44)) { try Acts.swap() }
  }

  @Test(arguments: [true, false])
  func `is what a watcher watches`(usesFileEvents: Bool) async {
    await #expect(processExitsWith: .exitCode(44)) { [usesFileEvents] in try Acts.watch(usesFileEvents) }
  }

  @Test func `is followed through links that lead elsewhere by now`() async {
    await #expect(processExitsWith: .exitCode(44)) { try Acts.followLink() }
  }

  @Test func `is where temporary files go`() async {
    await #expect(processExitsWith: .exitCode(44)) { try Acts.spill() }
  }

  @Test func `is where a new file appears`() async {
    await #expect(processExitsWith: .exitCode(44)) { try Acts.publish() }
  }

  @Test func `is called as it was given`() async {
    await #expect(processExitsWith: .exitCode(44)) { try Acts.complain() }
  }
}

private enum Acts {
  /// Two folders with a file `geo.fsdb` each. The process is in the first.
  struct Place {
    let folder: TemporaryFolder
    var first: String { folder.path("first") }
    var second: String { folder.path("second") }

    init() throws {
      folder = try TemporaryFolder()
      for path in [first, second] { try makeFolder(path) }
      try write(1, to: "first/geo.fsdb")
      try write(100, to: "second/geo.fsdb")
      try succeed(unsafe chdir(first))
    }

    /// Builds a file that says `number`, and renames it to its place.
    func write(_ number: Int, to name: String) throws {
      let writer = FuseWriter()
      try writer.add("n", number)
      try writer.build(to: folder.path(name))
    }

    func goAway() throws { try succeed(unsafe chdir(second)) }
  }

  static func number(_ store: any Reloadable) -> Int? { try? store.value(Int.self, forKey: "n") }

  static func reload() throws {
    let place = try Place()
    var options = ServingOptions()
    options.keptFileCount = 1
    for store in [
      try ReloadableReader(path: "geo.fsdb", options: options),
      try FusePool(path: "geo.fsdb", size: 2, options: options),
    ]
      as [any Reloadable]
    {
      try place.write(1, to: "first/geo.fsdb")
      try place.goAway()
      try store.reload()
      guard number(store) == 1 else { exit(1) }
      try place.write(2, to: "first/geo.fsdb")
      guard try store.reloadIfChanged(), number(store) == 2, try !store.reloadIfChanged() else { exit(2) }
      try store.rollback()
      guard number(store) == 1, try !store.reloadIfChanged() else { exit(3) }
      try store.reload()
      guard number(store) == 2, store.path == "geo.fsdb", store.absolutePath.first == "/",
        store.absolutePath.hasSuffix("/first/geo.fsdb")
      else {
        exit(4)
      }
      try succeed(unsafe chdir(place.first))
    }
    exit44(if: true)
  }

  static func swap() throws {
    let place = try Place()
    try place.write(3, to: "first/other.fsdb")
    try place.write(300, to: "second/other.fsdb")
    let store = try ReloadableReader(path: "geo.fsdb")
    try store.swap(to: "./other.fsdb")
    try place.goAway()
    try place.write(4, to: "first/other.fsdb")
    guard try store.reloadIfChanged(), number(store) == 4 else { exit(1) }
    // From now on a file of this folder.
    try store.swap(to: "other.fsdb")
    exit44(if: number(store) == 300)
  }

  static func watch(_ usesFileEvents: Bool) throws {
    let place = try Place()
    let store = try ReloadableReader(path: "geo.fsdb")
    var options = FuseWatcher.Options()
    options.usesFileEvents = usesFileEvents
    options.pollInterval = .milliseconds(30)
    let seen = Monitor<[Int?]>([])
    let watcher = try FuseWatcher(
      store, options: options,
      onReload: { reader in seen.change { $0.append(try? reader.value(Int.self, forKey: "n")) } },
      onFailure: { _ in seen.change { $0.append(nil) } })
    try place.goAway()
    try place.write(200, to: "second/geo.fsdb")
    try place.write(5, to: "first/geo.fsdb")
    // A watcher that looked here would see these files instead, or both.
    let first = seen.wait { $0.count >= 1 ? $0 : nil }
    try place.write(201, to: "second/geo.fsdb")
    try place.write(6, to: "first/geo.fsdb")
    let all = seen.wait { $0.count >= 2 ? $0 : nil }
    watcher.stop()
    exit44(if: first == [5] && all == [5, 6] && number(store) == 6)
  }

  static func followLink() throws {
    let place = try Place()
    try place.write(7, to: "first/v7.fsdb")
    try place.write(8, to: "first/v8.fsdb")
    try makeLink(to: "v7.fsdb", at: place.folder.path("first/current"))
    let store = try ReloadableReader(path: "current")
    try place.goAway()
    try makeLink(to: "v8.fsdb", at: place.folder.path("first/next"))
    try renameFile(place.folder.path("first/next"), to: place.folder.path("first/current"))
    exit44(if: try store.reloadIfChanged() && number(store) == 8)
  }

  static func spill() throws {
    let place = try Place()
    try makeFolder(place.folder.path("first/spilled"))
    var plan = MemoryPlan(byteCount: MemoryPlan.leastByteCount, shardCount: 1)
    plan.keys = 0
    plan.objects = 0
    let writer = FuseWriter(.init(temporaryFolder: "spilled", threadCount: 1), plan: plan)
    try place.goAway()
    for number in 0..<1000 { try writer.add("a rather long key that takes memory, \(number)", number) }
    try writer.build(to: place.folder.path("out.fsdb"))
    exit44(if: try FuseReader(path: place.folder.path("out.fsdb")).keyCount == 1000 && writer.spilledByteCount > 0)
  }

  static func publish() throws {
    let place = try Place()
    let before = try place.folder.read("second/geo.fsdb")
    // Over a file, and where there is none.
    for name in ["geo.fsdb", "new.fsdb"] {
      try succeed(unsafe chdir(place.first))
      let writer = FuseWriter()
      try writer.add("n", 9)
      try writer.build(to: name, progress: { _ in _ = unsafe chdir(place.second) })
      guard number(try ReloadableReader(path: place.folder.path("first/" + name))) == 9 else { exit(1) }
    }
    guard unsafe access(place.folder.path("second/new.fsdb"), F_OK) != 0 else { exit(2) }
    exit44(if: try place.folder.read("second/geo.fsdb") == before)
  }

  static func complain() throws {
    let place = try Place()
    let store = try ReloadableReader(path: "geo.fsdb")
    try unlinkFile(place.folder.path("first/geo.fsdb"))
    try place.goAway()
    let error = failure { try store.reload() }
    let other = failure { try store.swap(to: "none.fsdb") }
    exit44(if: error?.path == "geo.fsdb" && error?.code == .notFound && other?.path == "none.fsdb")
  }
}
