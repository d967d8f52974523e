internal import FuseDB

/// Where enriched lines go: to standard output, or into a file that appears when all are in it.
@safe
final class EnrichOutput: @unchecked Sendable {
  // SAFETY: used by one thread at a time: by the one whose turn it is to write.
  private let console: Output
  private let file: AtomicFile?
  /// The first bytes of the file, which are written last.
  private var head: [UInt8] = []

  init(_ console: Output, _ file: AtomicFile?) {
    self.console = console
    self.file = file
  }

  func write(_ bytes: [UInt8]) throws(FuseError) {
    guard let file else { return try console.write(bytes) }
    let count = min(bytes.count, Header.byteCount - head.count)
    head += bytes[..<count]
    try file.write(bytes.rawSpan.extracting(droppingFirst: count))
  }

  /// Lets the file appear, and returns what gave way.
  func finish() throws(FuseError) -> ReplacedFile? {
    guard let file else { return nil }
    return try file.publish(header: head)
  }
}
