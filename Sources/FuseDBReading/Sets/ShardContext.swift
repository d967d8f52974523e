public import CFuseFaults
internal import CFuseIntrinsics
public import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

// SAFETY: all pointers lead into the mapping of the shard's reader, which the set keeps as long as the context; what is read there was compared
// with its limits, as in a look-up of that reader.
/// What a look-up reads of a shard beside the file: two cache lines, where the reader's own objects have ten.
///
/// With 64 shards that is 8 KiB, which stays in the first-level cache. What a context cannot tell, the reader does, from the start: damage, a file that
/// shrank, a shard without a table.
@unsafe
@usableFromInline struct ShardContext {
  /// From one context to the next.
  @inlinable static var byteCount: Int { 128 }

  /// The shard's reader, retained; 0 until the shard is open. It is written once, after all else, and accessed as an atomic word.
  @usableFromInline var reader: UInt = 0
  @usableFromInline var dataEnd = 0
  // SAFETY: zeros until the shard is open, and not used before that.
  @usableFromInline var ends = unsafe fuse_region_ends()
  /// The table of the shard's file; nil where it has none, and the reader answers.
  @usableFromInline var table: HashSectionTable?

  init() {}

  // SAFETY: the reader has all of it, and stays as long as the context.
  /// Has all but the reader's address.
  init(of reader: FuseReader) {
    unsafe dataEnd = reader.dataEnd
    unsafe ends = reader.mapping.ends
    unsafe table = reader.index.table
  }

}

/// What a context says of a key in place of its object's offset.
@usableFromInline enum ShardAnswer {
  @inlinable static var isAbsent: UInt64 { .max }
  /// The reader has to tell.
  @inlinable static var isUnknown: UInt64 { .max - 1 }
}

// SAFETY: as for the type; a context that is asked is there.
extension UnsafeMutablePointer<ShardContext> {
  /// Whether the file is whole; where that takes more than a look, false.
  @inlinable
  @inline(__always)
  var isPlainlyWhole: Bool {
    // SAFETY: both ends can be read as long as the mapping.
    unsafe fuse_ends_are_whole(&pointee.ends)
  }

  // SAFETY: the context is there, and the table's pointers lead into the mapping.
  /// Where the record under `key` begins, ``ShardAnswer/isAbsent`` or ``ShardAnswer/isUnknown``.
  @inlinable
  @inline(__always)
  func objectOffset(forKey key: RawSpan, isVerified: Bool) -> UInt64 {
    guard let table = unsafe pointee.table else { return ShardAnswer.isUnknown }
    let hash = key.hash(seed: table.section.seed)
    return unsafe objectOffset(forKey: key, hash: hash, probe: table.probe(of: hash), in: table, isVerified: isVerified)
  }

  // SAFETY: as before.
  /// The same where the probe of the key's hash is known.
  @inlinable
  @inline(__always)
  func objectOffset(
    forKey key: RawSpan, hash: UInt64, probe: HashSectionTable.Probe, in table: HashSectionTable, isVerified: Bool,
    isFlat: Bool = false
  ) -> UInt64 {
    let slot = table.slot(probe)
    if slot.tag == HashLine.tag(of: hash) {
      // Another key of the same tag, or damage. [X15] [X17]
      return table.compare(key, with: slot, isFlat: isFlat) == .found ? slot.object : ShardAnswer.isUnknown
    }
    // [X16]
    if isVerified, !table.isSound(probe) { return ShardAnswer.isUnknown }
    return unsafe isPlainlyWhole ? ShardAnswer.isAbsent : ShardAnswer.isUnknown
  }

  /// The bytes of the object at `offset`, if they are what its checksum says, in a file that is whole. [D2] [D3]
  @inlinable
  @inline(__always)
  func object(at offset: UInt64, in table: HashSectionTable, isVerified: Bool) -> UnsafeRawBufferPointer? {
    let dataEnd = unsafe pointee.dataEnd
    // SAFETY: the data section begins with the file, and ends where the index begins.
    let base = unsafe table.index - dataEnd
    let data = unsafe RawSpan(_unsafeStart: base, byteCount: dataEnd)
    guard let record = ObjectRecord(at: offset, before: dataEnd, in: data) else { return nil }
    let bytes = unsafe UnsafeRawBufferPointer(start: base + record.start, count: record.byteCount)
    if isVerified, unsafe Checksum.of(RawSpan(_unsafeBytes: bytes)) != record.checksum { return nil }
    return unsafe isPlainlyWhole ? bytes : nil
  }

  /// Asks for cache lines of the object that begins at `offset`, which may be any number.
  func prefetch(at offset: UInt64, in table: HashSectionTable, lineCount: UInt) {
    // SAFETY: a prefetch of any address is harmless; nothing is read.
    let address =
      unsafe UInt(bitPattern: table.index) &- UInt(bitPattern: pointee.dataEnd) &+ UInt(truncatingIfNeeded: offset)
    for line in 0..<lineCount { fuse_prefetch_address(address &+ 64 &* line) }
  }
}
