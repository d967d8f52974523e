extension FuseReader {
  /// Calls `body` with the bytes of the object under `key`, in place, and returns what it returns; nil when the file has no such key.
  ///
  ///     try reader.withBytes(forKey: "8.8.8.8") { bytes in bytes.byteCount }   // 31
  ///
  /// Nothing is copied or allocated. The bytes are one MessagePack value.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` when the object is not what its checksum says, `truncated` when the file shrank
  ///   since it was opened; and what `body` throws.
  /// - Complexity: O(1): one bucket, one index entry, one object.
  @inline(__always)
  public func withBytes<Result>(forKey key: RawSpan, _ body: (RawSpan) throws -> Result) throws -> Result? {
    guard let record = try find(key) else { return nil }
    let mapping = mapping
    let result = try body(mapping.bytes.extracting(record.range))
    try mapping.checkNotShrunk()
    return result
  }

  /// Calls `body` with the bytes of the object under `key`, in place, and returns what it returns; nil when the file has no such key.
  ///
  /// - Throws: as ``withBytes(forKey:_:)-(RawSpan,_)``.
  /// - Complexity: O(1).
  @inline(__always)
  public func withBytes<Result>(forKey key: some FuseKey, _ body: (RawSpan) throws -> Result) throws -> Result? {
    try key.withKeyBytes { key throws in try withBytes(forKey: key, body) }
  }

  /// A copy of the object under `key`, or nil when the file has no such key.
  ///
  ///     try reader.bytes(forKey: "8.8.8.8")     // 31 bytes of MessagePack
  ///     try reader.bytes(forKey: "nowhere")     // nil
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated`, as ``withBytes(forKey:_:)-(RawSpan,_)``.
  /// - Complexity: O(1), and the copy.
  public func bytes(forKey key: some FuseKey) throws(FuseError) -> [UInt8]? {
    try key.withKeyBytes { key throws(FuseError) in
      guard let record = try find(key) else { return nil }
      return try copy(record)
    }
  }

  /// Whether the file holds `key`. The object is neither read nor compared with its checksum.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  /// - Complexity: O(1): one bucket and, when the key is there, one index entry.
  @inline(__always)
  public func contains(_ key: RawSpan) throws(FuseError) -> Bool {
    try objectOffset(forKey: key) != nil
  }

  /// Whether the file holds `key`.
  ///
  /// - Throws: as ``contains(_:)-(RawSpan)``.
  /// - Complexity: O(1).
  @inline(__always)
  public func contains(_ key: some FuseKey) throws(FuseError) -> Bool {
    try key.withKeyBytes { key throws(FuseError) in try contains(key) }
  }

  /// The record under `key`, its checksum compared.
  @inline(__always)
  func find(_ key: RawSpan) throws(FuseError) -> ObjectRecord? {
    guard let offset = try objectOffset(forKey: key) else { return nil }
    return try record(at: offset)
  }

  /// Where the record under `key` begins, as the index has it.
  @inline(__always)
  func objectOffset(forKey key: RawSpan) throws(FuseError) -> UInt64? {
    let mapping = mapping
    let file = mapping.bytes
    let hash = key.hash(seed: index.hash.seed)
    let offset = try index.hash.first(hash: hash) { offset throws(FuseError) -> UInt64? in
      guard let entry = IndexEntry(at: offset, in: file) else { throw changed(at: offset) }
      let stored = file.extracting(entry.keyRange)
      if stored.equals(key) { return entry.objectOffset }
      // Another key of the same tag, or the key that was here when the file was opened, damaged since.
      guard index.hash.isPlausible(stored.hash(seed: index.hash.seed), nextTo: hash) else { throw changed(at: offset) }
      return nil
    }
    if offset == nil { try mapping.checkNotShrunk() }
    return offset
  }

  /// The record at `offset`, inside the data section and equal to its checksum. [D2] [D3]
  @inline(__always)
  func record(at offset: UInt64) throws(FuseError) -> ObjectRecord {
    let mapping = mapping
    let file = mapping.bytes
    guard let record = ObjectRecord(at: offset, before: dataEnd, in: file) else { throw outOfBounds(offset) }
    if checksums == .verified {
      let checksum = Checksum.of(file.extracting(record.range))
      guard checksum == record.checksum else { throw damaged(record, checksum: checksum) }
    }
    try mapping.checkNotShrunk()
    return record
  }

  /// The bytes of a record that `record(at:)` returned.
  func copy(_ record: ObjectRecord) throws(FuseError) -> [UInt8] {
    let mapping = mapping
    let bytes = mapping.bytes.extracting(record.range).array()
    try mapping.checkNotShrunk()
    return bytes
  }

  @inline(never)
  private func outOfBounds(_ offset: UInt64) -> FuseError {
    unlessShrunk(.corrupted("the object here runs past the end of the data section at \(dataEnd)", at: offset))
  }

  @inline(never)
  private func damaged(_ record: ObjectRecord, checksum: UInt32) -> FuseError {
    unlessShrunk(
      .corrupted(
        """
        the object's checksum is \(checksum.hexadecimal) and its record says \(record.checksum.hexadecimal); \
        'fusedb verify' lists the damage
        """, at: record.offset))
  }

  @inline(never)
  func changed(at offset: some BinaryInteger) -> FuseError {
    unlessShrunk(.corrupted("the key index is not what it was when the file was opened; open the file again", at: offset))
  }

  /// `error` with the file's path; or, where the file shrank, the error that says so.
  private func unlessShrunk(_ error: FuseError) -> FuseError {
    do { try mapping.checkNotShrunk() } catch { return error }
    return error.at(path: path)
  }
}
