internal import FuseDBFormat
internal import FuseDBSystem
internal import Synchronization

/// How many bytes the files of a folder have, counted by another thread while they are put: so a display can say how long the rest takes, and
/// nothing waits for it.
package final class FolderCount {
  private final class State: Sendable {
    let isEnded = Atomic(false)
    /// -1 until all of them were counted.
    let byteCount = Atomic(-1)
  }

  private let path: String
  private let state = State()
  private var work: BackgroundWork<Void>?

  package init(_ path: String) { self.path = path }

  /// Has the count end; nobody asks for it any more.
  deinit {
    state.isEnded.store(true, ordering: .relaxed)
    work?.wait()
  }

  /// All bytes; nil until they were counted, and where a folder can't be listed.
  package var byteCount: Int? {
    let count = state.byteCount.load(ordering: .relaxed)
    return count < 0 ? nil : count
  }

  /// Begins to count, unless that was begun.
  package func begin() {
    guard work == nil else { return }
    let (path, state) = (path, state)
    work = BackgroundWork(isWorthThread: true) { Self.count(path, state) }
  }

  /// Waits for the count.
  package func finish() {
    work?.wait()
    work = nil
  }

  private static func count(_ path: String, _ state: State) {
    var total = 0
    var folders = [path]
    while let folder = folders.popLast() {
      guard let open = try? OpenFolder(folder), let names = try? open.names() else { return }
      for name in names.all {
        if state.isEnded.load(ordering: .relaxed) { return }
        let bytes = names.bytes(of: name)
        if name.isFolder {
          folders.append(folder + "/" + String(path: Array(bytes)))
        } else {
          total += open.byteCount(of: bytes) ?? 0
        }
      }
    }
    state.byteCount.store(total, ordering: .relaxed)
  }
}
