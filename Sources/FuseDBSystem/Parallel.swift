internal import CFuseSystem
package import FuseDBFormat
internal import FuseDBLibc
internal import Synchronization

/// Work in parts, done by as many threads as there are processors.
package enum Parallel {
  /// How many processors this process may run on.
  package static var processorCount: Int { Int(fuse_processor_count()) }

  /// Does `body` for each number below `count` and returns the results in the order of the numbers.
  ///
  /// A thread that is free takes the next number. The calling thread is one of the `threadCount`, so the work is done also
  /// where the system has no other thread left.
  ///
  /// - Parameter onProgress: called by the calling thread after each of its parts, with the share of all parts begun.
  package static func map<Part: Sendable>(
    _ count: Int, threadCount: Int, onProgress: (Double) -> Void = { _ in },
    _ body: @escaping @Sendable (Int) -> Part
  ) -> [Part] {
    guard threadCount > 1, count > 1 else {
      return (0..<count).map { number in
        let part = body(number)
        onProgress(Double(number + 1) / Double(count))
        return part
      }
    }
    return map(count, helperCount: min(threadCount, count) - 1, while: {}, onProgress, body)
  }

  /// The same, where the calling thread first does `own`, which no other thread may: the others have begun by then.
  ///
  /// - Throws: what `own` throws, once the other threads have ended.
  package static func map<Part: Sendable, Failure: Error>(
    _ count: Int, threadCount: Int, while own: () throws(Failure) -> Void, _ body: @escaping @Sendable (Int) -> Part
  ) throws(Failure) -> [Part] {
    try map(count, helperCount: min(threadCount - 1, count), while: own, { _ in }, body)
  }

  private static func map<Part: Sendable, Failure: Error>(
    _ count: Int, helperCount: Int, while own: () throws(Failure) -> Void, _ onProgress: (Double) -> Void,
    _ body: @escaping @Sendable (Int) -> Part
  ) throws(Failure) -> [Part] {
    let queue = Queue()
    let helpers = (0..<max(0, helperCount)).map { _ in
      BackgroundWork(isWorthThread: true) {
        var done: [(Int, Part)] = []
        while let number = queue.next(below: count) { done.append((number, body(number))) }
        return done
      }
    }
    do throws(Failure) { try own() } catch {
      queue.end(count)
      for helper in helpers { _ = helper.wait() }
      throw error
    }
    var parts = [Part?](repeating: nil, count: count)
    while let number = queue.next(below: count) {
      parts[number] = body(number)
      onProgress(Double(number + 1) / Double(count))
    }
    for helper in helpers {
      for (number, part) in helper.wait() { parts[number] = part }
    }
    // Each number was taken once, and the thread that took it has finished.
    return parts.map { $0! }
  }

  private final class Queue: Sendable {
    private let taken = Atomic(0)

    func next(below count: Int) -> Int? {
      let number = taken.wrappingAdd(1, ordering: .relaxed).oldValue
      return number < count ? number : nil
    }

    /// Lets nothing more be taken.
    func end(_ count: Int) { taken.store(count, ordering: .relaxed) }
  }
}

/// A piece of work on a thread of its own; where it is too small for one, or the system has none left, it is done
/// when its result is asked for.
@safe
package final class BackgroundWork<Result: Sendable>: Sendable {
  private let work: @Sendable () -> Result
  // SAFETY: written by the thread, read after it was joined; the thread's name is written before the object is shared.
  private nonisolated(unsafe) var result: Result?
  private nonisolated(unsafe) var thread: UInt?

  /// Begins `work`. The caller calls ``wait()`` once.
  ///
  /// - Parameter isWorthThread: whether the work takes longer than a thread needs to start, some 20 microseconds.
  package init(isWorthThread: Bool, _ work: @escaping @Sendable () -> Result) {
    self.work = work
    guard isWorthThread, MemoryRoom.hasRoomForThread else { return }
    let ending = unsafe fuse_ending_own()
    let start = unsafe Unmanaged.passRetained(
      Start {
        unsafe fuse_ending_set(ending)
        unsafe self.result = self.work()
      })
    var thread: UInt = 0
    // SAFETY: the thread takes over the reference that was retained for it; if there is no thread, it is released here.
    // What ends the call that it works for is there until the call returns, and that waits for the thread.
    let status = unsafe fuse_thread_start(&thread, false, { unsafe runStart($0) }, start.toOpaque())
    if status == 0 { unsafe self.thread = thread } else { unsafe start.release() }
  }

  // SAFETY: `thread` was set before the object was shared, and never since.
  /// Whether the work is under way. Otherwise nothing may wait for what it does but ``wait()``.
  package var hasThread: Bool { unsafe thread != nil }

  /// Waits until the work is done.
  package func wait() -> Result {
    // SAFETY: the thread has ended when `result` is read; without one, the waiting thread writes it, and waits once.
    if let thread = unsafe thread { fuse_thread_join(thread) } else { unsafe result = work() }
    return unsafe result!
  }
}

extension BackgroundWork<Void> {
  /// Does `work` on a thread of its own, without waiting for it; at once where the system has no thread left.
  static func detach(_ work: @escaping @Sendable () -> Void) {
    if detachedThread(work) != 0 { work() }
  }

  /// Does `work` on a thread of its own, without waiting for it.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput` where the system has no thread left; nothing is done then.
  package static func detachOrThrow(_ work: @escaping @Sendable () -> Void) throws(FuseError) {
    let status = detachedThread(work)
    guard status == 0 else {
      errno = status
      throw .system("start a thread", path: nil)
    }
  }

  /// Does `work` on a thread of its own, which takes no signals. Returns 0, or the number of the error that kept it from
  /// being done.
  private static func detachedThread(_ work: @escaping @Sendable () -> Void) -> Int32 {
    guard MemoryRoom.hasRoomForThread else { return EAGAIN }
    let start = unsafe Unmanaged.passRetained(Start(work))
    var thread: UInt = 0
    // SAFETY: the thread takes over the reference that was retained for it, or it is released here.
    let status = unsafe fuse_thread_start(&thread, true, { unsafe runStart($0) }, start.toOpaque())
    if status != 0 { unsafe start.release() }
    return status
  }
}

/// What a thread begins with, without the generic parameter that a C function cannot have.
private final class Start {
  let run: () -> Void

  init(_ run: @escaping () -> Void) { self.run = run }
}

private func runStart(_ start: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  // SAFETY: BackgroundWork passes a retained Start.
  unsafe Unmanaged<Start>.fromOpaque(start!).takeRetainedValue().run()
  return nil
}
