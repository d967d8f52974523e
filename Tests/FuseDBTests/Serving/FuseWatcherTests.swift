import Glibc
import Synchronization
import Testing

import FuseDB

@testable import FuseDBServing

@Suite struct `A watcher` {
  /// How changes are seen: by events alone, because nobody looks within the hour, or by looking alone.
  enum Eyes: CaseIterable {
    case events, polling

    var options: FuseWatcher.Options {
      var options = FuseWatcher.Options()
      options.pollInterval = self == .events ? .seconds(3600) : .milliseconds(30)
      options.usesFileEvents = self == .events
      return options
    }
  }

  @Test(arguments: Eyes.allCases, ReplacedFile.Way.allCases)
  func `sees every way of replacing a file`(eyes: Eyes, way: ReplacedFile.Way) throws {
    let file = try ReplacedFile(numbered(0), way: way)
    let store = try ReloadableReader(path: file.path)
    let heard = Heard()
    let watcher = try FuseWatcher(store, options: eyes.options) { heard.add($0) }
    for number in 1...4 {
      try file.replace(by: numbered(number), number: number)
      // What is written in place is in the mapping before it is taken.
      eventually("number \(number)") { heard.answers.last == number }
    }
    watcher.stop()
    #expect(try answer(store) == 4)
    #expect(heard.answers == heard.answers.sorted())
  }

  @Test func `is told of what was replaced before it began`() throws {
    let file = try ReplacedFile(numbered(0), way: .renamedOver)
    let store = try FusePool(path: file.path, size: 2)
    try file.replace(by: numbered(1), number: 1)
    let watcher = try FuseWatcher(store, options: Eyes.events.options)
    try eventually { try answer(store) == 1 }
    watcher.stop()
  }

  @Test(arguments: Eyes.allCases, BadFile.allCases)
  func `says once why a file is refused, and takes the next good one`(eyes: Eyes, bad: BadFile) throws {
    let file = try ReplacedFile(numbered(0), way: .renamedOver)
    let store = try ReloadableReader(path: file.path)
    let heard = Heard()
    var options = eyes.options
    // With events, too: to be refused again, the file has to be looked at again.
    options.pollInterval = .milliseconds(30)
    let watcher = try FuseWatcher(store, options: options, onReload: { heard.add($0) }, onFailure: { heard.add($0) })
    try bad.replace(file.path, good: numbered(1), in: file.folder)
    eventually { !heard.failures.isEmpty }
    let looks = watcher.wakeCount
    eventually { watcher.wakeCount > looks + 8 }
    let failures = heard.failures
    try #require(failures.count == 1, "\(failures)")
    #expect(bad.codes.contains(failures[0].code), "\(failures)")
    #expect(failures[0].path == file.path)
    #expect(try answer(store) == 0)
    unsafe rmdir(file.path)
    try file.replace(by: numbered(1), number: 1)
    try eventually { try answer(store) == 1 }
    watcher.stop()
  }

  @Test func `leaves a file alone while somebody writes to it`() throws {
    let file = try ReplacedFile(numbered(0), way: .renamedOver)
    let events = try #require(PathEvents())
    events.follow(file.path)
    let descriptor = unsafe open(file.path, O_WRONLY)
    try succeed(unsafe write(descriptor, "F", 1) == 1 ? 0 : -1)
    #expect(events.take())
    #expect(events.isBeingWritten)
    #expect(!events.take())
    events.follow(file.path)
    #expect(events.isBeingWritten)
    close(descriptor)
    #expect(events.take())
    #expect(!events.isBeingWritten)
  }

  @Test(arguments: Eyes.allCases)
  func `does not wait for ever for a file that is never at rest`(eyes: Eyes) throws {
    let file = try ReplacedFile(numbered(0), way: .renamedOver)
    let store = try ReloadableReader(path: file.path)
    var options = eyes.options
    // It is replaced more often than that.
    options.debounce = .milliseconds(400)
    let watcher = try FuseWatcher(store, options: options)
    var number = 0
    try eventually {
      number += 1
      try file.replace(by: numbered(number % 2), number: number)
      return store.generation > 1
    }
    watcher.stop()
  }

  @Test func `says nothing of a file that is missing for a moment`() throws {
    let file = try ReplacedFile(numbered(0), way: .renamedOver)
    let store = try ReloadableReader(path: file.path)
    let heard = Heard()
    var options = Eyes.events.options
    options.debounce = .milliseconds(900)
    let watcher = try FuseWatcher(store, options: options, onReload: { heard.add($0) }, onFailure: { heard.add($0) })
    // Once the watcher has looked, the file goes.
    eventually { watcher.wakeCount > 0 }
    try unlinkFile(file.path)
    let looks = watcher.wakeCount
    eventually { watcher.wakeCount > looks + 2 }
    try file.replace(by: numbered(1), number: 1)
    try eventually { try answer(store) == 1 }
    watcher.stop()
    #expect(heard.failures.isEmpty)
  }

