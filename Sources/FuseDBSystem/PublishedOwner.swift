internal import CFuseHazards
internal import FuseDBFormat

/// Keeps the published object, and those before it that threads still use.
@safe
final class PublishedOwner: Sendable {
  private struct State: Sendable {
    var current: any Publishable
    var replaced: [any Publishable] = []
    /// Whether all threads are known to see what was replaced.
    var isSettled = true
  }

  /// Taking a large mapping apart takes milliseconds, and a reader has other things to do.
  private static let mostBytesInPassing = 64 << 20

  private let state: Monitor<State>
  // SAFETY: set once, before anything is published; freed in deinit.
  private nonisolated(unsafe) var place: UnsafeMutablePointer<fuse_published>?

  init(_ object: any Publishable) { state = Monitor(State(current: object)) }

  deinit { if let place = unsafe place { unsafe fuse_published_free(place) } }

  /// Publishes the first object. Call it once.
  func makePlace(readersFence: Bool) throws(FuseError) -> UnsafeMutablePointer<fuse_published> {
    // SAFETY: whoever uses an object keeps this owner, so the context is there when a function is called.
    let made = unsafe fuse_published_make(
      fuse_published(
        object: Self.pointer(to: current), reader_fences: readersFence,
        retained: {
          unsafe UnsafeMutableRawPointer(Unmanaged.passRetained(owner(of: $0).current as AnyObject).toOpaque())
        },
        on_left: { unsafe owner(of: $0).dispose() }, context: Unmanaged.passUnretained(self).toOpaque()))
    guard let made = unsafe made else { throw .system("get memory", path: nil) }
    unsafe place = made
    return unsafe made
  }

  var current: any Publishable { state.change { $0.current } }

  func replace(by next: any Publishable) {
    state.change { state in
      state.replaced.append(state.current)
      state.current = next
      state.isSettled = unsafe fuse_replace(place!, Self.pointer(to: next))
    }
    dispose()
  }

  /// Releases those that nobody uses any more.
  fileprivate func dispose() {
    let byteCount = state.change { $0.replaced.reduce(0) { $0 + $1.byteCount } }
    if byteCount > Self.mostBytesInPassing {
      BackgroundWork.detach { _ = self.takeUnused() }
    } else if byteCount > 0 {
      _ = takeUnused()
    }
  }

  private func takeUnused() -> [any Publishable] {
    state.change { state in
      // Without the barrier a reader may be using what it seems not to: all are kept until it succeeds.
      if !state.isSettled { state.isSettled = unsafe fuse_barrier(place!) }
      guard state.isSettled else { return [] }
      let first = state.replaced.partition { unsafe !fuse_is_used(Self.pointer(to: $0)) }
      let unused = Array(state.replaced[first...])
      state.replaced.removeSubrange(first...)
      return unused
    }
  }

  private static func pointer(to object: any Publishable) -> UnsafeMutableRawPointer {
    unsafe Unmanaged<AnyObject>.passUnretained(object).toOpaque()
  }
}

@unsafe
private func owner(of context: UnsafeMutableRawPointer) -> PublishedOwner {
  unsafe Unmanaged<PublishedOwner>.fromOpaque(context).takeUnretainedValue()
}
