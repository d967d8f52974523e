import Foundation
import Synchronization
import Testing

import FuseDB

@testable import FuseDBServing

@Suite struct `A watcher that is stopped` {
  private let file: ReplacedFile
  private let heard = Heard()
  private let options: FuseWatcher.Options

  init() throws {
    file = try ReplacedFile(numbered(0), way: .renamedOver)
    var options = FuseWatcher.Options()
    options.pollInterval = .milliseconds(20)
    self.options = options
  }

  @Test func `takes nothing more and can be stopped again`() throws {
    let store = try ReloadableReader(path: file.path)
    let watcher = try FuseWatcher(store, options: options) { [heard] in heard.add($0) }
    try file.replace(by: numbered(1), number: 1)
    eventually { heard.answers == [1] }
    watcher.stop()
    watcher.stop()
    try file.replace(by: numbered(2), number: 2)
    usleep(200_000)
    #expect(heard.answers == [1])
    #expect(store.generation == 2)
  }

  @Test func `does not wait for a check, and does not take what was checked`() throws {
    let checks = DispatchSemaphore(value: 0)
    let goOn = DispatchSemaphore(value: 0)
    var serving = ServingOptions()
    serving.rules.accept = { _, old in
      guard old != nil else { return }
      checks.signal()
      goOn.wait()
    }
    let store = try ReloadableReader(path: file.path, options: serving)
    let watcher = try FuseWatcher(store, options: options, onReload: { [heard] in heard.add($0) })
    try file.replace(by: numbered(1), number: 1)
    checks.wait()
    watcher.stop()
    goOn.signal()
    // The check is over when nobody else swaps: then this gets its turn.
    #expect(throws: FuseError.self) { try store.swap(to: "nowhere") }
    #expect(try answer(store) == 0)
    #expect(heard.answers.isEmpty)
  }

  @Test func `waits for a function that is called`() throws {
    let begun = DispatchSemaphore(value: 0)
    let isOver = Atomic(false)
    let store = try ReloadableReader(path: file.path)
    let watcher = try FuseWatcher(store, options: options) { _ in
      begun.signal()
      usleep(100_000)
      isOver.store(true, ordering: .releasing)
    }
    try file.replace(by: numbered(1), number: 1)
    begun.wait()
    watcher.stop()
    let wasOver = isOver.load(ordering: .acquiring)
    #expect(wasOver)
  }

  @Test func `may be stopped by its own functions, which are called no more`() throws {
    let store = try ReloadableReader(path: file.path)
    let own = Mutex<FuseWatcher?>(nil)
    let stopped = DispatchSemaphore(value: 0)
    let watcher = try FuseWatcher(
      store, options: options,
      onFailure: { [heard] in
        heard.add($0)
        own.withLock { $0 }?.stop()
        stopped.signal()
      })
    own.withLock { $0 = watcher }
    try BadFile.empty.replace(file.path, good: [], in: file.folder)
    stopped.wait()
    try BadFile.olderVersion.replace(file.path, good: numbered(1), in: file.folder)
    usleep(200_000)
    #expect(heard.failures.count == 1)
    own.withLock { $0 = nil }
  }

  @Test func `is stopped by whoever forgets it, and lets go of the store`() throws {
    var store: ReloadableReader? = try ReloadableReader(path: file.path)
    weak let kept = store
    var watcher: FuseWatcher? = try FuseWatcher(try #require(store), options: options)
    #expect(watcher != nil)
    store = nil
    #expect(kept != nil)
    watcher = nil
    eventually { kept == nil }
  }

  @Test func `may be forgotten by its own function`() throws {
    let store = try ReloadableReader(path: file.path)
    let own = Mutex<FuseWatcher?>(nil)
    let forgotten = DispatchSemaphore(value: 0)
    own.withLock { [options] own in
      own = try? FuseWatcher(store, options: options) { _ in
        // Nobody else holds it: its deinit runs here.
        forget()
        forgotten.signal()
      }
    }
    @Sendable func forget() {
      let last = own.withLock { own in
        defer { own = nil }
        return own
      }
      _ = last
    }
    try file.replace(by: numbered(1), number: 1)
    forgotten.wait()
    #expect(own.withLock { $0 == nil })
  }

  @Test func `lets its functions reload and roll back`() throws {
    var serving = ServingOptions()
    serving.keptFileCount = 3
    let store = try ReloadableReader(path: file.path, options: serving)
    let watcher = try FuseWatcher(store, options: options) { [heard] reader in
      heard.add(reader)
      // The second file is not liked, and is not taken again.
      if heard.answers.last == 2 { try? store.rollback() } else { try? store.reload() }
    }
    try file.replace(by: numbered(1), number: 1)
    eventually { store.generation == 3 }
    try file.replace(by: numbered(2), number: 2)
    eventually { store.generation == 5 }
    let looks = watcher.wakeCount
    eventually { watcher.wakeCount > looks + 4 }
    #expect(store.generation == 5)
    #expect(try answer(store) == 1)
    #expect(heard.answers == [1, 2])
    watcher.stop()
  }

  @Test func `leaves no descriptor and no thread behind`() async {
    await #expect(processExitsWith: .success) {
      let file = try ReplacedFile(numbered(0), way: .dataFolderFlipped)
      let store = try ReloadableReader(path: file.path)
      func count(_ what: String) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/" + what).count
      }
      let before = try (count("fd"), count("task"))
      for round in 0..<500 {
        let watcher = try FuseWatcher(store)
        if round % 50 == 0 {
          try file.replace(by: numbered(round / 50 + 1), number: round)
          try eventually { try answer(store) == round / 50 + 1 }
        }
        watcher.stop()
      }
      try eventually { try (count("fd"), count("task")) == before }
      guard try (count("fd"), count("task")) == before else { exit(1) }
    }
  }

  @Test func `leaves signals to the threads of the process, but for its own faults`() throws {
    let signals: Set = [SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGCHLD, SIGALRM]
    let faults: Set = [SIGBUS, SIGSEGV, SIGILL, SIGFPE]
    let heard = Mutex<Set<Int32>>([])
    let isAsked = DispatchSemaphore(value: 0)
    // Whoever starts the watcher takes signals, and goes on to.
    let before = Self.unblockSignals()
    let watcher = try FuseWatcher(try ReloadableReader(path: file.path), options: options) { _ in
      let blocked = Self.blockedSignals
      heard.withLock { $0 = blocked }
      isAsked.signal()
    }
    #expect(Self.blockedSignals.isEmpty)
    Self.block(before)
    try file.replace(by: numbered(1), number: 1)
    isAsked.wait()
    watcher.stop()
    let blocked = heard.withLock { $0 }
    #expect(blocked.isSuperset(of: signals))
    // A file that is cut while it is read is such a fault.
    #expect(blocked.isDisjoint(with: faults))
  }

  /// Those of this thread.
  private static var blockedSignals: Set<Int32> {
    var mask = sigset_t()
    unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
    return Set((1..<32).filter { unsafe sigismember(&mask, $0) == 1 })
  }

  private static func unblockSignals() -> sigset_t {
    var (all, before) = (sigset_t(), sigset_t())
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_UNBLOCK, &all, &before)
    return before
  }

  private static func block(_ mask: sigset_t) {
    var mask = mask
    unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
  }
}
