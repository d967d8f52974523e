public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Makes sets of shards: folders of files of which each has the keys that a rule gives it. ``ShardedReader`` reads them. See spec/sharding.md.
///
/// Jobs on several machines build a set together, and one of them publishes it:
///
///     let generation = try FuseSet.generation(in: "geo/")           // before anything is built
///     // on each machine, for each of its shards:
///     let file = try writer.buildShard(3, by: .hash(count: 64), in: "geo/")
///     // then once, with the files of all 64:
///     try FuseSet.publish(files, by: .hash(count: 64), in: "geo/", after: generation)
///
/// Of one file, ``split(_:into:by:options:after:progress:)`` makes a set by itself.
public enum FuseSet {
  /// What ``publish(_:by:in:after:leastKeyCount:greatestShrink:)`` did.
  public struct Report: Sendable, Equatable {
    /// The generation that was published.
    public var generation = 0
    /// How many shards the set has.
    public var shardCount = 0
    /// How many of them the generation before had already.
    public var keptShardCount = 0
    /// Keys in the set.
    public var keyCount = 0
    /// The length of all shards.
    public var byteCount = 0
    /// Keys in the generation before; nil where there was none.
    public var replacedKeyCount: Int?
    /// Files that were swept away, by their names.
    public var sweptFiles: [String] = []
  }

  /// The generation of the set in the folder at `path`; 0 where there is no set. A job asks before it builds its first shard. [GP1]
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `unsupportedVersion` when the manifest there cannot be used.
  public static func generation(in path: String) throws(FuseError) -> Int {
    try SetManifest.inFolder(PinnedPath(path).absolute)?.generation ?? 0
  }

  /// Publishes shards that are in the folder at `path` as a set, in one step, and sweeps away what is left of earlier ones.
  ///
  /// Until this returns, and for readers that are open, the set is what it was. Files of the generation before stay until the next is published.
  ///
  /// - Parameters:
  ///   - shards: all shards, in any order.
  ///   - generation: what ``generation(in:)`` said before they were built.
  ///   - leastKeyCount: the fewest keys that the set may have.
  ///   - greatestShrink: the greatest share of the keys, from 0 to 1, that may be missing compared with the generation before; nil for any.
  /// - Throws: ``FuseError`` with code `outputChanged` when another generation was published meanwhile; `notFound`, `truncated` or `corrupted` when a shard
  ///   is not there as it was built; `refused` when it has too few keys; `invalidValue` when these are not the shards of a set; `inputOutput`. The set is as
  ///   it was then, unless the message says that the new one is in place.
  /// - Complexity: O(shards and files in the folder).
  @discardableResult
  public static func publish(
    _ shards: [ShardFile], by rule: ShardRule, in path: String, after generation: Int, leastKeyCount: Int = 0,
    greatestShrink: Double? = nil
  ) throws(FuseError) -> Report {
    let folder = PinnedPath(path)
    do throws(FuseError) {
      return try publish(shards, by: rule, in: folder, after: generation, leastKeyCount, greatestShrink)
    } catch {
      throw error.at(path: path)
    }
  }

  private static func publish(
    _ shards: [ShardFile], by rule: ShardRule, in folder: PinnedPath, after generation: Int, _ leastKeyCount: Int,
    _ greatestShrink: Double?
  ) throws(FuseError) -> Report {
    let place = folder.absolute
    let lock = try WaitingLock(SetPlace.join(place, SetManifest.lockName))
    defer { withExtendedLifetime(lock) {} }
    let standing = try SetManifest.inFolder(place)
    // [GP3]
    guard standing?.generation ?? 0 == generation else {
      throw FuseError(
        .outputChanged,
        "generation \(standing?.generation ?? 0) of this set was published since these shards were begun after \(generation); the set is as others left it: build again"
      )
    }
    let names = Set(shards.map(\.name))
    let manifest = SetManifest(
      generation: generation + 1, rule: rule,
      shards: shards.sorted { ShardName($0.name)?.number ?? 0 < ShardName($1.name)?.number ?? 0 },
      former: (standing?.shards ?? []).map(\.name).filter { !names.contains($0) })
    if let flaw = manifest.flaw { throw FuseError(.invalidValue, "these are not the shards of a set: \(flaw)") }
    var report = Report(
      generation: manifest.generation, shardCount: shards.count,
      keptShardCount: (standing?.shards ?? []).count { names.contains($0.name) },
      keyCount: shards.reduce(0) { $0 + $1.keyCount }, byteCount: shards.reduce(0) { $0 + $1.byteCount },
      replacedKeyCount: standing?.shards.reduce(0) { $0 + $1.keyCount })
    try check(report, leastKeyCount, greatestShrink)
    for shard in manifest.shards { try check(shard, in: folder) }
    // Before the commit: what others begin after it is none of this. [GP6]
    let strays = try self.strays(in: place, beside: manifest)
    try SmallFile.write(manifest.bytes, to: SetManifest.place(in: place))
    report.sweptFiles = strays.filter { $0.remove() }.map(\.name)
    return report
  }

