internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Where a source of sorted keys stands.
@safe
struct KeyHead: BitwiseCopyable {
  /// The key's first eight bytes, big-endian, zeros after a shorter key.
  var prefix: UInt64
  // SAFETY: `keyByteCount` bytes, valid until the source advances.
  var key: UnsafeRawPointer
  /// -1 after the last key.
  var keyByteCount: Int
  /// Decides between equal keys.
  var position: UInt64
  var object: ObjectNumber

  /// After the last key.
  static var end: KeyHead { KeyHead() }

  init(prefix: UInt64, key: UnsafeRawPointer, keyByteCount: Int, position: UInt64, object: ObjectNumber) {
    self.prefix = prefix
    unsafe self.key = key
    self.keyByteCount = keyByteCount
    self.position = position
    self.object = object
  }

  private init() {
    // Never read: there is no key.
    unsafe self.init(
      prefix: .max, key: UnsafeRawPointer(bitPattern: 1)!, keyByteCount: -1, position: .max,
      object: ObjectNumber(rawValue: 0))
  }

  var isAtEnd: Bool { keyByteCount < 0 }

  var keyBytes: RawSpan {
    @_lifetime(borrow self)
    @inline(__always)
    get {
      // SAFETY: there are `keyByteCount` bytes until the source advances.
      unsafe _overrideLifetime(RawSpan(_unsafeStart: key, byteCount: keyByteCount), borrowing: self)
    }
  }
}

/// Gives sorted keys, one after the other.
protocol KeySource: AnyObject {
  /// The next key, or ``KeyHead/end``. What it points at is valid until the next call.
  func next() throws(FuseError) -> KeyHead
}

// SAFETY: a head and a node are there for each source. Nodes are below the count of the sources, and what stands in
// them is -1 or the number of a source; -1 is never used as one.
/// The least key of several sorted sources.
///
/// A tree of losers (Knuth, "The Art of Computer Programming", volume 3, 5.4.1): the leaf of each source, in each inner
/// node the source that lost there, so that a step compares once on each level.
@safe
struct LoserTree<Source: KeySource>: ~Copyable {
  private let sources: [Source]
  // SAFETY: those of `sources`, which keeps them. To count a reference at each step would take longer than the step.
  private let unretained: UnsafeMutableBufferPointer<Unmanaged<Source>>
  // SAFETY: a head for each source, and a node for each; allocated in init and freed in deinit.
  private let heads: UnsafeMutableBufferPointer<KeyHead>
  /// The sources that lost, the winner of all at 0.
  private let losers: UnsafeMutableBufferPointer<Int>

  init(_ sources: [Source]) throws(FuseError) {
    self.sources = sources
    unsafe unretained = .allocate(capacity: sources.count)
    for (number, source) in sources.enumerated() {
      unsafe unretained.initializeElement(at: number, to: .passUnretained(source))
    }
    unsafe heads = .allocate(capacity: sources.count)
    unsafe heads.initialize(repeating: .end)
    unsafe losers = .allocate(capacity: max(1, sources.count))
    unsafe losers.initialize(repeating: -1)
    for number in sources.indices { unsafe heads[number] = try next(of: number) }
    for number in sources.indices { settle(number) }
  }

  @inline(__always)
  private func next(of number: Int) throws(FuseError) -> KeyHead {
    let source = unsafe unretained[number]
    return try unsafe source._withUnsafeGuaranteedRef { (source) -> Result<KeyHead, FuseError> in
      Result { () throws(FuseError) in try source.next() }
    }.get()
  }

  deinit {
    unsafe unretained.deallocate()
    unsafe heads.deallocate()
    unsafe losers.deallocate()
  }

  /// The source with the least key; of equal keys, the one with the least position.
  var winner: Int {
    @inline(__always) get { unsafe losers[0] }
  }

  /// The least key; ``KeyHead/end`` when there is none.
  var head: KeyHead {
    @inline(__always) get { sources.isEmpty ? .end : unsafe heads[winner] }
  }

  /// Goes on after ``head``.
  @inline(__always)
  mutating func advance() throws(FuseError) {
    let number = winner
    unsafe heads[number] = try next(of: number)
    settle(number)
  }

  /// Lets a source that stands on a new key find its rank.
  @inline(__always)
  private mutating func settle(_ number: Int) {
    var winner = number
    var node = (number &+ sources.count) / 2
    while node > 0 {
      let other = unsafe losers[node]
      if other < 0 {
        // While the tree is built, the first to come waits for the other.
        unsafe losers[node] = winner
        return
      }
      if precedes(other, winner) {
        unsafe losers[node] = winner
        winner = other
      }
      node /= 2
    }
    unsafe losers[0] = winner
  }

  @inline(__always)
  private func precedes(_ left: Int, _ right: Int) -> Bool {
    let (leftPrefix, rightPrefix) = unsafe (heads[left].prefix, heads[right].prefix)
    return leftPrefix != rightPrefix ? leftPrefix < rightPrefix : precedesAfterPrefix(left, right)
  }

  @inline(never)
  private func precedesAfterPrefix(_ left: Int, _ right: Int) -> Bool {
    let (left, right) = unsafe (heads[left], heads[right])
    if left.isAtEnd || right.isAtEnd { return !left.isAtEnd }
    let order = left.keyBytes.compare(right.keyBytes)
    return order != 0 ? order < 0 : left.position < right.position
  }
}
