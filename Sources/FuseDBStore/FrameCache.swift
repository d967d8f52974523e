internal import FuseDBFormat
internal import Synchronization

/// The frames that were unpacked last, of any pack: their neighbours are often asked for next, by several threads at once.
final class FrameCache: Sendable {
  private struct Frame: Sendable {
    /// Kept, so that its identity is its own.
    var file: StoreFile
    var offset: Int
    var contents: [UInt8]
  }

  private let mostByteCount: Int
  /// The one that was used last comes last.
  private let frames = Mutex<[Frame]>([])

  /// - Parameter mostByteCount: how many bytes are kept, unless one frame alone has more.
  init(mostByteCount: Int) { self.mostByteCount = mostByteCount }

  func contents(_ file: StoreFile, at offset: Int) -> [UInt8]? {
    frames.withLock { frames in
      guard let place = frames.lastIndex(where: { $0.offset == offset && $0.file === file }) else { return nil }
      if place < frames.count - 1 { frames.append(frames.remove(at: place)) }
      return frames.last?.contents
    }
  }

  func add(_ contents: [UInt8], _ file: StoreFile, at offset: Int) {
    frames.withLock { frames in
      frames.append(Frame(file: file, offset: offset, contents: contents))
      var total = frames.reduce(0) { $0 + $1.contents.count }
      while total > mostByteCount, frames.count > 1 { total -= frames.removeFirst().contents.count }
    }
  }
}
