internal import FuseDBCompact
internal import FuseDBFormat
internal import FuseDBSystem

extension Verifier {
  /// The same of a compact file.
  static func runCompact(
    _ mapping: FileMapping, level: VerificationLevel, progress: ((Double) -> Void)?,
    onDamage: @escaping (Damage) throws(FuseError) -> Void
  ) throws(FuseError) -> VerificationSummary {
    var summary = VerificationSummary(path: mapping.path, byteCount: mapping.byteCount)
    var failure: FuseError?
    let found = try CompactVerifier.run(mapping, isFull: level == .full, progress: progress) { damage in
      guard failure == nil else { return }
      summary.damageCount += 1
      do throws(FuseError) {
        try onDamage(Damage(kind: Damage.Kind(damage.kind), offset: damage.offset, message: damage.message))
      } catch { failure = error }
    }
    if let failure { throw failure }
    (summary.keyCount, summary.objectCount) = (found.keys, found.objects)
    progress?(1)
    return summary
  }
}

extension Damage.Kind {
  fileprivate init(_ kind: CompactDamage.Kind) {
    self =
      switch kind {
      case .header: .header
      case .count: .count
      case .fileChecksum: .fileChecksum
      case .truncated: .truncated
      case .footer: .footer
      case .directory: .directory
      case .padding: .padding
      case .sectionChecksum: .sectionChecksum
      case .metadata: .metadata
      case .lengths: .lengths
      case .row: .objectChecksum
      case .item: .sharedValue
      case .block: .keyBlock
      case .slot: .hash
      }
  }
}
