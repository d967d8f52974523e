package import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
package import FuseDBValues

/// Objects and the keys that point at them, on their way from one thread into a writer.
///
/// Objects are packed where they stay until the writer has them. A batch is filled without a lock, given to the thread's
/// ``WriterShard``, emptied and filled again.
package final class RecordBatch {
  /// Where a key is in ``keyBytes``, and what belongs to it.
  struct Key {
    var start: Int
    var byteCount: Int
    /// The number of its object in this batch; ``RecordBatch/previousObject`` for the last one of the batch before.
    var object: Int
    /// Where in the input the key stands.
    var position: UInt64
  }

  private struct Contents {
    var objectEnds: [Int] = []
    var keyBytes: [UInt8] = []
    var keys: [Key] = []

    /// Whether there is an object that keys can be for.
    var hasHadObject = false

    /// Where the last object ends.
    private(set) var objectEnd = 0

    mutating func endObject(at end: Int) {
      hasHadObject = true
      objectEnd = end
      objectEnds.append(end)
    }

    /// How much memory the keys take: counted here, because asking the arrays would count a reference to each, several times a record.
    private(set) var memoryByteCount = 0

    mutating func add(key: RawSpan, position: UInt64) {
      precondition(hasHadObject, "a key needs an object before it")
      keys.append(
        Key(start: keyBytes.count, byteCount: key.byteCount, object: objectEnds.count - 1, position: position))
      keyBytes.append(key)
      memoryByteCount &+= key.byteCount &+ MemoryLayout<Key>.stride
    }

    private mutating func countMemory() {
      memoryByteCount = keyBytes.count + keys.count * MemoryLayout<Key>.stride
    }

    mutating func reserve(_ byteCount: Int) throws(FuseError) {
      try objectEnds.reserve(byteCount / MemoryLayout<Key>.stride)
      try keyBytes.reserve(byteCount)
      try keys.reserve(byteCount / MemoryLayout<Key>.stride + 1)
    }

    var mark: Mark {
      Mark(objects: objectEnds.count, keys: keys.count, keyBytes: keyBytes.count, hasHadObject: hasHadObject)
    }

    mutating func removeAll(after mark: Mark) {
      hasHadObject = mark.hasHadObject
      objectEnds.removeSubrange(mark.objects...)
      objectEnd = objectEnds.last ?? 0
      keys.removeSubrange(mark.keys...)
      keyBytes.removeSubrange(mark.keyBytes...)
      countMemory()
    }

    mutating func removeAll(keepingAtMost byteCount: Int, keepsObject: Bool) {
      hasHadObject = hasHadObject && keepsObject
      objectEnds.removeAll(keepingCapacity: true)
      objectEnd = 0
      keyBytes.removeAll(keepingCapacity: keyBytes.capacity <= byteCount)
      keys.removeAll(keepingCapacity: true)
      countMemory()
    }
  }

  /// How much a batch had at some time.
  package struct Mark {
    fileprivate var objects = 0
    fileprivate var keys = 0
    fileprivate var keyBytes = 0
    fileprivate var hasHadObject = false
  }

  /// What ``Key/object`` is for a key whose object was added before the batch was last emptied.
  package static let previousObject = -1

  /// Where objects are packed; ``addPacked()`` then adds them.
  package let packer = MessagePackPacker()
  @exclusivity(unchecked) private var uncheckedContents = Contents()
  private let limits: FuseWriter.Limits

  package convenience init() { self.init(limits: FuseWriter.Limits()) }

  init(limits: FuseWriter.Limits) { self.limits = limits }

  // SAFETY: one thread at a time uses a batch, and no use of the contents is inside of another. A check at run time, of each use, would
  // take a tenth of a build.
  private var contents: Contents {
    @inline(__always) _read { yield unsafe uncheckedContents }
    @inline(__always) _modify { yield unsafe &uncheckedContents }
  }

  /// How many bytes at the start of ``packer`` are objects, one after the other.
  var objectByteCount: Int { contents.objectEnd }
  /// Where each object ends.
  var objectEnds: [Int] { contents.objectEnds }
  /// The range of the bytes packed since the last object, in ``packer``.
  package var packedRange: Range<Int> { objectByteCount..<packer.byteCount }
  var keyBytes: [UInt8] { contents.keyBytes }
  var keys: [Key] { contents.keys }

  /// The number of the object that was added last, in this batch; ``previousObject`` when it has none yet.
  package var lastObject: Int { objectEnds.count - 1 }
  /// How many keys the batch has.
  package var keyCount: Int { keys.count }
  /// How many bytes its objects and keys have.
  package var byteCount: Int { packer.byteCount + keyBytes.count }
  /// How many bytes of memory that takes, with what is kept for each key.
  package var memoryByteCount: Int { packer.byteCount &+ contents.memoryByteCount }

  /// Makes room for `byteCount` bytes as ``memoryByteCount`` counts them. Up to there, no more memory is taken, except for a
  /// long object.
  package func reserve(_ byteCount: Int) throws(FuseError) {
    try MemoryRoom.check(byteCount)
    packer.reserve(byteCount)
    try contents.reserve(byteCount)
  }

  /// Adds an object; the keys that follow point at it.
  ///
  /// - Parameter messagePack: exactly one MessagePack value, nested at most 128 deep, which the caller has made sure of.
  /// - Throws: ``FuseError`` with code `limitExceeded` when it has more than 4 GiB - 1 bytes.
  package func addObject(_ messagePack: RawSpan) throws(FuseError) {
    try MemoryRoom.check(messagePack.byteCount)
    packer.append(messagePack)
    try addPacked()
  }

  /// Adds what ``packer`` was given since the last object: one MessagePack value.
  ///
  /// - Throws: ``FuseError`` as ``addObject(_:)`` does.
  package func addPacked() throws(FuseError) {
    let packer = packer
    try limits.check(object: packer.bytes.extracting(packedRange))
    contents.endObject(at: packer.byteCount)
  }

  /// Points `key` at the object that was added last.
  ///
  /// - Parameter position: where the key is in the input: of two additions of a key, the one with the greater position is
  ///   the last. Additions of one position point at one object.
  /// - Throws: ``FuseError`` with code `limitExceeded` when it has more than 65,535 bytes.
  package func addKey(_ key: RawSpan, position: UInt64) throws(FuseError) {
    try limits.check(key: key)
    contents.add(key: key, position: position)
  }

  /// How much there is, but for what was packed since the last object.
  package var mark: Mark { contents.mark }

  /// Forgets what was added since, before which the batch was not emptied.
  package func removeAll(after mark: Mark) {
    contents.removeAll(after: mark)
    packer.truncate(to: objectByteCount)
  }

  /// Forgets everything and keeps the memory.
  package func removeAll() {
    packer.clear()
    contents.removeAll(keepingAtMost: .max, keepsObject: false)
  }

  /// The same after a part of a record was given to the shard. Keys that follow before another object point at the last
  /// object of that part. Arrays of more than `byteCount` bytes are freed.
  package func removeGiven(keepingAtMost byteCount: Int) {
    packer.clear(keepingAtMost: byteCount)
    contents.removeAll(keepingAtMost: byteCount, keepsObject: true)
  }
}

extension [UInt8] {
  /// Appends a copy of `bytes`.
  @inline(__always)
  mutating func append(_ bytes: RawSpan) {
    // SAFETY: the array copies the span's bytes before the pointer ends.
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}
