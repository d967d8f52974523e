import Synchronization
import Testing

import FuseDB

@testable import FuseDBServing

struct `The rules of a swap` {
  private struct Refusing: Error {}

  /// The error of a swap to a file of so many keys, under rules; the file that serves has 40.
  private static func outcome(keyCount: Int, _ change: (inout SwapRules) -> Void) throws -> FuseError? {
    let bench = try ServingBench { change(&$0.rules) }
    try bench.put(ServingBench.file(2, keyCount: keyCount))
    let error = failure { try bench.store.reload() }
    #expect(bench.store.snapshot().keyCount == (error == nil ? keyCount : 40))
    return error
  }

  @Test(arguments: [(40, true), (39, false), (41, true), (0, false)])
  func `want a least number of keys`(keyCount: Int, isTaken: Bool) throws {
    let error = try Self.outcome(keyCount: keyCount) { $0.leastKeyCount = 40 }
    #expect((error == nil) == isTaken)
    if let error {
      #expect(error.code == .refused)
      #expect(error.message.hasPrefix("the file has \(keyCount) keys and needs 40 at least"), "\(error)")
    }
  }

  @Test func `let no empty file take the place of one with keys, unless that is allowed`() throws {
    let error = try Self.outcome(keyCount: 0) { _ in }
    #expect(error?.code == .refused)
    #expect(
      error?.message.hasPrefix("the file has no keys where the one that serves has 40") == true, "\(error as Any)")
    #expect(try Self.outcome(keyCount: 0) { $0.allowsEmpty = true } == nil)
    #expect(try Self.outcome(keyCount: 1) { _ in } == nil)
    // In the place of an empty one it may come.
    let folder = try TemporaryFolder()
    let store = try ReloadableReader(path: try folder.write(ServingBench.file(1, keyCount: 0)))
    try store.reload()
  }

  @Test(arguments: [
    (Double?.none, 0, true), (0.0, 40, true), (0.0, 39, false), (0.0, 41, true), (1.0, 0, true), (0.25, 30, true),
    (0.25, 29, false), (0.25, 400, true), (0.024, 39, false), (0.025, 39, true), (0.3, 28, true), (0.3, 27, false),
  ])
  func `let a share of the keys go`(share: Double?, keyCount: Int, isTaken: Bool) throws {
    let error = try Self.outcome(keyCount: keyCount) {
      $0.greatestShrink = share
      $0.allowsEmpty = true
    }
    #expect((error == nil) == isTaken)
    if let error, let share {
      #expect(error.code == .refused)
      #expect(error.message.contains("has \(keyCount) keys where the one that serves has 40"), "\(error)")
      #expect(error.message.contains("share of \(share)"), "\(error)")
    }
  }

  @Test func `let exactly the share go that their decimal number says`() throws {
    // The plain way, 1 minus the share, is wrong for many of these.
    for gone in 0...40 {
      let share = try #require(Double("0.\(String(1_000 + gone * 25).dropFirst())"))
      guard gone < 40 else { break }
      #expect(try Self.outcome(keyCount: 40 - gone) { $0.greatestShrink = share } == nil)
      #expect(try Self.outcome(keyCount: 39 - gone) { $0.greatestShrink = share } != nil)
    }
  }

  @Test func `compare a first file with nothing, and one that takes the place of an empty one too`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(ServingBench.file(1, keyCount: 0))
    var options = ServingOptions()
    options.rules.greatestShrink = 0
    let store = try ReloadableReader(path: path, options: options)
    try store.reload()
    try folder.write(ServingBench.file(2))
    try store.reload()
    #expect(store.snapshot().keyCount == 40)
  }

  @Test(
    arguments: [
      (["key 0", "key 39"], nil), (["key 0", "key 40", "key 41"], "\"key 40\""), (["a\tb\\"], #""a\tb\\""#),
      ([""], "\"\""),
      ([String(repeating: "x", count: 90)], "\"" + String(repeating: "x", count: 60) + "…\""),
    ] as [([String], String?)])
  func `want keys, and name the first that is missing`(keys: [String], named: String?) throws {
    try Self.expect(keys.map { Array($0.utf8) }, toBeNamed: named)
  }

  @Test func `spell a missing key that is no text byte by byte`() throws {
    try Self.expect([[0x61, 0xFF, 0x00]], toBeNamed: #""a\xff\x00""#)
  }

  private static func expect(_ keys: [[UInt8]], toBeNamed named: String?) throws {
    var rules = SwapRules()
    rules.requiredKeys = keys
    let error = failure { try rules.examine(FuseReader(bytes: ServingBench.file(2)), insteadOf: nil) }
    #expect(error?.code == (named == nil ? nil : .refused))
    if let named, let error { #expect(error.message.contains("lacks the key \(named), which"), "\(error)") }
  }

  @Test func `hear the caller last, who sees both files`() throws {
    let seen = Mutex<[(new: Int, old: Int?)]>([])
    let bench = try ServingBench { options in
      options.rules.accept = { new, old in
        seen.withLock { $0.append((new.generation, old?.generation)) }
        if try ServingBench.says(new) == 3 { throw Refusing() }
        if try ServingBench.says(new) == 4 { throw FuseError(.invalidValue, "schema 4", offset: 9) }
      }
    }
    try bench.put(ServingBench.file(2))
    try bench.store.reload()
    try bench.put(ServingBench.file(3))
    let error = failure { try bench.store.reloadIfChanged() }
    #expect(error?.code == .refused)
    #expect(error?.message.contains("Refusing()") == true, "\(error?.message ?? "")")
    #expect(try !bench.store.reloadIfChanged())
    try bench.put(ServingBench.file(4))
    #expect(
      failure { try bench.store.reload() } == FuseError(.invalidValue, "schema 4", offset: 9, path: bench.path))
    #expect(try bench.said == [2])
    #expect(seen.withLock { $0.map(\.new) } == [1, 2, 3, 3])
    #expect(seen.withLock { $0.map(\.old) } == [nil, 1, 2, 2])
  }

  @Test func `are asked in their order, and the first says why`() throws {
    let asked = Mutex(false)
    var rules = SwapRules()
    rules.accept = { _, _ in asked.withLock { $0 = true } }
    rules.requiredKeys = [[0]]
    rules.greatestShrink = 0.1
    rules.leastKeyCount = 30
    let old = try FuseReader(bytes: ServingBench.file(1))
    func reason(_ bytes: [UInt8]) -> String {
      failure { try rules.examine(FuseReader(bytes: bytes), insteadOf: old) }?.message ?? "taken"
    }
    let damaged = ServingBench.file(2, keyCount: 20).flipping(bit: 8 * 48)
    #expect(reason(damaged).contains("checksum"))
    #expect(reason(ServingBench.file(2, keyCount: 20)).contains("leastKeyCount"))
    #expect(reason(ServingBench.file(2, keyCount: 35)).contains("greatestShrink"))
    #expect(reason(ServingBench.file(2)).contains("requiredKeys"))
    #expect(asked.withLock { !$0 })
    rules.requiredKeys = []
    #expect(reason(ServingBench.file(2)) == "taken")
    #expect(asked.withLock { $0 })
  }

  @Test func `may look at the store, but not swap it`() async throws {
    let cell = Mutex<(any Reloadable)?>(nil)
    let bench = try ServingBench { options in
      options.rules.accept = { _, _ in
        guard let store = cell.withLock({ $0 }) else { return }
        let isRight = try store.generation == 1 && store.counters.generation == 1 && ServingBench.say(store) == 1
        guard isRight, store.path.hasSuffix("geo.fsdb") else { throw Refusing() }
      }
    }
    cell.withLock { $0 = bench.store }
    try bench.put(ServingBench.file(2))
    try bench.store.reload()
    #expect(try bench.said == [2])
    cell.withLock { $0 = nil }

    for act in 0..<2 {
      let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        [act = act as Int] in
        let cell = Mutex<(any Reloadable)?>(nil)
        let bench = try ServingBench { options in
          options.rules.accept = { _, _ in
            guard let store = cell.withLock({ $0 }) else { return }
            switch act {
            case 0: try store.reload()
            default: try store.rollback()
            }
          }
        }
        cell.withLock { $0 = bench.store }
        try bench.store.reload()
      }
      let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
      #expect(text.contains("must not reload, swap or roll back"))
    }
  }

  @Test(arguments: 0..<3)
  func `must make sense`(slip: Int) async {
    await #expect(processExitsWith: .failure) { [slip = slip as Int] in
      _ = try ServingBench { options in
        switch slip {
        case 0: options.rules.greatestShrink = 1.1
        case 1: options.rules.greatestShrink = .nan
        default: options.rules.threadCount = 0
        }
      }
    }
  }

  @Test(arguments: [nil, .checksums, .full] as [VerificationLevel?], [1, 2, 5])
  func `find the same with any number of threads`(check: VerificationLevel?, threadCount: Int) throws {
    var rules = SwapRules()
    rules.check = check
    rules.threadCount = threadCount
    try rules.examine(FuseReader(bytes: ServingBench.file(1)), insteadOf: nil)
    let damaged = try FuseReader(bytes: ServingBench.file(1).flipping(bit: 8 * 48))
    let error = failure { try rules.examine(damaged, insteadOf: nil) }
    #expect(error?.code == (check == nil ? nil : .corrupted))
  }
}
