public import FuseDBFormat
public import FuseDBSystem
internal import FuseDBValues

extension FuseReader {
  /// The bytes of the object under `key`, in place, or nil when the file has no such key. They are one MessagePack
  /// value.
  ///
  ///     try reader.bytes(forKey: "8.8.8.8")?.byteCount   // 31
  ///     try reader.bytes(forKey: "nowhere")              // nil
  ///
  /// The object's checksum is compared first, unless the reader was opened with `checksums: .skipped`. Nothing is
  /// copied or allocated. If the file is truncated between this call and the use of the bytes, they read as
  /// zeros; ``withBytes(forKey:_:)-(RawSpan,_)`` throws then.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` when the object is not what its checksum says, `truncated` when
  ///   the file shrank since it was opened.
  /// - Complexity: O(1): one bucket, one index entry, one object.
  @inlinable
  @inline(__always)
  @_lifetime(borrow self)
  public func bytes(forKey key: RawSpan) throws(FuseError) -> RawSpan? {
    guard let offset = try objectOffset(forKey: key) else { return nil }
    let record = try record(at: offset)
    let mapping = mapping
    // SAFETY: a record lies inside the file; the mapping lives as long as this reader.
    return unsafe _overrideLifetime(mapping.bytes(from: record.start, count: record.byteCount), borrowing: self)
  }

  /// The bytes of the object under `key`, in place, or nil when the file has no such key.
  ///
  /// - Throws: as ``bytes(forKey:)-(RawSpan)``.
  /// - Complexity: O(1).
  @inlinable
  @_lifetime(borrow self)
  public func bytes(forKey key: some FuseKey) throws(FuseError) -> RawSpan? {
    guard let keyBytes = key.bytesInPlace else {
      let spelling = key.keySpelling
      let keyBytes = spelling.keyBytes
      defer { keyBytes.hold() }
      return try bytes(forKey: keyBytes)
    }
    defer { keyBytes.hold() }
    return try bytes(forKey: keyBytes)
  }

  /// Calls `body` with the bytes of the object under `key`, in place, and returns what it returns; nil when the file
  /// has no such key.
  ///
  ///     try reader.withBytes(forKey: "8.8.8.8") { $0.byteCount }   // 31
  ///
  /// - Throws: as ``bytes(forKey:)-(RawSpan)``, also when the file shrank while `body` ran; and what `body` throws.
  /// - Complexity: O(1).
  @inlinable
  @inline(__always)
  public func withBytes<Result>(forKey key: RawSpan, _ body: (RawSpan) throws -> Result) throws -> Result? {
    guard let offset = try objectOffset(forKey: key) else { return nil }
    let record = try record(at: offset, forCall: true)
    let mapping = mapping
    let result: Result
    do {
      // SAFETY: a record lies inside the file, or is there until `endCall`.
      result = try unsafe body(mapping.bytes(from: record.start, count: record.byteCount))
    } catch {
      if isCompact { endCall(record) }
      throw error
    }
    if isCompact { try finishCall(record) }
    try mapping.checkNotShrunk()
    return result
  }

  /// Calls `body` with the bytes of the object under `key`, in place, and returns what it returns; nil when the file
  /// has no such key.
  ///
  /// - Throws: as ``withBytes(forKey:_:)-(RawSpan,_)``.
  /// - Complexity: O(1).
  @inlinable
  @inline(__always)
  public func withBytes<Result>(forKey key: some FuseKey, _ body: (RawSpan) throws -> Result) throws -> Result? {
    guard let keyBytes = key.bytesInPlace else {
      let spelling = key.keySpelling
      let keyBytes = spelling.keyBytes
      defer { keyBytes.hold() }
      return try withBytes(forKey: keyBytes, body)
    }
    defer { keyBytes.hold() }
    return try withBytes(forKey: keyBytes, body)
  }

  /// Whether the file holds `key`. The object is neither read nor compared with its checksum.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  /// - Complexity: O(1): one bucket and, when the key is there, one index entry.
  @inlinable
  @inline(__always)
  public func contains(_ key: RawSpan) throws(FuseError) -> Bool {
    let offset = try objectOffset(forKey: key)
    try mapping.checkNotShrunk()
    return offset != nil
  }

  /// Whether the file holds `key`.
  ///
  /// - Throws: as ``contains(_:)-(RawSpan)``.
  /// - Complexity: O(1).
  @inlinable
  public func contains(_ key: some FuseKey) throws(FuseError) -> Bool {
    guard let keyBytes = key.bytesInPlace else {
      let spelling = key.keySpelling
      let keyBytes = spelling.keyBytes
      defer { keyBytes.hold() }
      return try contains(keyBytes)
    }
    defer { keyBytes.hold() }
    return try contains(keyBytes)
  }

