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
@safe
final class SortedRunsCursor: KeySource {
  private var cursor: KeyCursor {
    // SAFETY: only kept here, as long as the cursor is.
    didSet { unsafe unretained = .passUnretained(cursor) }
  }
  // SAFETY: `cursor`, which keeps it.
  private var unretained: Unmanaged<KeyCursor>
  /// The parts that are not begun, the next one last.
  private var rest: [KeyRun]
  private let windowByteCount: Int

  /// - Parameter windowByteCount: as for ``KeyCursor``.
  init(_ runs: SortedRuns, windowByteCount: Int) throws(FuseError) {
    rest = runs.parts.reversed()
    precondition(!rest.isEmpty, "sorted runs have parts")
    let cursor = try KeyCursor(rest.removeLast(), windowByteCount: windowByteCount)
    self.cursor = cursor
    // SAFETY: only kept here, as long as the cursor is.
    unsafe unretained = .passUnretained(cursor)
    self.windowByteCount = windowByteCount
  }

  /// The next key; at the end, ``KeyHead/end``.
  @inline(__always)
  func next() throws(FuseError) -> KeyHead {
    // SAFETY: this object has the cursor until the next one takes its place, which happens after this.
    let head = try unsafe unretained._withUnsafeGuaranteedRef { (cursor) -> Result<KeyHead, FuseError> in
      Result { () throws(FuseError) in try cursor.next() }
    }.get()
    return head.isAtEnd && !rest.isEmpty ? try nextInRest() : head
  }

  @inline(never)
  private func nextInRest() throws(FuseError) -> KeyHead {
    cursor = try KeyCursor(rest.removeLast(), windowByteCount: windowByteCount)
    return try next()
  }
}

extension [SortedRuns] {
  /// How many are in files.
  var fileCount: Int { count { $0.isInFile } }

  /// The same keys in at most `fanIn` of them in files, beside those in memory: groups of them become one run each, and
  /// groups of these, so that a little memory is enough to read all at once.
  ///
  /// - Parameter windowByteCount: how much of each is read at once.
  func merged(fanIn: Int, windowByteCount: Int, to file: TemporaryFile) throws(FuseError) -> [SortedRuns] {
    precondition(fanIn > 1, "a merge of one run gets nowhere")
    var waiting = filter { $0.isInFile }
    while waiting.count > fanIn {
      // As few as lead to the number that is wanted: each key is written again for nothing else.
      let count = Swift.min(fanIn, waiting.count - fanIn + 1)
      let group = waiting[..<count]
      waiting.removeFirst(count)
      waiting.append(SortedRuns(parts: [try KeyRun(merging: group, windowByteCount: windowByteCount, to: file)]))
    }
    return waiting + filter { !$0.isInFile }
  }
}

extension KeyRun {
  /// The keys of several sorted runs, duplicates and all.
  fileprivate init(
    merging runs: ArraySlice<SortedRuns>, windowByteCount: Int, to file: TemporaryFile
  ) throws(FuseError) {
    var cursors: [SortedRunsCursor] = []
    for run in runs { cursors.append(try SortedRunsCursor(run, windowByteCount: windowByteCount)) }
    var tree = try LoserTree(cursors)
    var writer = try KeyRunWriter(
      to: file, keyCount: runs.reduce(0) { $0 + $1.keyCount }, keyByteCount: runs.reduce(0) { $0 + $1.keyByteCount })
    while true {
      let head = tree.head
      if head.isAtEnd { break }
      try writer.append(head.record)
      try tree.advance()
    }
    self = try writer.finish()
  }
}

extension KeyHead {
  /// The key after its object and its position, as a cursor of runs gave it.
  fileprivate var record: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: in a run, object and position stand before the key.
      unsafe _overrideLifetime(
        RawSpan(_unsafeStart: key - KeyBuffer.overhead, byteCount: KeyBuffer.overhead + keyByteCount), borrowing: self)
    }
  }
}