  private static func check(_ report: Report, _ leastKeyCount: Int, _ greatestShrink: Double?) throws(FuseError) {
    guard report.keyCount >= leastKeyCount else {
      throw FuseError(
        .refused,
        "the new file has \(counted(report.keyCount, "key")) where \(leastKeyCount) is the least (rule 'leastKeyCount'); nothing has changed"
      )
    }
    guard let greatestShrink, let before = report.replacedKeyCount, report.keyCount < before else { return }
    guard ReplacementRules.shrink(from: before, to: report.keyCount) <= greatestShrink else {
      throw FuseError(
        .refused,
        "the new set has \(counted(report.keyCount, "key")) where the one here has \(before), and a share of \(greatestShrink) may be missing at most (rule 'greatestShrink'); nothing has changed"
      )
    }
  }

  /// Throws unless a shard is there. [GP4]
  private static func check(_ shard: ShardFile, in folder: PinnedPath) throws(FuseError) {
    let given = SetPlace.join(folder.given, shard.name)
    do throws(FuseError) {
      try shard.check(FileMapping(path: SetPlace.join(folder.absolute, shard.name), named: given))
    } catch {
      guard error.code == .notFound, error.errno == 2 else { throw error }
      throw FuseError(
        .notFound, "the shard is not in the folder any more: another job published or swept it meanwhile; build again",
        path: given,
        errno: error.errno)
    }
  }

  /// Removes what no manifest names from the folder of a set: shards and unfinished files of jobs that died, were aborted, or wrote after that.
  /// ``publish(_:by:in:after:leastKeyCount:greatestShrink:)`` does that, too.
  ///
  /// A job that is still at work loses the shards that it has finished, unless `age` is longer than it takes.
  ///
  /// - Parameter age: how old files have to be, in seconds since they were written.
  /// - Returns: the names of the files that were removed.
  /// - Throws: ``FuseError`` with code `notFound` where there is no set; `corrupted` or `unsupportedVersion` when its manifest cannot be used: nothing is
  ///   removed then. `inputOutput`.
  @discardableResult
  public static func sweep(_ path: String, olderThan age: Double = 0) throws(FuseError) -> [String] {
    let place = PinnedPath(path).absolute
    guard SetPlace.isSet(path) else { throw SetPlace.isNoSet(path) }
    do throws(FuseError) {
      let lock = try WaitingLock(SetPlace.join(place, SetManifest.lockName))
      defer { withExtendedLifetime(lock) {} }
      guard let manifest = try SetManifest.inFolder(place) else { throw SetPlace.isNoSet(path) }
      let latest = WallClock.now - age
      return try strays(in: place, beside: manifest).filter { stray in
        age <= 0 || FolderFiles.time(of: stray.path).map { $0 <= latest } ?? false
      }.filter { $0.remove() }.map(\.name)
    } catch {
      throw error.at(path: path)
    }
  }

  /// A file that no manifest names.
  private struct Stray {
    let name: String
    let path: String
    let identity: FileIdentity

    /// Removes it, unless it is another one by now. Returns whether it is gone; what cannot be removed waits for the next.
    func remove() -> Bool {
      guard FileIdentity(path: path) == identity else { return false }
      return (try? FolderFiles.remove(path)) != nil
    }
  }

  private static func strays(in folder: String, beside manifest: SetManifest) throws(FuseError) -> [Stray] {
    let kept = Set(manifest.shards.map(\.name) + manifest.former)
    return try StoreFiles.names(in: folder).filter { name in
      !kept.contains(name) && (ShardName(name) != nil || ShardName.isTemporary(name))
    }.map { name in
      let path = SetPlace.join(folder, name)
      return Stray(name: name, path: path, identity: FileIdentity(path: path))
    }
  }
}
