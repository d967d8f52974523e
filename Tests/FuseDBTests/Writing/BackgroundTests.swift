import Testing

import FuseDB

/// A task that what it does can cancel.
private final class Cancelling: Sendable {
  private let task = Monitor<(@Sendable () -> Void)?>(nil)

  /// Cancels the task; waits until it is known which.
  func cancel() { task.wait { $0 }() }

  /// The code of the error that `body` throws, called in a task of its own; nil where it throws none.
  func run(_ body: @escaping @Sendable (Cancelling) async throws -> Void) async -> FuseError.Code? {
    let running = Task { () -> FuseError.Code? in
      do { try await body(self) } catch { return (error as? FuseError)?.code ?? .invalidArgument }
      return nil
    }
    task.change { $0 = { running.cancel() } }
    return await running.value
  }
}

/// What calls say of their progress.
private final class ToldShares: Sendable {
  private let state = Monitor<(shares: [Double], areOfTasks: Set<Bool>)>(([], []))

  func hear(_ share: Double) {
    // Threads that run tasks are theirs.
    let isOfTask = unsafe withUnsafeCurrentTask { unsafe $0 != nil }
    state.change {
      $0.shares.append(share)
      $0.areOfTasks.insert(isOfTask)
    }
  }

  var shares: [Double] { state.change { $0.shares } }
  var areOfTasks: Set<Bool> { state.change { $0.areOfTasks } }
}

struct `A long call of a task` {
  static let keyCount = 6_000

  static func writer(_ keyCount: Int = keyCount, in folder: TemporaryFolder) throws -> FuseWriter {
    let writer = FuseWriter(FuseWriter.Options(temporaryFolder: folder.path))
    for number in 0..<keyCount { try writer.add("key \(number)", number / 4) }
    return writer
  }

  @Test func `does what the call does, on a thread of its own, and says how far it is`() async throws {
    let folder = try TemporaryFolder()
    let (one, two) = (folder.path("one.fsdb"), folder.path("two.fsdb"))
    let heard = ToldShares()
    let report = try await Self.writer(in: folder).buildInBackground(to: one) { heard.hear($0) }
    #expect(report.keyCount == Self.keyCount)
    try Self.writer(in: folder).build(to: two)
    #expect(try folder.read("one.fsdb") == folder.read("two.fsdb"))
    #expect(try await FuseWriter.mergeInBackground([one, two], to: two) { heard.hear($0) }.keyCount == Self.keyCount)
    #expect(try await FuseWriter.reindexInBackground(one) { heard.hear($0) }.keyCount == Self.keyCount)
    #expect(try await FuseReader.verifyInBackground(path: one) { heard.hear($0) }.isSound)
    let (old, new) = (try FuseReader(path: one), try FuseReader(path: two))
    #expect(try await old.verifyInBackground(level: .checksums) { heard.hear($0) }.isSound)
    #expect(try await FusePatch.makeInBackground(from: old, to: new, at: folder.path("patch")).addedKeyCount == 0)
    let made = try await FusePatch.applyInBackground(folder.path("patch"), to: old, output: folder.path("three.fsdb"))
    #expect(made.keyCount == Self.keyCount)
    #expect(heard.shares.allSatisfy { (0...1).contains($0) } && heard.shares.contains(1))
    #expect(heard.areOfTasks == [false])
  }

  @Test(arguments: [0.0, 0.1, 0.3, 0.6])
  func `that builds ends when the task is cancelled, and leaves nothing behind`(share: Double) async throws {
    let folder = try TemporaryFolder()
    try folder.write([], as: "out.fsdb")
    let code = await Cancelling().run { task in
      try await Self.writer(in: folder).buildInBackground(to: folder.path("out.fsdb")) {
        if $0 >= share { task.cancel() }
      }
    }
    #expect(code == .cancelled)
    #expect(try folder.names == ["out.fsdb"] && folder.read("out.fsdb") == [])
  }

