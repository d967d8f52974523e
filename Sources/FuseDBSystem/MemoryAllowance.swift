internal import FuseDBFormat
internal import Synchronization

/// How much memory several threads may still take together.
package final class MemoryAllowance: Sendable {
  private let left: Atomic<Int>

  /// - Parameter byteCount: how many bytes may be taken.
  package init(_ byteCount: Int) { left = Atomic(byteCount) }

  /// Takes `byteCount` bytes; false when there are not so many left.
  package func reserve(_ byteCount: Int) -> Bool {
    guard left.wrappingSubtract(byteCount, ordering: .relaxed).newValue >= 0 else {
      release(byteCount)
      return false
    }
    return true
  }

  /// Gives bytes back.
  package func release(_ byteCount: Int) { left.wrappingAdd(byteCount, ordering: .relaxed) }
}
