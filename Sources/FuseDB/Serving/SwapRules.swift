/// What a new file has to pass before it takes the place of the one that serves.
///
///     var rules = SwapRules()
///     rules.leastKeyCount = 1_000
///     rules.greatestShrink = 0.2                      // not fewer than 80 % of the keys that are served now
///     rules.requiredKeys = [Array("8.8.8.8".utf8)]
///     rules.accept = { new, old in
///       guard try new.metadata["schema"] == "3" else { throw WrongSchema() }
///     }
public struct SwapRules: Sendable {
  /// How much of a file is looked at.
  public enum Check: Sendable, Hashable, CaseIterable {
    /// What opening reads: header, footer and directory; of a plain file its index, and all of it unless checksums are
    /// skipped. Damage elsewhere is an error when a look-up meets it.
    case nothing
    /// All of the file by its checksums: ``VerificationLevel/checksums``. It finds files that were cut, half copied or
    /// changed after they were written.
    case structure
    /// ``VerificationLevel/full``: also every key, where it points, and every object, so files that were written wrong.
    case full
  }

  /// How much of a file is looked at.
  public var check = Check.structure
  /// The fewest keys that a file may have.
  public var leastKeyCount = 0
  /// The greatest share of the keys that may be missing in comparison with the file that serves, from 0 to 1; nil for
  /// any. A first file is compared with nothing.
  public var greatestShrink: Double?
  /// Keys that a file must hold.
  public var requiredKeys: [[UInt8]] = []
  /// A rule of the caller's own, called last, with the new file and the one that serves; nil for the first file. What
  /// it throws refuses the file. It must not reload what it is a rule of.
  public var accept: (@Sendable (_ new: FuseReader, _ serving: FuseReader?) throws -> Void)?

  /// The rules by default: the check ``Check/structure`` alone.
  public init() {}

  /// Throws unless `new` may take the place of `old`.
  func examine(_ new: FuseReader, insteadOf old: FuseReader?) throws(FuseError) {
    try examineBytes(of: new)
    guard new.keyCount >= leastKeyCount else {
      throw .refused("the file has \(new.keyCount) keys, and the least is \(leastKeyCount)")
    }
    if let old, let greatestShrink {
      let least = Double(old.keyCount) * (1 - greatestShrink)
      guard Double(new.keyCount) >= least else {
        throw .refused(
          """
          the file has \(new.keyCount) keys where the one that serves has \(old.keyCount), and at most \
          \((greatestShrink * 100).shortened) % may be missing
          """)
      }
    }
    for key in requiredKeys where !(try new.contains(key)) {
      throw .refused("the file lacks the key '\(String(decoding: key, as: UTF8.self))', which it must have")
    }
    do {
      try accept?(new, old)
    } catch let error as FuseError {
      throw error
    } catch {
      throw .refused("the rule of this service does not accept the file: \(error)")
    }
  }

  private func examineBytes(of new: FuseReader) throws(FuseError) {
    let level: VerificationLevel
    switch check {
    case .nothing: return
    case .structure: level = .checksums
    case .full: level = .full
    }
    // The first damage is reason enough.
    _ = try Verifier.run(new.mapping, level: level, progress: nil) { damage throws(FuseError) in
      throw FuseError(
        .corrupted, "\(damage.message) (\(damage.kind.rawValue)); 'fusedb verify' lists all damage",
        offset: damage.offset)
    }
  }
}

extension FuseError {
  static func refused(_ message: String) -> FuseError { FuseError(.refused, message) }
}

extension Double {
  /// Without a fraction of zero.
  fileprivate var shortened: String { self == rounded() ? "\(Int(self))" : "\(self)" }
}
