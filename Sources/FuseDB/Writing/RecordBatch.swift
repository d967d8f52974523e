/// Objects and the keys that point at them, on their way from one thread into a writer.
///
/// A batch is filled without a lock, given to the thread's ``WriterLane``, emptied and filled again.
package final class RecordBatch {
  /// A key's place in ``keyBytes``, and what belongs to it.
  struct Key {
    var start: Int
    var byteCount: Int
    /// The number of its object in this batch.
    var object: Int
    /// Where in the input the key stands.
    var place: UInt64
  }

  /// The objects, one behind the other.
  private(set) var objectBytes: [UInt8] = []
  /// Where each object ends.
  private(set) var objectEnds: [Int] = []
  private(set) var keyBytes: [UInt8] = []
  private(set) var keys: [Key] = []
  private let limits: FuseWriter.Limits

  package convenience init() { self.init(limits: FuseWriter.Limits()) }

  init(limits: FuseWriter.Limits) { self.limits = limits }

  /// How many keys are in it.
  package var keyCount: Int { keys.count }
  /// How many bytes are in it.
  package var byteCount: Int { objectBytes.count + keyBytes.count }

  /// Adds an object; the keys that follow point at it.
  ///
  /// - Parameter messagePack: exactly one MessagePack value, nested at most 128 deep, which the caller has made sure of.
  /// - Throws: ``FuseError`` with code `limitExceeded` when it has more than 4 GiB - 1 bytes.
  package func addObject(_ messagePack: RawSpan) throws(FuseError) {
    try limits.check(object: messagePack)
    objectBytes.append(messagePack)
    objectEnds.append(objectBytes.count)
  }

  /// Points `key` at the object that was added last.
  ///
  /// - Parameter place: where in the input the key stands: of two additions of a key, the one with the greater place is
  ///   the last. Additions of one place point at one object.
  /// - Throws: ``FuseError`` with code `limitExceeded` when it has more than 65,535 bytes.
  package func addKey(_ key: RawSpan, place: UInt64) throws(FuseError) {
    precondition(!objectEnds.isEmpty, "a key needs an object before it")
    try limits.check(key: key)
    keys.append(Key(start: keyBytes.count, byteCount: key.byteCount, object: objectEnds.count - 1, place: place))
    keyBytes.append(key)
  }

  /// Forgets everything and keeps the memory.
  package func removeAll() {
    objectBytes.removeAll(keepingCapacity: true)
    objectEnds.removeAll(keepingCapacity: true)
    keyBytes.removeAll(keepingCapacity: true)
    keys.removeAll(keepingCapacity: true)
  }
}

extension [UInt8] {
  /// Appends a copy of `bytes`.
  @inline(__always)
  fileprivate mutating func append(_ bytes: RawSpan) {
    // SAFETY: the array copies the span's bytes before the pointer ends.
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}
