/// A value of an object that one thread uses at a time, in a place of its own.
///
/// Each use of a class's stored property is checked at run time for another one at the same moment, where the compiler cannot tell; for what
/// is used several times a record, this costs a tenth of a build. Here nothing is checked: no use may be inside of another.
@safe
package struct OwnPlace<Value>: ~Copyable {
  // SAFETY: allocated and given a value in init, freed in deinit; a place is not copied.
  @usableFromInline let place: UnsafeMutablePointer<Value>

  package init(_ value: Value) {
    // SAFETY: what was allocated has room for one, and gets it here.
    unsafe place = .allocate(capacity: 1)
    unsafe place.initialize(to: value)
  }

  deinit {
    // SAFETY: a place is not copied, so nothing else has it.
    unsafe place.deinitialize(count: 1)
    unsafe place.deallocate()
  }

  // SAFETY: the place has its value until deinit.
  @inlinable package var value: Value {
    @inline(__always)
    _read { yield unsafe place.pointee }
    @inline(__always)
    nonmutating _modify { yield unsafe &place.pointee }
  }
}