  @Test(arguments: [0.0, 0.5])
  func `that merges ends when the task is cancelled, and leaves nothing behind`(share: Double) async throws {
    let folder = try TemporaryFolder()
    let input = folder.path("in.fsdb")
    try Self.writer(in: folder).build(to: input)
    let code = await Cancelling().run { task in
      let options = MergeOptions(temporaryFolder: folder.path)
      try await FuseWriter.mergeInBackground([input], to: folder.path("out.fsdb"), options: options) {
        if $0 >= share { task.cancel() }
      }
    }
    #expect(code == .cancelled)
    #expect(try folder.names == ["in.fsdb"])
  }

  @Test func `that reindexes, verifies or patches ends when the task is cancelled, and leaves nothing behind`()
    async throws
  {
    let folder = try TemporaryFolder()
    let (one, two) = (folder.path("one.fsdb"), folder.path("two.fsdb"))
    try Self.writer(in: folder).build(to: one)
    try Self.writer(Self.keyCount / 2, in: folder).build(to: two)
    let before = try folder.read("one.fsdb")
    let (old, new) = (try FuseReader(path: one), try FuseReader(path: two))
    let calls: [@Sendable (Cancelling) async throws -> Void] = [
      { task in try await FuseWriter.reindexInBackground(one) { _ in task.cancel() } },
      { task in _ = try await FuseReader.verifyInBackground(path: one) { _ in task.cancel() } },
      { task in _ = try await old.verifyInBackground { _ in task.cancel() } },
      { task in
        task.cancel()
        try await FusePatch.makeInBackground(from: old, to: new, at: folder.path("patch"))
      },
    ]
    for call in calls { #expect(await Cancelling().run(call) == .cancelled) }
    #expect(try folder.names == ["one.fsdb", "two.fsdb"] && folder.read("one.fsdb") == before)
    try FusePatch.make(from: old, to: new, at: folder.path("patch"))
    let code = await Cancelling().run { task in
      task.cancel()
      try await FusePatch.applyInBackground(folder.path("patch"), to: old, output: folder.path("three.fsdb"))
    }
    #expect(code == .cancelled)
    #expect(try folder.names == ["one.fsdb", "patch", "two.fsdb"])
  }

  @Test func `that was cancelled before ends at once, and one after it goes on`() async throws {
    let folder = try TemporaryFolder()
    let code = await Cancelling().run { task in
      task.cancel()
      try await Self.writer(in: folder).buildInBackground(to: folder.path("out.fsdb"))
    }
    #expect(code == .cancelled)
    #expect(try folder.names == [])
    #expect(try await Self.writer(in: folder).buildInBackground(to: folder.path("out.fsdb")).keyCount == Self.keyCount)
  }

  @Test func `of several steps ends in the step that it is in`() async throws {
    let folder = try TemporaryFolder()
    let code = await Cancelling().run { task in
      try await FuseBackground.run {
        try Self.writer(in: folder).build(to: folder.path("one.fsdb"))
        task.cancel()
        try FuseWriter.merge([folder.path("one.fsdb")], to: folder.path("two.fsdb"))
      }
    }
    #expect(code == .cancelled)
    #expect(try folder.names == ["one.fsdb"])
    #expect(await FuseBackground.run { 42 } == 42)
  }

  @Test func `of an actor comes back to it`() async throws {
    let folder = try TemporaryFolder()
    #expect(try await Nightly(folder).build() == Self.keyCount)
  }
}

/// An actor that keeps its writer.
private actor Nightly {
  private let folder: TemporaryFolder
  private let writer: FuseWriter

  init(_ folder: TemporaryFolder) throws {
    self.folder = folder
    writer = try `A long call of a task`.writer(in: folder)
  }

  func build() async throws -> Int {
    let report = try await writer.buildInBackground(to: folder.path("nightly.fsdb"))
    return report.keyCount
  }
}
