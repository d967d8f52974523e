internal import CFuseSystem

/// What can be published: it says how much goes away with it.
protocol Publishable: AnyObject, Sendable {
  var byteCount: Int { get }
}

/// The one object that all threads use, until another takes its place.
///
/// Whoever uses it writes to memory of the own thread alone, and takes no lock. An object that was replaced is released
/// by whoever is the last to use it. See spec/decisions/0014-reclamation.md.
@safe
struct Published<Object: Publishable>: Sendable {
  // SAFETY: `owner` frees it in deinit, and lives as long as this value.
  private nonisolated(unsafe) let place: UnsafeMutablePointer<fuse_published>
  private let owner: Owner

  /// - Parameter readersFence: whether readers order their memory accesses themselves, as they do where the system offers
  ///   no barrier to the replacing thread.
  init(_ object: Object, readersFence: Bool = false) throws(FuseError) {
    guard let made = unsafe fuse_published_make(Unmanaged.passUnretained(object).toOpaque(), readersFence) else {
      throw .system("get memory", path: nil)
    }
    unsafe place = made
    owner = unsafe Owner(made, object)
  }

  /// Begins to use the object, for ``leave(_:)``; nil when this thread uses as many objects as it can, and has to take
  /// ``retained()``.
  @inline(__always)
  @unsafe
  func enter() -> Unmanaged<Object>? {
    guard let object = unsafe fuse_enter(place) else { return nil }
    return unsafe Unmanaged.fromOpaque(object)
  }

  /// Ends what the last ``enter()`` of this thread began.
  @inline(__always)
  @unsafe
  func leave(_ object: Unmanaged<Object>) {
    if unsafe fuse_leave(place, object.toOpaque()) { owner.dispose() }
  }

  /// The object, kept by whoever asks.
  func retained() -> Object {
    guard let object = unsafe enter() else { return owner.current }
    // A retain that Swift's compiler sees could be moved behind `leave`.
    unsafe fuse_retain(object.toOpaque())
    unsafe leave(object)
    return unsafe object.takeRetainedValue()
  }

  /// Puts `next`, which was never published before, in the object's place and returns the object. From now on every
  /// thread uses `next`. The object lives on for as long as a thread uses it.
  func replace(by next: Object) -> Object {
    let old = owner.replace(by: next)
    owner.dispose()
    return old
  }

  /// Keeps the object, and those before it that threads still use.
  @safe
  private final class Owner: Sendable {
    private struct State: Sendable {
      var current: Object
      var replaced: [Object] = []
      /// Whether all threads are known to see what was replaced.
      var isSettled = true
    }

    /// Taking a large mapping apart takes milliseconds, and a reader has other things to do.
    private static var mostBytesInPassing: Int { 64 << 20 }

    // SAFETY: freed in deinit; the replacing thread writes to it atomically.
    private nonisolated(unsafe) let place: UnsafeMutablePointer<fuse_published>
    private let state: Monitor<State>

    @unsafe
    init(_ place: UnsafeMutablePointer<fuse_published>, _ object: Object) {
      unsafe self.place = place
      state = Monitor(State(current: object))
    }

    deinit { unsafe fuse_published_free(place) }

    var current: Object { state.change { $0.current } }

    func replace(by next: Object) -> Object {
      state.change { state in
        let old = state.current
        state.replaced.append(old)
        state.current = next
        state.isSettled = unsafe fuse_replace(place, Unmanaged.passUnretained(next).toOpaque())
        return old
      }
    }

    /// Releases those that nobody uses any more.
    @inline(never)
    func dispose() {
      let byteCount = state.change { $0.replaced.reduce(0) { $0 + $1.byteCount } }
      if byteCount > Self.mostBytesInPassing {
        BackgroundWork.detach { _ = self.takeUnused() }
      } else if byteCount > 0 {
        _ = takeUnused()
      }
    }

    private func takeUnused() -> [Object] {
      state.change { state in
        // Without the barrier a reader may be using what it seems not to: all are kept until it succeeds.
        if !state.isSettled { state.isSettled = unsafe fuse_barrier(place) }
        guard state.isSettled else { return [] }
        let isUsed = state.replaced.map { unsafe fuse_is_used(Unmanaged.passUnretained($0).toOpaque()) }
        let unused = zip(state.replaced, isUsed).filter { !$0.1 }.map { $0.0 }
        state.replaced = zip(state.replaced, isUsed).filter { $0.1 }.map { $0.0 }
        return unused
      }
    }
  }
}
