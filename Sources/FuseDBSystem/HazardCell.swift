public import CFuseHazards
package import FuseDBFormat
public import Synchronization

/// What a cell can hold: it says how much memory goes away with it.
@usableFromInline package protocol Reclaimable: AnyObject, Sendable {
  var byteCount: Int { get }
}

// SAFETY: an object is released only when no hazard pointer names it. A thread stores the object in a hazard pointer,
// and then finds it still in the cell, before it uses it; and forgets it after its last use.
/// A cell with the one object that all threads use, until another replaces it: protected by hazard pointers.
///
/// A thread that uses it writes to its own memory alone, and takes no lock. A replaced object is released by the last
/// thread that uses it. See spec/decisions/0014-reclamation.md.
@safe
@usableFromInline package struct HazardCell<Object: Reclaimable>: Sendable {
  // SAFETY: `owner` frees it in deinit, and lives as long as this value.
  @usableFromInline nonisolated(unsafe) let cell: UnsafeMutablePointer<fuse_hazard_cell>
  private let owner: HazardCellOwner

  /// - Parameter readersFence: whether readers order their memory accesses themselves, as they do where the system offers
  ///   no barrier to the replacing thread.
  package init(_ object: Object, readersFence: Bool = false) throws(FuseError) {
    owner = HazardCellOwner(object)
    unsafe cell = try owner.makeCell(readersFence: readersFence)
  }

  /// Begins to use the object, for ``leave(_:)`` or ``leaveQuickly(_:)``.
  ///
  /// This and ``leaveQuickly(_:)`` are what `fuse_enter` and `fuse_leave` do, for a thread that uses nothing else.
  @inlinable
  @inline(__always)
  @unsafe
  package func enter() -> Unmanaged<Object> {
    let hazard = unsafe Self.firstHazard
    let object = unsafe pointer.pointee.load(ordering: .acquiring)
    if unsafe hazard.pointee.load(ordering: .relaxed) == 0 {
      unsafe hazard.pointee.store(object, ordering: .releasing)
      orderForBarrier()
      if unsafe pointer.pointee.load(ordering: .acquiring) == object { return unsafe Self.unmanaged(object) }
      return unsafe .fromOpaque(fuse_enter_late(cell))
    }
    return unsafe .fromOpaque(fuse_enter(cell))
  }

  /// Ends one ``enter()`` of this thread, which returned `object`.
  @inlinable
  @inline(__always)
  @unsafe
  package func leave(_ object: Unmanaged<Object>) { unsafe fuse_leave(cell, object.toOpaque()) }

  /// The same where nothing can have retained `object` since; otherwise the compiler could move the retain after this.
  /// Returns false, and does nothing, where that takes more than a few instructions.
  @inlinable
  @inline(__always)
  @unsafe
  package func leaveQuickly(_ object: Unmanaged<Object>) -> Bool {
    let hazard = unsafe Self.firstHazard
    let number = unsafe UInt(bitPattern: object.toOpaque())
    guard unsafe hazard.pointee.load(ordering: .relaxed) == number, unsafe !cell.pointee.reader_fences else {
      return false
    }
    unsafe hazard.pointee.store(0, ordering: .releasing)
    fuse_compiler_fence()
    if unsafe pointer.pointee.load(ordering: .relaxed) != number { unsafe fuse_left(cell) }
    return true
  }

  /// The object, retained for the caller.
  package func retained() -> Object {
    let object = unsafe enter()
    // A retain that Swift's compiler sees could be moved after `leave`.
    unsafe fuse_retain(object.toOpaque())
    unsafe leave(object)
    return unsafe object.takeRetainedValue()
  }

  // SAFETY: both lie in structs that begin with such a word, which is accessed atomically everywhere.
  @inline(__always)
  @inlinable static var firstHazard: UnsafePointer<Atomic<UInt>> {
    unsafe UnsafeRawPointer(fuse_hazards_own()).assumingMemoryBound(to: Atomic<UInt>.self)
  }
  @inline(__always)
  @inlinable var pointer: UnsafePointer<Atomic<UInt>> {
    unsafe UnsafeRawPointer(cell).assumingMemoryBound(to: Atomic<UInt>.self)
  }

  @inline(__always)
  @inlinable static func unmanaged(_ object: UInt) -> Unmanaged<Object> {
    unsafe .fromOpaque(UnsafeRawPointer(bitPattern: object)!)
  }

  @inline(__always)
  @inlinable func orderForBarrier() {
    fuse_compiler_fence()
    if unsafe cell.pointee.reader_fences { atomicMemoryFence(ordering: .sequentiallyConsistent) }
  }

  /// Replaces the object by `next`, which was never published before. From now on every thread uses `next`. The
  /// object lives on for as long as a thread uses it.
  package func replace(by next: Object) { owner.replace(by: next) }
}
