internal import FuseDB

/// Takes news from any thread to the one that prints them.
final class NewsQueue<News: Sendable>: Sendable {
  private let waiting = Monitor<[News]>([])
  private let waker: Waker

  /// - Throws: ``FuseError`` with code `inputOutput` where the process has no descriptor left.
  init() throws(FuseError) { waker = try Waker() }

  func add(_ news: News) {
    waiting.change { $0.append(news) }
    waker.wake()
  }

  /// Waits for news, and takes all that there are.
  ///
  /// - Throws: as ``Output/wait(for:)``, so that nobody waits for news that nobody will read.
  func next(for out: Output) throws(FuseError) -> [News] {
    try out.wait(for: waker)
    waker.reset()
    return waiting.change { waiting in
      defer { waiting = [] }
      return waiting
    }
  }
}
