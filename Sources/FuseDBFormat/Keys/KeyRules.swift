/// What happens to a key before it is added to a file.
package struct KeyRules: Sendable {
  /// How keys are rewritten; nil for not at all.
  package var normalisation: KeyNormalisation?
  /// Whether a block of addresses must be in its one spelling.
  package var checksNetworks: Bool
  /// Whether the bits after its prefix become 0.
  package var masksHostBits: Bool
  /// What messages call the options that would accept a key.
  package var names = (masking: "masksHostBits", network: "normalisation = .network")

  package init(
    normalisation: KeyNormalisation? = nil, checksNetworks: Bool = false, masksHostBits: Bool = false
  ) {
    self.normalisation = normalisation
    self.checksNetworks = checksNetworks || masksHostBits || normalisation == .network
    self.masksHostBits = masksHostBits
  }

  /// Whether every key stays as it is.
  @inlinable package var isEmpty: Bool { normalisation == nil && !checksNetworks }

  /// What becomes of a key; nil where it stays as it is.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when it is refused.
  @inline(never)
  package func rewritten(_ key: RawSpan) throws(FuseError) -> [UInt8]? {
    var text: [UInt8]?
    if let normalisation, normalisation != .network {
      guard let applied = normalisation.apply(to: key) else { throw normalisation.refusal(of: key) }
      text = applied
    }
    guard checksNetworks else { return text }
    if let text { return try network(text.rawSpan) ?? text }
    return try network(key)
  }

  private func network(_ key: RawSpan) throws(FuseError) -> [UInt8]? {
    switch NetworkKey(key) {
    case .other: return nil
    case .broken(let reason): throw FuseError(.invalidValue, "\(quoted(key)) is no block of addresses: \(reason)")
    case .block(let block):
      var accepted: NetworkSpelling.Flaws = []
      if masksHostBits { accepted.insert(.hostBits) }
      if normalisation == .network { accepted.insert(.spelling) }
      if let refusal = block.refusal(of: key, accepting: accepted) {
        let option = block.flaws.subtracting(accepted).contains(.hostBits) ? names.masking : names.network
        throw FuseError(refusal.code, "\(refusal.message), or let \(option) do that")
      }
      return block.flaws.isEmpty ? nil : block.canonical.bytes.array()
    }
  }
}
