package import FuseDBFormat
package import FuseDBSystem
internal import FuseDBValues

// Verification of a set: every shard, whether it is the file that is meant, and whether its keys belong there.

extension ShardedReader {
  /// Checks every shard, and hands out each damage when it is found; see ``FuseReader/verify(path:level:progress:onDamage:)``.
  ///
  /// - Parameter isKnown: whether a shard was verified before, and need not be again.
  package func verify(
    level: VerificationLevel, division: Verifier.Division = Verifier.Division(), progress: ((Double) -> Void)? = nil,
    unless isKnown: (Int) -> Bool = { _ in false }, onDamage: @escaping (Damage) throws(FuseError) -> Void
  ) throws(FuseError) -> VerificationSummary {
    var sum = VerificationSummary(path: path)
    let total = Double(max(1, byteCount))
    var done = 0
    for (number, file) in manifest.shards.enumerated() {
      defer { done += file.byteCount }
      guard !isKnown(number) else { continue }
      let begin = done
      let summary = try verify(number, level, division) {
        progress?((Double(begin) + $0 * Double(file.byteCount)) / total)
      } onDamage: {
        damage throws(FuseError) in
        var damage = damage
        damage.message = "\(file.name): \(damage.message)"
        try onDamage(damage)
      }
      sum.byteCount += summary.byteCount
      sum.keyCount += summary.keyCount
      sum.objectCount += summary.objectCount
      sum.damageCount += summary.damageCount
    }
    progress?(1)
    return sum
  }

  private func verify(
    _ number: Int, _ level: VerificationLevel, _ division: Verifier.Division, progress: @escaping (Double) -> Void,
    onDamage: @escaping (Damage) throws(FuseError) -> Void
  ) throws(FuseError) -> VerificationSummary {
    let file = manifest.shards[number]
    let mapping: FileMapping
    do throws(FuseError) {
      mapping = try mappingOfShard(number)
    } catch {
      guard [.notFound, .truncated, .corrupted].contains(error.code) else { throw error }
      try onDamage(Damage(kind: .shard, offset: error.offset ?? 0, message: error.message))
      return VerificationSummary(path: path, damageCount: 1)
    }
    var summary = try Verifier.run(mapping, level: level, division: division, progress: progress, onDamage: onDamage)
    // A name is what its contents make it. [GF2]
    if let name = ShardName(file.name), try FuseReader.shardChecksum(of: mapping) != name.checksum {
      summary.damageCount += 1
      try onDamage(
        Damage(
          kind: .shard, offset: 0,
          message: "the file has another checksum than its name says: it was changed; restore it from a copy"))
    }
    if level == .full, summary.damageCount == 0 {
      summary.damageCount += try strays(
        in: FuseReader(mapping, checksums: .verified, expecting: .few), number, onDamage)
    }
    return summary
  }

  /// Hands out the keys of a shard that belong elsewhere. [GR4]
  private func strays(
    in shard: FuseReader, _ number: Int, _ onDamage: (Damage) throws(FuseError) -> Void
  ) throws(FuseError) -> Int {
    var count = 0
    var scan = try shard.entries().keysOnly
    while let entry = try scan.next() {
      let key = try entry.keyBytes
      let right = self.number(of: key)
      guard right != number else { continue }
      count += 1
      try onDamage(
        Damage(
          kind: .shard, offset: UInt64(max(0, entry.entry.offset)),
          message:
            "the key \(quoted(key)) stands here and belongs to shard \(right): look-ups do not find it; build the set again"
        ))
    }
    return count
  }
}

extension FuseReader {
  /// The checksum that a shard has in its name: XXH3-64 of the whole file. [GF2]
  package static func shardChecksum(of mapping: FileMapping) throws(FuseError) -> UInt64 {
    var hash = try RunningHash(seed: 0)
    let step = 1 << 20
    var start = 0
    while start < mapping.byteCount {
      try Cancellation.check()
      let end = min(start + step, mapping.byteCount)
      hash.update(mapping.bytes.extracting(start..<end))
      start = end
    }
    try mapping.checkNotShrunk()
    return hash.value
  }

  /// ``verify(path:level:progress:onDamage:)`` of this reader's file, or of its set.
  package func verify(
    level: VerificationLevel, progress: ((Double) -> Void)?, onDamage: @escaping (Damage) throws(FuseError) -> Void
  ) throws(FuseError) -> VerificationSummary {
    guard let set = shardSet else {
      return try Verifier.run(mapping, level: level, progress: progress, onDamage: onDamage)
    }
    return try set.verify(level: level, progress: progress, onDamage: onDamage)
  }

  /// ``verify(path:level:progress:onDamage:)`` of a folder.
  static func verify(
    set: SetPlace, level: VerificationLevel, progress: ((Double) -> Void)?,
    onDamage: @escaping (Damage) throws(FuseError) -> Void
  ) throws(FuseError) -> VerificationSummary {
    let shards: ShardedReader
    do throws(FuseError) {
      shards = try ShardedReader(set, checksums: .verified, access: .mapped)
    } catch {
      guard [.corrupted, .truncated].contains(error.code) else { throw error }
      try onDamage(
        Damage(kind: .shard, offset: error.offset ?? 0, message: "\(SetManifest.fileName): \(error.message)"))
      return VerificationSummary(path: set.path.given, byteCount: set.bytes.count, damageCount: 1)
    }
    return try shards.verify(level: level, progress: progress, onDamage: onDamage)
  }
}