  /// Throws ``FuseError/Code/truncated`` once the file was found to have shrunk since it was opened: bytes that were
  /// read in place before this call, and it returns, were the file's.
  @inlinable
  @inline(__always)
  public func checkNotShrunk() throws(FuseError) {
    if isCompact { try checkShards() }
    try mapping.checkNotShrunk()
  }

  /// The bytes of the object whose record begins at `offset`, in place, their checksum compared.
  @_lifetime(borrow self)
  package func bytes(ofObjectAt offset: UInt64) throws(FuseError) -> RawSpan {
    let record = try record(at: offset)
    let mapping = mapping
    // SAFETY: a record lies inside the file; the mapping lives as long as this reader.
    return unsafe _overrideLifetime(mapping.bytes(from: record.start, count: record.byteCount), borrowing: self)
  }

  /// Where the record under `key` begins, as the index has it.
  @inlinable
  @inline(__always)
  package func objectOffset(forKey key: RawSpan) throws(FuseError) -> UInt64? {
    guard let table = index.table else { return try objectOffset(inMemory: key) }
    let hash = key.hash(seed: table.section.seed)
    return try objectOffset(forKey: key, hash: hash, probe: table.probe(of: hash), in: table)
  }

  /// The same where the probe of the key's hash is known.
  @inlinable
  @inline(__always)
  func objectOffset(
    forKey key: RawSpan, hash: UInt64, probe: HashSectionTable.Probe, in table: HashSectionTable, isFlat: Bool = false
  ) throws(FuseError) -> UInt64? {
    let slot = table.slot(probe)
    if slot.tag == HashLine.tag(of: hash) {
      if table.compare(key, with: slot, isFlat: isFlat) == .found { return slot.object }
      try checkOther(key, hash)
    }
    // Absent, if the lines that say so are what was written. [X16]
    if checksums == .verified, !table.isSound(probe) { throw damagedLine(hash) }
    try mapping.checkNotShrunk()
    return nil
  }

  /// Throws unless the slot of a key belongs to another key, or to none. [X15] [X17]
  ///
  /// It finds table, probe and slot anew, because passing them would have every look-up put them into memory.
  @inline(never)
  @usableFromInline func checkOther(_ key: RawSpan, _ hash: UInt64) throws(FuseError) {
    // A damaged key that the rule leads here all the same: one in 64 x slots.
    if let offset = try otherEntry(key, hash), let stride = try stride(holding: offset) { try checkStride(stride) }
  }

  /// The entry that the slot of a key names, which the rule leads there; nil where it names none. [X15] [X17]
  func otherEntry(_ key: RawSpan, _ hash: UInt64) throws(FuseError) -> Int? {
    let table = index.table!
    let probe = table.probe(of: hash)
    let slot = table.slot(probe)
    if checksums == .verified, !table.isSound(probe) { throw damagedLine(hash) }
    guard table.compare(key, with: slot) == .other else {
      throw damagedHash(probe, "the slot of the key and its index entry point at different objects")
    }
    guard slot.entry != HashLine.freeEntry(table.section.slotsPerLine) else { return nil }
    // Another key of the same tag, or the key that was here when the file was written, damaged since.
    let offset = dataEnd + Int(slot.entry)
    let entry = try entry(at: offset)
    let mapping = mapping
    let stored = mapping.bytes.extracting(entry.keyRange).hash(seed: table.section.seed)
    guard HashLine.tag(of: stored) == slot.tag, table.probe(of: stored).position == probe.position else {
      throw unlessShrunk(.corrupted("the key here is not the one that was hashed", at: offset))
    }
    return offset
  }

  @inline(never)
  @usableFromInline func damagedLine(_ hash: UInt64) -> FuseError {
    damagedHash(index.table!.probe(of: hash), "a line of the hash section is damaged")
  }

  private func damagedHash(_ probe: HashSectionTable.Probe, _ message: String) -> FuseError {
    let offset = index.table!.offset(ofSlotLine: probe.position.line)
    return unlessShrunk(.corrupted("\(message); 'fusedb verify' lists the damage", at: offset))
  }

  /// The same with an index in memory.
  @inline(never)
  @usableFromInline func objectOffset(inMemory key: RawSpan) throws(FuseError) -> UInt64? {
    // SAFETY: this reader keeps the set.
    if let set = unsafe uncountedSet {
      return try unsafe set.guaranteed { set throws(FuseError) in try objectOffset(forKey: key, in: set) }
    }
    if let compact { return try rowOffset(forKey: key, in: compact) }
    let found = try entry(inMemory: key, hash: index.memory.map { key.hash(seed: $0.seed) } ?? 0)
    if found == nil { try mapping.checkNotShrunk() }
    return found?.objectOffset
  }

