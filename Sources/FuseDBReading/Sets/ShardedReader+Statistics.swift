public import FuseDBFormat

extension ShardedReader {
  /// The sums of what the shards hold; an object that several shards have is counted in each.
  ///
  /// - Throws: as ``FuseReader/statistics()``, of the first shard that cannot tell.
  /// - Complexity: O(bytes of the set).
  public func statistics() throws(FuseError) -> Statistics {
    var sum = try shard(at: 0).statistics()
    var fewest = sum.objectCount > 0 ? sum.fewestKeysPerObject : Int.max
    for number in 1..<max(1, shardCount) {
      let next = try shard(at: number).statistics()
      if next.objectCount > 0 { fewest = min(fewest, next.fewestKeysPerObject) }
      sum.add(next)
    }
    sum.fewestKeysPerObject = fewest == .max ? 0 : fewest
    sum.checksum = manifest.checksum
    return sum
  }
}

extension Statistics {
  fileprivate mutating func add(_ other: Statistics) {
    keyCount += other.keyCount
    objectCount += other.objectCount
    byteCount += other.byteCount
    headerByteCount += other.headerByteCount
    dataByteCount += other.dataByteCount
    indexByteCount += other.indexByteCount
    extensionByteCount += other.extensionByteCount
    keyByteCount += other.keyByteCount
    objectByteCount += other.objectByteCount
    mostKeysPerObject = max(mostKeysPerObject, other.mostKeysPerObject)
    unreachedObjectCount += other.unreachedObjectCount
    bytesSavedBySharing += other.bytesSavedBySharing
    version = max(version, other.version)
    for section in other.sections {
      if let place = sections.firstIndex(where: { $0.name == section.name }) {
        sections[place].byteCount += section.byteCount
      } else {
        sections.append(section)
      }
    }
  }
}
