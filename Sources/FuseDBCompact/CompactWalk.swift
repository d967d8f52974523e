package import FuseDBFormat

/// A place among the keys of a compact file, in their order: it is set by a key, an ordinal or an end, and moved both ways.
///
/// The key is handed out from a buffer. Whatever proves where the place is was compared with its checksum.
package struct CompactWalk: Sendable {
  private let reader: CompactReader
  private var blocks: CompactBlockWalk
  /// Of a file of networks alone, in the place of that of its blocks.
  private var networks: NetworkAloneWalk?

  package init(_ reader: CompactReader) {
    self.reader = reader
    blocks = CompactBlockWalk(reader)
    if let shown = reader.layout.shown { networks = NetworkAloneWalk(reader, shown, blocks) }
  }

  /// How many keys come before the place.
  package var ordinal: Int { networks?.ordinal ?? blocks.ordinal }

  /// The reference to the object of the key at the place.
  package var reference: UInt64 { networks?.reference ?? blocks.reference }

  /// The key at the place, once one was found.
  package var key: [UInt8] { keyBytes.array() }

  /// The same in place: it is there until the place is moved.
  package var keyBytes: RawSpan {
    @_lifetime(borrow self)
    @inline(__always)
    get {
      guard let networks else { return blocks.keyBytes }
      // SAFETY: this keeps the walk, which does not change before the place does.
      return unsafe _overrideLifetime(networks.keyBytes, borrowing: self)
    }
  }

  // MARK: Setting

  /// Goes to the first key that is not below `key`.
  ///
  /// - Returns: whether there is one; the place is nowhere otherwise.
  /// - Complexity: O(log keys).
  package mutating func seek(notBelow wanted: RawSpan) throws(FuseError) -> Bool {
    guard networks != nil else { return try blocks.seek(notBelow: wanted) }
    return try ownNetworks().seek(notBelow: wanted)
  }

  /// Goes to the last key that is not above `key`; or that is below it.
  ///
  /// - Returns: whether there is one.
  /// - Complexity: O(log keys).
  package mutating func seek(notAbove wanted: RawSpan, orEqual: Bool = true) throws(FuseError) -> Bool {
    guard try seek(notBelow: wanted) else { return try seekLast() }
    if orEqual, keyBytes.equals(wanted) { return true }
    return try previous()
  }

  /// Goes to the last key that begins with a prefix, or the last before where such keys would stand.
  ///
  /// - Returns: whether there is one.
  /// - Complexity: O(log keys).
  package mutating func seek(lastBeginningWith prefix: [UInt8]) throws(FuseError) -> Bool {
    // The smallest text after all that begin so: without the bytes at its end that cannot grow, the last one grown by one.
    var after = prefix
    while after.last == 0xFF { after.removeLast() }
    guard let last = after.last else { return try seekLast() }
    after[after.count - 1] = last + 1
    return try seek(notAbove: after.rawSpan, orEqual: false)
  }

  /// Goes to the key that so many come before.
  ///
  /// - Returns: whether there is one.
  /// - Complexity: O(log keys).
  package mutating func seek(ordinal: Int) throws(FuseError) -> Bool {
    guard networks != nil else { return try blocks.seek(ordinal: ordinal) }
    return try ownNetworks().seek(ordinal: ordinal)
  }

  /// Goes to the first key.
  package mutating func seekFirst() throws(FuseError) -> Bool { try seek(ordinal: 0) }

  /// Goes to the last key.
  package mutating func seekLast() throws(FuseError) -> Bool {
    guard networks != nil else { return try blocks.seekLast() }
    return try ownNetworks().seekLast()
  }

  // MARK: Moving

  /// Goes to the next key; where there is none, the place is nowhere.
  package mutating func next() throws(FuseError) -> Bool {
    guard networks != nil else { return try blocks.next() }
    return try ownNetworks().next()
  }

  /// Goes to the key before; where there is none, the place is nowhere.
  package mutating func previous() throws(FuseError) -> Bool {
    guard networks != nil else { return try blocks.previous() }
    return try ownNetworks().previous()
  }

  /// The walk of a file of networks alone, which no copy of this has.
  private mutating func ownNetworks() -> NetworkAloneWalk {
    if !isKnownUniquelyReferenced(&networks) { networks = networks?.copy() }
    guard let networks else { preconditionFailure("the file is one of networks alone") }
    return networks
  }
}