  /// The entry of a key whose hash is known, by an index in memory.
  @inline(never)
  func entry(inMemory key: RawSpan, hash: UInt64) throws(FuseError) -> IndexEntry? {
    let mapping = mapping
    let file = mapping.bytes
    if let compact {
      guard let offset = try rowOffset(forKey: key, in: compact) else { return nil }
      return try foundEntry(key, rowOffset: offset)
    }
    if let set = shardSet { return try self.entry(forKey: key, in: set) }
    guard let index = index.memory else { return try entry(searching: key) }
    return try index.first(hash: hash) { offset throws(FuseError) -> IndexEntry? in
      guard let entry = IndexEntry(at: offset, in: file) else { throw changed(at: offset) }
      let stored = file.extracting(entry.keyRange)
      if stored.equals(key) { return entry }
      // Another key of the same tag, or the key that was here when the file was opened, damaged since.
      guard index.isPlausible(stored.hash(seed: index.seed), nextTo: hash) else { throw changed(at: offset) }
      return nil
    }
  }

  /// The same without a hash index: by halves among the samples, then entry by entry.
  @inline(never)
  private func entry(searching key: RawSpan) throws(FuseError) -> IndexEntry? {
    let position = try position(ofFirstKeyNotBefore: key)
    guard position.number < keyCount else { return nil }
    let mapping = mapping
    let entry = try entry(at: position.offset)
    let isFound = mapping.bytes.extracting(entry.keyRange).equals(key)
    try mapping.checkNotShrunk()
    return isFound ? entry : nil
  }

  /// Throws unless a record is equal to its checksum, and the file whole.
  @inlinable
  @inline(__always)
  func check(_ record: ObjectRecord) throws(FuseError) {
    if checksums == .verified {
      let mapping = mapping
      // SAFETY: a record lies inside the file.
      let checksum = Checksum.of(unsafe mapping.bytes(from: record.start, count: record.byteCount))
      guard checksum == record.checksum else { throw damaged(record, checksum: checksum) }
    }
    try mapping.checkNotShrunk()
  }

  /// The record at `offset`, inside the data section and equal to its checksum. [D2] [D3]
  ///
  /// - Parameter isForCall: whether what is expanded of a compact file is wanted until ``endCall(_:)`` alone, not as long as this reader.
  @inlinable
  @inline(__always)
  package func record(at offset: UInt64, forCall isForCall: Bool = false) throws(FuseError) -> ObjectRecord {
    let mapping = mapping
    let file = mapping.bytes
    guard let record = ObjectRecord(at: offset, before: dataEnd, in: file) else {
      return try recordElsewhere(offset, isForCall)
    }
    try check(record)
    return record
  }

  /// The record of what is no record of the file: of a compact one, what was expanded.
  @inline(never)
  @usableFromInline func recordElsewhere(_ offset: UInt64, _ isForCall: Bool) throws(FuseError) -> ObjectRecord {
    // SAFETY: this reader keeps the set.
    if let set = unsafe uncountedSet {
      return try unsafe set.guaranteed { set throws(FuseError) in try record(at: offset, in: set, forCall: isForCall) }
    }
    if let compact {
      return isForCall ? try callRecord(at: offset, of: compact) : try expandedRecord(at: offset, of: compact)
    }
    throw unlessShrunk(.corrupted("the object here runs past the end of the data section at \(dataEnd)", at: offset))
  }

  @inline(never)
  @usableFromInline func damaged(_ record: ObjectRecord, checksum: UInt32) -> FuseError {
    unlessShrunk(
      .corrupted(
        """
        the object's checksum is \(checksum.hexadecimal) and its record says \(record.checksum.hexadecimal); \
        'fusedb verify' lists the damage
        """, at: record.offset))
  }

  @inline(never)
  package func changed(at offset: some BinaryInteger) -> FuseError {
    unlessShrunk(
      .corrupted("the key index is damaged here, or changed since the file was opened; open it again", at: offset))
  }

  /// `error` with the file's path; or, where the file shrank, the error that says so.
  @inline(never)
  @usableFromInline
  package func unlessShrunk(_ error: FuseError) -> FuseError {
    do { try mapping.checkNotShrunk() } catch { return error }
    return error.at(path: path)
  }
}

// For sorting more entries than fit into memory: an entry as one number, and back.

extension FuseReader {
  /// A number for an entry that a scan came across as the one with `number` in the order of keys: entries with greater keys have greater ones.
  package func place(of entry: Entry, numbered number: Int) throws(FuseError) -> UInt64 {
    if let set = shardSet { return try place(of: entry, in: set) }
    return UInt64(isCompact ? number : entry.entry.offset)
  }

  /// The entry of such a number.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  package func entry(atPlace place: UInt64) throws(FuseError) -> Entry {
    if let compact { return try compactEntry(number: Int(place), in: compact) }
    if let set = shardSet { return try entry(atPlace: place, in: set) }
    return Entry(reader: self, entry: try entry(at: Int(place)))
  }
}
