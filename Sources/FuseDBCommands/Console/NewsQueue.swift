internal import FuseDB

/// Takes news from any thread to the one that prints them.
final class NewsQueue<News: Sendable>: Sendable {
  private let waiting = Monitor<[News]>([])
  private let bell: Bell

  /// - Throws: ``FuseError`` with code `inputOutput` where the process has no descriptor left.
  init() throws(FuseError) { bell = try Bell() }

  func add(_ news: News) {
    waiting.change { $0.append(news) }
    bell.ring()
  }

  /// Waits for news, and takes all that there are.
  ///
  /// - Throws: as ``Output/wait(for:)``, so that nobody waits for news that nobody will read.
  func next(for out: Output) throws(FuseError) -> [News] {
    try out.wait(for: bell)
    bell.silence()
    return waiting.change { waiting in
      defer { waiting = [] }
      return waiting
    }
  }
}
