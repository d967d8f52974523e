internal import CFuseSystem
internal import FuseDBFormat
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
    let queue = Queue()
    let helpers = (1..<min(threadCount, count)).map { _ in
      BackgroundWork(isWorthThread: true) {
        var done: [(Int, Part)] = []
        while let number = queue.next(below: count) { done.append((number, body(number))) }
        return done
      }
    }
    var parts = [Part?](repeating: nil, count: count)
    while let number = queue.next(below: count) {
      parts[number] = body(number)
      onProgress(Double(number + 1) / Double(count))
    }
    for helper in helpers {
      for (number, part) in helper.wait() { parts[number] = part }
    }
    // Each number was taken once, and whoever took it has finished.
    return parts.map { $0! }
  }

  private final class Queue: Sendable {
    private let taken = Atomic(0)

    func next(below count: Int) -> Int? {
      let number = taken.wrappingAdd(1, ordering: .relaxed).oldValue
      return number < count ? number : nil
    }
  }
}
