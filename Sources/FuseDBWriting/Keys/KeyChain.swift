internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Runs of keys of which each goes on where the one before ends, so that they are read as one.
struct KeyChain: Sendable {
  var parts: [KeyRun]

  /// How many keys it has.
  var keyCount: Int { parts.reduce(0) { $0 + $1.keyCount } }
  /// The length of all keys.
  var keyByteCount: Int { parts.reduce(0) { $0 + $1.keyByteCount } }
  /// Whether a window is needed to read it.
  var isInFile: Bool { parts.contains { if case .file = $0 { true } else { false } } }
}

/// Goes through a chain, part by part.
final class KeyChainCursor: KeySource {
  private var cursor: KeyCursor
  /// The parts that are not begun, the next one last.
  private var rest: [KeyRun]
  private let windowByteCount: Int

  /// - Parameter windowByteCount: as for ``KeyCursor``.
  init(_ chain: KeyChain, windowByteCount: Int) throws(FuseError) {
    rest = chain.parts.reversed()
    precondition(!rest.isEmpty, "a chain has parts")
    cursor = try KeyCursor(rest.removeLast(), windowByteCount: windowByteCount)
    self.windowByteCount = windowByteCount
  }

  /// The next key; at the end, ``KeyHead/end``.
  @inline(__always)
  func next() throws(FuseError) -> KeyHead {
    let head = try cursor.next()
    return head.isAtEnd && !rest.isEmpty ? try nextInRest() : head
  }

  @inline(never)
  private func nextInRest() throws(FuseError) -> KeyHead {
    cursor = try KeyCursor(rest.removeLast(), windowByteCount: windowByteCount)
    return try next()
  }
}
