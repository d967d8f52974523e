package import FuseDBFormat
package import FuseDBSystem
internal import FuseDBValues

extension Verifier {
  /// Throws the first damage of a file: what is rebuilt or patched of it would hide the rest.
  ///
  /// - Parameter harmless: what may be wrong all the same.
  @discardableResult
  package static func requireSound(
    _ mapping: FileMapping, except harmless: Set<Damage.Kind> = [], progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> VerificationSummary {
    try run(mapping, level: .full, progress: progress) { damage throws(FuseError) in
      guard !harmless.contains(damage.kind) else { return }
      throw FuseError(
        damage.kind == .truncated ? .truncated : .corrupted,
        "\(damage.message) (\(damage.kind.rawValue)); 'fusedb verify' lists all damage", offset: damage.offset,
        path: mapping.path)
    }
  }
}
