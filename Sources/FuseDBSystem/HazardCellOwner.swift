internal import CFuseHazards
internal import FuseDBFormat

// SAFETY: the object in the cell is `current`, and a replaced one is kept until a barrier has passed and no thread uses
// it, so every pointer that a thread can get is to an object that lives. The C cell lives as long as its owner.
/// Keeps the object of a cell, and the replaced ones that threads still use.
@safe
final class HazardCellOwner: Sendable {
  private struct State: Sendable {
    var current: any Reclaimable
    var replaced: [any Reclaimable] = []
    /// Whether all threads are known to see what was replaced.
    var isSettled = true
  }

  /// Taking a large mapping apart takes milliseconds, and a reader has other things to do.
  private static let mostBytesInPassing = 64 << 20

  private let state: Monitor<State>
  // SAFETY: set once, before anything is published; freed in deinit.
  private nonisolated(unsafe) var cell: UnsafeMutablePointer<fuse_hazard_cell>?

  init(_ object: any Reclaimable) { state = Monitor(State(current: object)) }

  deinit { if let cell = unsafe cell { unsafe fuse_hazard_cell_free(cell) } }

  /// Publishes the first object. Call it once.
  func makeCell(readersFence: Bool) throws(FuseError) -> UnsafeMutablePointer<fuse_hazard_cell> {
    // SAFETY: code that uses an object keeps this owner, so the context is there when a function is called.
    let made = unsafe fuse_hazard_cell_make(
      fuse_hazard_cell(
        object: Self.pointer(to: current), reader_fences: readersFence,
        retained: {
          unsafe UnsafeMutableRawPointer(Unmanaged.passRetained(owner(of: $0).current as AnyObject).toOpaque())
        },
        on_left: { unsafe owner(of: $0).dispose() }, context: Unmanaged.passUnretained(self).toOpaque()))
    guard let made = unsafe made else { throw .system("get memory", path: nil) }
    unsafe cell = made
    return unsafe made
  }

  var current: any Reclaimable { state.change { $0.current } }

  func replace(by next: any Reclaimable) {
    state.change { state in
      state.replaced.append(state.current)
      state.current = next
      state.isSettled = unsafe fuse_replace(cell!, Self.pointer(to: next))
    }
    dispose()
  }

  /// Releases those that no thread uses any more.
  fileprivate func dispose() {
    let byteCount = state.change { $0.replaced.reduce(0) { $0 + $1.byteCount } }
    if byteCount > Self.mostBytesInPassing {
      BackgroundWork.detach { _ = self.takeUnused() }
    } else if byteCount > 0 {
      _ = takeUnused()
    }
  }

  private func takeUnused() -> [any Reclaimable] {
    state.change { state in
      // Without the barrier a reader may be using what it seems not to: all are kept until it succeeds.
      if !state.isSettled { state.isSettled = unsafe fuse_barrier(cell!) }
      guard state.isSettled else { return [] }
      let first = state.replaced.partition { unsafe !fuse_is_used(Self.pointer(to: $0)) }
      let unused = Array(state.replaced[first...])
      state.replaced.removeSubrange(first...)
      return unused
    }
  }

  private static func pointer(to object: any Reclaimable) -> UnsafeMutableRawPointer {
    unsafe Unmanaged<AnyObject>.passUnretained(object).toOpaque()
  }
}

@unsafe
private func owner(of context: UnsafeMutableRawPointer) -> HazardCellOwner {
  unsafe Unmanaged<HazardCellOwner>.fromOpaque(context).takeUnretainedValue()
}
