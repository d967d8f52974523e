public import FuseDBFormat
internal import FuseDBSystem

extension FuseReader {
  /// The keys that point at the same object as `key`, itself among them, in order; nil when the file has no such key.
  ///
  ///     var scan = try reader.keys(sharing: "8.8.8.8")!
  ///     while let entry = try scan.next() { print(try entry.key) }   // 8.8.8.8, gmail.com
  ///
  /// Objects are the same where they are stored once. ``FuseWriter`` stores identical ones once, unless it is told otherwise.
  ///
  /// A file with a reverse index (``FuseWriter/Options/reverseIndex``) says which keys they are. Otherwise the offsets
  /// of all keys' objects are compared; no object is read.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the file is no longer what was opened.
  /// - Complexity: O(log objects) with a reverse index, then O(1) a step; without one, O(keys) for all steps together.
  public func keys(
    sharing key: RawSpan, _ direction: Direction = .ascending
  ) throws(FuseError) -> SharingScan? {
    let hash = key.hash(seed: hashSeed)
    guard let entry = try entry(forKey: key, hash: hash, probe: index.table?.probe(of: hash) ?? .none) else {
      try mapping.checkNotShrunk()
      return nil
    }
    return try keys(sharing: Entry(reader: self, entry: entry), direction)
  }

  /// The keys that point at the same object as `key`, itself among them, in order; nil when the file has no such key.
  ///
  /// - Throws: as ``keys(sharing:_:)-(RawSpan,_)``.
  public func keys(
    sharing key: some FuseKey, _ direction: Direction = .ascending
  ) throws(FuseError) -> SharingScan? {
    guard let keyBytes = key.bytesInPlace else { return try keys(sharing: key.keySpelling, direction) }
    defer { keyBytes.hold() }
    return try keys(sharing: keyBytes, direction)
  }

  /// The keys that point at the same object as a key that a scan came across, itself among them, in order.
  ///
  /// - Throws: as ``keys(sharing:_:)-(RawSpan,_)``.
  /// - Precondition: `entry` is one of this file.
  public func keys(sharing entry: Entry, _ direction: Direction = .ascending) throws(FuseError) -> SharingScan {
    precondition(entry.reader.mapping === mapping, "the entry is one of another file")
    return try SharingScan(of: entry.objectOffset, known: entry, self, direction)
  }

  /// The keys that point at the object whose record begins at `offset`, in order: for offsets such as
  /// ``FuseNetworkMatch/objectOffset``, ``FuseMatch/objectOffset`` and ``StoredObject/offset``. None where no key does.
  ///
  ///     let match = try reader.longestMatch(of: FuseAddress("8.8.8.8")!)!
  ///     var scan = try reader.keys(ofObjectAt: match.objectOffset)    // all blocks of its network
  ///
  /// - Throws: as ``keys(sharing:_:)-(RawSpan,_)``.
  /// - Complexity: as ``keys(sharing:_:)-(RawSpan,_)``; with a reverse index, which lists objects of two keys and more, O(keys)
  ///   where the object has but one.
  public func keys(ofObjectAt offset: UInt64, _ direction: Direction = .ascending) throws(FuseError) -> SharingScan {
    try SharingScan(of: offset, known: nil, self, direction)
  }
}

extension FuseReader {
  /// Whether the file says which keys share an object, so that no others are compared.
  package var hasReverseIndex: Bool { index.reverse != nil }
}
