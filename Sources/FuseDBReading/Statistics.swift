internal import FuseDBCompact
public import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// What a file holds, in numbers. All counts are of what is there, not what the header says.
public struct Statistics: Sendable, Equatable {
  /// Keys in the index.
  public var keyCount: Int
  /// Objects in the data section.
  public var objectCount: Int
  /// The file's length.
  public var byteCount: Int
  /// Of this: the header,
  public var headerByteCount: Int
  /// the data section, with 8 bytes a record beside its object,
  public var dataByteCount: Int
  /// and the key index, with 10 bytes an entry beside its key.
  public var indexByteCount: Int
  /// The extension block; 0 in a plain file.
  public var extensionByteCount: Int
  /// All keys' bytes.
  public var keyByteCount: Int
  /// All objects' MessagePack bytes.
  public var objectByteCount: Int
  /// The fewest keys that point at one object.
  public var fewestKeysPerObject: Int
  /// The most keys that point at one object.
  public var mostKeysPerObject: Int
  /// Objects at which no key points.
  public var unreachedObjectCount: Int
  /// How many bytes longer the file would be if every key had its own copy of its object.
  public var bytesSavedBySharing: Int
  /// The CRC-32 of all after the header, as the header has it.
  public var checksum: UInt32
  /// The version of the format.
  public var version: Int
  /// The sections of the extension block, or of a compact file, in the order of the file; none in a plain one.
  ///
  /// In a compact file, `dataByteCount` has the rows alone, and `indexByteCount` the sections of keys; all else is `extensionByteCount`.
  public var sections: [Section] = []

  /// A section of a file.
  public struct Section: Sendable, Hashable {
    /// Four letters, as spec/extension.md and spec/compact.md have them.
    public var name: String
    /// Its length.
    public var byteCount: Int
    /// Whether it is counted in `indexByteCount`.
    public var isOfKeys: Bool
  }

  /// Whether the file is of the compact form.
  public var isCompact: Bool { version == Int(CompactForm.version) }

  /// Keys for each object; 0 in a file without objects.
  public var meanKeysPerObject: Double { objectCount == 0 ? 0 : Double(keyCount) / Double(objectCount) }
}

extension FuseReader {
  /// Counts what the file holds.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` when a record breaks the format, a key points into the middle of
  ///   one, or the header's count of objects is wrong; `truncated` when the file shrank.
  /// - Complexity: O(bytes of the file); 12 bytes of memory an object.
  public func statistics() throws(FuseError) -> Statistics {
    if let set = shardSet { return try set.statistics() }
    if compact != nil { return try compactStatistics() }
    let counted = try countObjects()
    return Statistics(
      keyCount: keyCount, objectCount: counted.objectCount, byteCount: byteCount, headerByteCount: Header.byteCount,
      dataByteCount: dataEnd - Header.byteCount, indexByteCount: index.end - dataEnd,
      extensionByteCount: byteCount - index.end, keyByteCount: counted.keyByteCount,
      objectByteCount: counted.objectByteCount, fewestKeysPerObject: counted.fewestKeys,
      mostKeysPerObject: counted.mostKeys, unreachedObjectCount: counted.unreachedCount,
      bytesSavedBySharing: counted.savedByteCount, checksum: header.checksum, version: Int(Header.version),
      sections: try blockSections())
  }

  /// The sections of the file, as ``Statistics/sections`` has them.
  ///
  /// - Throws: as ``statistics()``.
  /// - Complexity: O(1).
  package func sections() throws(FuseError) -> [Statistics.Section] {
    if shardSet != nil { return try statistics().sections }
    return compact == nil ? try blockSections() : compactSections()
  }

