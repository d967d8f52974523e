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

  private struct State {
    var mostByteCount: Int
    /// The one that was used last comes last.
    var frames: [Frame] = []

    mutating func trim() {
      var total = frames.reduce(0) { $0 + $1.contents.count }
      while total > mostByteCount, frames.count > 1 { total -= frames.removeFirst().contents.count }
    }
  }

  private let mostByteCount: Int
  private let state: Mutex<State>

  /// - Parameter mostByteCount: how many bytes are kept, unless one frame alone has more.
  init(mostByteCount: Int) {
    self.mostByteCount = mostByteCount
    state = Mutex(State(mostByteCount: mostByteCount))
  }

  /// Keeps half as many bytes from now on, where the memory is needed otherwise.
  func useHalf() { limit(to: mostByteCount / 2) }
  /// Keeps as many bytes as at first from now on.
  func useAll() { limit(to: mostByteCount) }

  private func limit(to byteCount: Int) {
    state.withLock { state in
      state.mostByteCount = byteCount
      state.trim()
    }
  }

  func contents(_ file: StoreFile, at offset: Int) -> [UInt8]? {
    state.withLock { state in
      guard let place = state.frames.lastIndex(where: { $0.offset == offset && $0.file === file }) else { return nil }
      if place < state.frames.count - 1 { state.frames.append(state.frames.remove(at: place)) }
      return state.frames.last?.contents
    }
  }

  func add(_ contents: [UInt8], _ file: StoreFile, at offset: Int) {
    state.withLock { state in
      state.frames.append(Frame(file: file, offset: offset, contents: contents))
      state.trim()
    }
  }
}
