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
  private let owner: PublishedOwner

  /// - Parameter readersFence: whether readers order their memory accesses themselves, as they do where the system offers
  ///   no barrier to the replacing thread.
  init(_ object: Object, readersFence: Bool = false) throws(FuseError) {
    owner = PublishedOwner(object)
    unsafe place = try owner.makePlace(readersFence: readersFence)
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
  func leave(_ object: Unmanaged<Object>) { unsafe fuse_leave(place, object.toOpaque()) }

  /// The object, kept by whoever asks.
  func retained() -> Object {
    // SAFETY: only objects of this type are published here.
    guard let object = unsafe enter() else { return unsafe unsafeDowncast(owner.current, to: Object.self) }
    // A retain that Swift's compiler sees could be moved behind `leave`.
    unsafe fuse_retain(object.toOpaque())
    unsafe leave(object)
    return unsafe object.takeRetainedValue()
  }

  /// Puts `next`, which was never published before, in the object's place. From now on every thread uses `next`. The
  /// object lives on for as long as a thread uses it.
  func replace(by next: Object) { owner.replace(by: next) }
}
