import Testing

import FuseDB

/// When a published object goes.
struct HazardCellTests {
  @Test(arguments: [false, true])
  func `an object that nobody uses goes as it is replaced`(readersFence: Bool) throws {
    let log = Log()
    let cell = try HazardCell(Tracked("first", log), readersFence: readersFence)
    cell.replace(by: Tracked("second", log))
    #expect(log.ended == ["first"])
    cell.replace(by: Tracked("third", log))
    #expect(log.ended == ["first", "second"])
  }

  @Test(arguments: [false, true])
  func `the last thread that uses an object releases it, as it leaves`(readersFence: Bool) throws {
    let log = Log()
    let cell = try HazardCell(Tracked("first", log), readersFence: readersFence)
    let users = (0..<3).map { _ in User(of: cell, log) }
    for user in users { user.isInside.wait() }
    cell.replace(by: Tracked("second", log))
    // Whoever comes now uses the second, and does not disturb the first.
    let late = User(of: cell, log)
    late.isInside.wait()
    late.mayLeave.open()
    #expect(late.work.wait() == [])
    for (number, user) in users.enumerated() {
      #expect(log.ended == [])
      user.mayLeave.open()
      #expect(user.work.wait() == (number == 2 ? ["first"] : []))
    }
  }

  @Test(arguments: [false, true])
  func `uses of one thread, one inside the other, count until the outermost ends`(readersFence: Bool) throws {
    let log = Log()
    let cell = try HazardCell(Tracked("0", log), readersFence: readersFence)
    // Each level replaces what it uses. A thread has room for seven.
    func descend(to depth: Int) throws {
      let object = unsafe cell.enter()
      cell.replace(by: Tracked("\(depth + 1)", log))
      #expect(log.ended == [])
      if depth < 6 { try descend(to: depth + 1) }
      let name = unsafe object._withUnsafeGuaranteedRef { $0.name }
      #expect(name == "\(depth)")
      #expect(!log.ended.contains(name))
      unsafe cell.leave(object)
      #expect(log.ended == (depth...6).reversed().map { "\($0)" })
    }
    func fill(_ rest: Int, then body: () throws -> Void) throws {
      guard rest > 0 else { return try body() }
      let object = unsafe cell.enter()
      try fill(rest - 1, then: body)
      unsafe cell.leave(object)
    }
    try descend(to: 0)
    try fill(7) {
      // There is no room left: these count references.
      let eighth = unsafe cell.enter()
      let kept = cell.retained()
      cell.replace(by: Tracked("8", log))
      #expect(kept.name == "7")
      #expect(cell.retained().name == "8")
      unsafe cell.leave(eighth)
      #expect(log.ended.count == 7)
    }
    #expect(log.ended.last == "7")
  }

  @Test(arguments: [false, true])
  func `uses of two cells, one inside the other, end in any order`(readersFence: Bool) throws {
    let log = Log()
    let cells = try (0..<2).map { try HazardCell(Tracked("first \($0)", log), readersFence: readersFence) }
    let inside = unsafe (first: cells[0].enter(), second: cells[1].enter())
    for (number, cell) in cells.enumerated() { cell.replace(by: Tracked("second \(number)", log)) }
    #expect(log.ended == [])
    unsafe cells[0].leave(inside.first)
    #expect(log.ended == ["first 0"])
    let again = unsafe cells[0].enter()
    unsafe cells[1].leave(inside.second)
    #expect(log.ended == ["first 0", "first 1"])
    cells[0].replace(by: Tracked("third", log))
    #expect(log.ended == ["first 0", "first 1"])
    unsafe cells[0].leave(again)
    #expect(log.ended == ["first 0", "first 1", "second 0"])
  }

  @Test(arguments: [false, true])
  func `an object that was retained goes with its last reference`(readersFence: Bool) throws {
    let log = Log()
    let cell = try HazardCell(Tracked("first", log), readersFence: readersFence)
    var kept = [cell.retained()]
    cell.replace(by: Tracked("second", log))
    #expect(log.ended == [])
    #expect(kept[0].name == "first")
    kept = []
    #expect(log.ended == ["first"])
  }

  @Test func `a thread that ended inside a use uses nothing any more`() throws {
    let log = Log()
    let cell = try HazardCell(Tracked("first", log))
    BackgroundWork(isWorthThread: true) { _ = unsafe cell.enter() }.wait()
    cell.replace(by: Tracked("second", log))
    #expect(log.ended == ["first"])
    // The next thread takes over what that one left, and finds all its room empty: it counts no reference.
    BackgroundWork(isWorthThread: true) { for _ in 0..<7 { _ = unsafe cell.enter() } }.wait()
    cell.replace(by: Tracked("third", log))
    #expect(log.ended == ["first", "second"])
  }

  @Test func `what takes long to release is released by a thread of its own`() throws {
    let log = Log()
    let cell = try HazardCell(Tracked("large", log, byteCount: 64 << 20 + 1))
    let (isInside, mayLeave) = (Gate(), Gate())
    let leaver = BackgroundWork(isWorthThread: true) {
      let object = unsafe cell.enter()
      isInside.open()
      mayLeave.wait()
      unsafe cell.leave(object)
      // While both live, their numbers differ.
      return (own: ThreadNumber.own, releaser: log.waitForEnd(of: "large"))
    }
    isInside.wait()
    cell.replace(by: Tracked("small", log))
    mayLeave.open()
    let threads = leaver.wait()
    #expect(threads.own != threads.releaser)

    let other = try HazardCell(Tracked("small", log, byteCount: 64 << 20))
    other.replace(by: Tracked("none", log))
    #expect(log.ended == ["large", "small"])
    #expect(log.waitForEnd(of: "small") == ThreadNumber.own)
  }
}

/// An object that says when it goes, and on which thread.
private final class Tracked: Reclaimable {
  let name: String
  let byteCount: Int
  private let log: Log

  init(_ name: String, _ log: Log, byteCount: Int = 1) {
    self.name = name
    self.byteCount = byteCount
    self.log = log
  }

  deinit { log.add(name) }
}

/// The objects that went, in this order.
private final class Log: Sendable {
  private let entries = Monitor([(name: String, thread: Int)]())

  var ended: [String] { entries.change { $0.map(\.name) } }
  func add(_ name: String) { entries.change { $0.append((name, ThreadNumber.own)) } }
  /// Returns the thread on which it went.
  func waitForEnd(of name: String) -> Int {
    entries.wait { entries in entries.first { $0.name == name }?.thread }
  }
}

/// Another thread that uses an object until it may leave, and then says what is gone.
private final class User: Sendable {
  let isInside = Gate()
  let mayLeave = Gate()
  let work: BackgroundWork<[String]>

  init(of cell: HazardCell<Tracked>, _ log: Log) {
    let (isInside, mayLeave) = (isInside, mayLeave)
    work = BackgroundWork(isWorthThread: true) {
      let object = unsafe cell.enter()
      isInside.open()
      mayLeave.wait()
      unsafe cell.leave(object)
      return log.ended
    }
  }
}
