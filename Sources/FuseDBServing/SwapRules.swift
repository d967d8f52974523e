internal import FuseDBFormat
public import FuseDBReading
public import FuseDBSystem
internal import FuseDBValues

/// What a new file has to pass before it replaces the one that serves.
///
///     var rules = SwapRules()
///     rules.leastKeyCount = 1_000
///     rules.greatestShrink = 0.2                      // not fewer than 80 % of the keys that are served now
///     rules.requiredKeys = [Array("8.8.8.8".utf8)]
///     rules.accept = { new, old in
///       guard try new.metadata["schema"] == "3" else { throw WrongSchema() }
///     }
public struct SwapRules: Sendable {
  /// How much of a file is verified; nil for no more than opening reads: header, footer and directory, and of a plain
  /// file its index, and all of it unless checksums are skipped. Other damage is then an error when a look-up meets it.
  ///
  /// ``VerificationLevel/checksums`` finds files that were cut short, half copied or changed after they were written. It
  /// does not find those that were written wrong, with right checksums: such a file may have keys twice, or call keys
  /// absent that are there. It is enough where the files come from a writer that you trust.
  /// ``VerificationLevel/full`` finds those too, whether a faulty program or an attacker wrote them.
  public var check: VerificationLevel? = .checksums
  /// How many threads verify it. More finish earlier, and take processors from the look-ups that go on meanwhile.
  public var threadCount = 1
  /// The fewest keys that a file may have.
  public var leastKeyCount = 0
  /// Whether a file without keys may replace one that has some. Such a file mostly comes from a build whose input was
  /// missing.
  public var allowsEmpty = false
  /// The greatest share of the keys that may be missing in comparison with the file that serves, from 0 to 1; nil for
  /// any. A first file is compared with nothing.
  public var greatestShrink: Double?
  /// Keys that a file must hold.
  public var requiredKeys: [[UInt8]] = []
  /// A rule of the caller's own, called last, with the new file and the one that serves; nil for the first file. What
  /// it throws refuses the file. It must not reload what it is a rule of.
  public var accept: (@Sendable (_ new: FuseReader, _ serving: FuseReader?) throws -> Void)?

  /// The default rules: checksums are compared, and no empty file replaces one with keys.
  public init() {}

  /// Throws unless `new` may take the place of `old`.
  package func examine(_ new: FuseReader, insteadOf old: FuseReader?) throws(FuseError) {
    try examineBytes(of: new, insteadOf: old)
    guard new.keyCount >= leastKeyCount else {
      throw .refused(
        "the file has \(counted(new.keyCount, "key")) and needs \(leastKeyCount) at least (rule 'leastKeyCount'); build it of "
          + "all data, or change the rule")
    }
    if !allowsEmpty, new.keyCount == 0, let old, old.keyCount > 0 {
      throw .refused(
        "the file has no keys where the one that serves has \(old.keyCount) (rule 'allowsEmpty'); look at what it was "
          + "built of, or change the rule")
    }
    if let greatestShrink, let old, new.keyCount < old.keyCount {
      guard ReplacementRules.shrink(from: old.keyCount, to: new.keyCount) <= greatestShrink else {
        throw .refused(
          "the file has \(counted(new.keyCount, "key")) where the one that serves has \(old.keyCount), and a share of "
            + "\(greatestShrink) may be missing at most (rule 'greatestShrink'); build it of all data, or change the "
            + "rule")
      }
    }
    for key in requiredKeys where !(try new.contains(key)) {
      throw .refused(
        "the file lacks the key \(quoted(key.keyBytes)), which it must have (rule 'requiredKeys'); build it of all "
          + "data, or change the rule")
    }
    do {
      try accept?(new, old)
    } catch let error as FuseError {
      throw error
    } catch {
      throw .refused("the service's own rule does not accept the file (rule 'accept'): \(error)")
    }
  }

  /// Ends the process when the caller asks for what cannot be.
  func requireSense() {
    precondition(threadCount >= 1, "'threadCount' of the rules is at least 1")
    precondition(
      greatestShrink.map { (0...1).contains($0) } ?? true, "'greatestShrink' of the rules is a share, from 0 to 1")
  }

  private func examineBytes(of new: FuseReader, insteadOf old: FuseReader?) throws(FuseError) {
    guard let level = check else { return }
    // The first damage is reason enough.
    let division = Verifier.Division(threadCount: threadCount)
    let refuse: (Damage) throws(FuseError) -> Void = { damage throws(FuseError) in
      throw FuseError(
        .corrupted, "\(damage.message) (\(damage.kind.rawValue)); 'fusedb verify' lists all damage",
        offset: damage.offset)
    }
    guard let set = new.shards else {
      _ = try Verifier.run(new.mapping, level: level, division: division, progress: nil, onDamage: refuse)
      return
    }
    // Shards that serve already were examined when they came, unless they came by other rules.
    let known = Set(
      (old?.shards.map { set in (0..<set.shardCount).compactMap { set.openedShard($0).map(ObjectIdentifier.init) } })
        ?? [])
    _ = try set.verify(
      level: level, division: division,
      unless: { number in set.openedShard(number).map { known.contains(ObjectIdentifier($0)) } ?? false },
      onDamage: refuse)
  }
}

extension FuseError {
  static func refused(_ message: String) -> FuseError { FuseError(.refused, message) }
}

/// How a ``ReloadableReader`` or a ``FusePool`` serves its files.
public struct ServingOptions: Sendable {
  /// What look-ups compare with its checksum.
  public var checksums = FuseReader.Checksums.verified
  /// How a file is held in memory.
  public var access = FuseAccess.mapped
  /// What a file has to pass before it serves, the first one too.
  public var rules = SwapRules()
  /// How many of the files before this one stay open, for ``Reloadable/rollback()``. Each keeps its disk space, too,
  /// though it has lost its name.
  public var keptFileCount = 0
  /// Whether look-ups are counted, at some six nanoseconds each; see ``ServingCounters/hitCount``.
  public var countsLookups = false

  /// The default options.
  public init() {}
}