  @Test(arguments: Eyes.allCases, BadFile.allCases)
  func `says why a file is refused that came while the store was about to take another`(eyes: Eyes, bad: BadFile) throws
  {
    let file = try ReplacedFile(numbered(0), way: .renamedOver)
    let heard = Heard()
    let isReplaced = Atomic(false)
    let store = CountingStore(try ReloadableReader(path: file.path)) {
      // The watcher knows of number 1 only.
      guard (try? contents(file.path)) == (try? numbered(1)), !isReplaced.exchange(true, ordering: .relaxed) else {
        return
      }
      try? bad.replace(file.path, good: numbered(2), in: file.folder)
    }
    let watcher = try FuseWatcher(
      store, options: eyes.options, onReload: { heard.add($0) }, onFailure: { heard.add($0) })
    try file.replace(by: numbered(1), number: 1)
    eventually("\(bad)") { !heard.failures.isEmpty }
    watcher.stop()
    #expect(heard.failures.count == 1)
    #expect(heard.failures.allSatisfy { bad.codes.contains($0.code) })
    #expect(heard.answers.isEmpty)
    unsafe rmdir(file.path)
  }

  @Test func `polls beside a folder that is never quiet`() throws {
    let file = try ReplacedFile(numbered(0), way: .renamedOver)
    let other = try ReplacedFile(numbered(1), way: .renamedOver)
    let store = try ReloadableReader(path: file.path)
    var options = FuseWatcher.Options()
    options.pollInterval = .milliseconds(100)
    let watcher = try FuseWatcher(store, options: options)
    let isOver = Atomic(false)
    let noise = BackgroundWork(isWorthThread: true) {
      while !isOver.load(ordering: .relaxed) {
        _ = try? file.folder.write([], as: "other")
        try? unlinkFile(file.folder.path("other"))
      }
    }
    let looks = watcher.wakeCount
    eventually { watcher.wakeCount > looks + 8 }
    // No event tells of this.
    try store.swap(to: other.path)
    try other.replace(by: numbered(2), number: 2)
    try eventually { try answer(store) == 2 }
    isOver.store(true, ordering: .relaxed)
    noise.wait()
    watcher.stop()
  }

  @Test func `looks only when something on the way to the file changes`() throws {
    let file = try ReplacedFile(numbered(0), way: .dataFolderFlipped)
    let store = CountingStore(try ReloadableReader(path: file.path))
    let watcher = try FuseWatcher(store, options: Eyes.events.options)
    var looks = 0
    // It has looked when it came to rest, and does not go on.
    eventually {
      defer { looks = store.lookCount }
      usleep(100_000)
      return looks > 0 && looks == store.lookCount
    }
    for number in 0..<100 {
      try file.folder.write([], as: "other-\(number)")
      usleep(1000)
    }
    #expect(store.lookCount == looks)
    try file.folder.write([], as: "geo.fsdb.tmp")
    try file.replace(by: numbered(1), number: 1)
    try eventually { try answer(store) == 1 }
    #expect(store.lookCount > looks)
    watcher.stop()
  }

  @Test(arguments: Eyes.allCases)
  func `wakes up no more often than it has to`(eyes: Eyes) throws {
    let file = try ReplacedFile(numbered(0), way: .renamedOver)
    var options = eyes.options
    if eyes == .polling { options.pollInterval = .milliseconds(200) }
    let watcher = try FuseWatcher(try ReloadableReader(path: file.path), options: options)
    let clock = ContinuousClock()
    let begin = clock.now
    let before = watcher.wakeCount
    usleep(500_000)
    // Other tests make their folders beside this one's, and each may wake it: then it pauses for 10 ms.
    let most = Int((clock.now - begin) / .milliseconds(5)) + 4
    #expect(watcher.wakeCount - before <= most)
    watcher.stop()
  }

  @Test func `follows a store to another path`() throws {
    let file = try ReplacedFile(numbered(0), way: .renamedOver)
    let other = try ReplacedFile(numbered(1), way: .linkFlipped)
    let store = try ReloadableReader(path: file.path)
    var options = FuseWatcher.Options()
    options.pollInterval = .milliseconds(30)
    let watcher = try FuseWatcher(store, options: options)
    try store.swap(to: other.path)
    try other.replace(by: numbered(2), number: 2)
    try eventually { try answer(store) == 2 }
    try file.replace(by: numbered(3), number: 3)
    let looks = watcher.wakeCount
    eventually { watcher.wakeCount > looks + 4 }
    #expect(try answer(store) == 2)
    watcher.stop()
  }
}
