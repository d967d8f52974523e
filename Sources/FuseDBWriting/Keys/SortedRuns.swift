internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Runs of keys, each of which goes on where the one before ends, so that they are read as one.
struct SortedRuns: Sendable {
  var parts: [KeyRun]

  /// How many keys it has.
  var keyCount: Int { parts.reduce(0) { $0 + $1.keyCount } }
  /// The length of all keys.
  var keyByteCount: Int { parts.reduce(0) { $0 + $1.keyByteCount } }
  /// Whether a window is needed to read it.
  var isInFile: Bool { parts.contains { if case .file = $0 { true } else { false } } }
}

/// Goes through sorted runs, part by part.
final class SortedRunsCursor: KeySource {
  private var cursor: KeyCursor
  /// The parts that are not begun, the next one last.
  private var rest: [KeyRun]
  private let windowByteCount: Int

  /// - Parameter windowByteCount: as for ``KeyCursor``.
  init(_ runs: SortedRuns, windowByteCount: Int) throws(FuseError) {
    rest = runs.parts.reversed()
    precondition(!rest.isEmpty, "sorted runs have parts")
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
