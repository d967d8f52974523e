internal import FuseDB
internal import FuseDBInput

// Several files that answer as one: see FuseDBServing's LayeredReader.

extension Get {
  /// Prints what answers each of `texts`, each of the file that answers it best; returns whether all were answered.
  func answerInLayers(_ texts: [[UInt8]], _ asking: Asking, _ console: Console) throws(FuseError) -> Bool {
    var areAllThere = true
    for text in texts {
      var upper = asking
      upper.under = []
      // Where none answers, the uppermost says so.
      var best = (asking: upper, rank: try rank(of: text, upper))
      for layer in asking.under {
        guard let rank = try rank(of: text, layer) else { continue }
        guard let known = best.rank else {
          best = (layer, rank)
          continue
        }
        if rank > known { best = (layer, rank) }
      }
      if try !answer([text], best.asking, console) { areAllThere = false }
    }
    return areAllThere
  }

  /// How well a file answers a question; nil where it does not.
  private func rank(of text: [UInt8], _ asking: Asking) throws(FuseError) -> MatchRank? {
    var key = text
    if let rule = asking.rule {
      guard let written = rule.apply(to: text.rawSpan) else { return nil }
      key = written
    }
    let reader = asking.reader
    switch matching {
    case .none where reader.hasNetworks, .network?:
      if let address = FuseAddress(text: key.rawSpan), try isAddressAlone(key, address, reader) {
        let found = try reader.longestMatch(of: address)
        guard let found else { return nil }
        return MatchRank(length: found.key.prefixLength)
      }
      if try reader.contains(key) { return .exact }
      guard let spelling = NetworkSpelling(key.rawSpan), !spelling.isAddress, !spelling.flaws.contains(.hostBits) else {
        return nil
      }
      let canonical = try reader.keyText(of: spelling.network)
      return try reader.contains(canonical.bytes) ? .exact : nil
    case .none where asking.rule == .domain, .domain?:
      let found = try reader.longestSuffix(ofDomain: key)
      guard let found else { return nil }
      return MatchRank(covering: found.key, nameByteCount: MatchRank.nameByteCount(of: key.rawSpan))
    case .email?:
      let found = try reader.longestMatch(ofEmail: key)
      guard let found else { return nil }
      return MatchRank(covering: found.key, nameByteCount: MatchRank.nameByteCount(of: key.rawSpan))
    case .prefix?:
      let found = try reader.longestPrefix(of: key)
      guard let found else { return nil }
      return MatchRank(length: found.key.byteCount)
    case .none, .exact?: return try reader.contains(key) ? .exact : nil
    }
  }
}
