internal import FuseDBFormat
internal import FuseDBLibc

/// Memory that begins at a multiple of its alignment, for whoever goes on without it where it is short.
@unsafe
package enum AlignedMemory {
  /// Returns nil where memory is short.
  ///
  /// - Parameter alignment: a power of two, and of the size of a pointer at least.
  package static func make(byteCount: Int, alignment: Int) -> UnsafeMutableRawPointer? {
    var memory: UnsafeMutableRawPointer?
    // SAFETY: the system sets the pointer where it returns 0, and only then is it handed out.
    return unsafe posix_memalign(&memory, alignment, byteCount) == 0 ? memory : nil
  }

  // SAFETY: the caller hands over what `make` gave, once, and does not use it any more.
  /// Gives back what `make` gave.
  package static func free(_ memory: UnsafeMutableRawPointer) { unsafe FuseDBLibc.free(memory) }
}