  /// The sections of the extension block that this library knows.
  private func blockSections() throws(FuseError) -> [Statistics.Section] {
    let mapping = mapping
    let file = mapping.bytes
    guard ExtensionFooter.isPresent(in: file) else { return [] }
    let directory = try KeyIndex.block(of: file, header: header).1
    try checkNotShrunk()
    let known: [(name: String, section: ExtensionDirectory.Section?)] = [
      ("HASH", directory.hash), ("ORDR", directory.order), ("META", directory.metadata), ("NETW", directory.networks),
      ("KLEN", directory.lengths), ("REVS", directory.reverse),
    ]
    return known.compactMap { name, section in section.map { (name, $0.range) } }
      .sorted { $0.1.lowerBound < $1.1.lowerBound }
      .map { Statistics.Section(name: $0.0, byteCount: $0.1.count, isOfKeys: false) }
  }

  private func compactSections() -> [Statistics.Section] {
    (compact?.sections ?? []).map {
      Statistics.Section(
        name: $0.name, byteCount: $0.byteCount, isOfKeys: ["KEYS", "LONG", "SYMB"].contains($0.name))
    }
  }

  private func compactStatistics() throws(FuseError) -> Statistics {
    let counted = try countObjects()
    let sections = compactSections()
    let keys = sections.filter { $0.isOfKeys }.reduce(0) { $0 + $1.byteCount }
    let rows = (compact?.rowsEnd ?? 0) - Header.byteCount
    return Statistics(
      keyCount: keyCount, objectCount: counted.objectCount, byteCount: byteCount, headerByteCount: Header.byteCount,
      dataByteCount: rows, indexByteCount: keys, extensionByteCount: byteCount - Header.byteCount - rows - keys,
      keyByteCount: counted.keyByteCount, objectByteCount: counted.objectByteCount,
      fewestKeysPerObject: counted.fewestKeys, mostKeysPerObject: counted.mostKeys,
      unreachedObjectCount: counted.unreachedCount, bytesSavedBySharing: counted.savedByteCount,
      checksum: header.checksum, version: Int(CompactForm.version), sections: sections)
  }

  private struct Counts {
    var objectCount = 0
    var keyByteCount = 0
    var objectByteCount = 0
    var fewestKeys = 0
    var mostKeys = 0
    var unreachedCount = 0
    var savedByteCount = 0
  }

  private func countObjects() throws(FuseError) -> Counts {
    var offsets: [UInt64] = []
    var byteCounts: [UInt32] = []
    var objects = objects()
    while let object = try objects.next() {
      try offsets.grow(by: object.offset)
      try byteCounts.grow(by: UInt32(object.record.byteCount))
    }
    var keysOfObject = try [UInt32](offsets.count, of: 0)
    var keyByteCount = 0
    var last = 0
    var scan = try entries().keysOnly
    while let entry = try scan.next() {
      keyByteCount += entry.entry.keyByteCount
      // In canonical order, a key's object is mostly the one of the key before, or the next.
      if offsets[last] != entry.objectOffset {
        last = offsets.partitioningIndex { $0 >= entry.objectOffset }
        guard last < offsets.count, offsets[last] == entry.objectOffset else {
          throw FuseError.corrupted(
            "the key points at \(entry.objectOffset), where no object begins", at: entry.entry.offset
          ).at(path: path)
        }
      }
      keysOfObject[last] += 1
    }
    var saved = 0
    for (keys, byteCount) in zip(keysOfObject, byteCounts) where keys > 1 {
      saved += (Int(keys) - 1) * (Int(byteCount) + ObjectRecord.overhead)
    }
    return Counts(
      objectCount: offsets.count, keyByteCount: keyByteCount, objectByteCount: byteCounts.reduce(0) { $0 + Int($1) },
      fewestKeys: Int(keysOfObject.min() ?? 0), mostKeys: Int(keysOfObject.max() ?? 0),
      unreachedCount: keysOfObject.count { $0 == 0 }, savedByteCount: saved)
  }
}

extension RandomAccessCollection {
  /// The first index from which on `belongsToSecond` holds, in a collection where it holds for no element and then
  /// for all.
  func partitioningIndex(where belongsToSecond: (Element) -> Bool) -> Index {
    var low = startIndex
    var count = count
    while count > 0 {
      let middle = index(low, offsetBy: count / 2)
      if belongsToSecond(self[middle]) {
        count /= 2
      } else {
        low = index(after: middle)
        count -= count / 2 + 1
      }
    }
    return low
  }
}
