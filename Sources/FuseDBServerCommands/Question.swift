internal import CFuseHTTP
internal import FuseDB

/// How a key is looked up, and what of its value is wanted.
struct Question {
  enum Matching {
    case exact, network, domain, email, prefix
  }

  var matching = Matching.exact
  var field: FusePath?
  var isMessagePack: Bool

  /// Takes it out of a query; nil where the query is wrong, which the answer then says.
  @inline(__always)
  init?(_ exchange: Exchange) {
    isMessagePack = exchange.wantsMessagePack
    if let text = exchange.parameter(FUSE_PARAMETER_MATCH) {
      guard let matching = Self.matching(text) else {
        exchange.refuse(400, "request", "'match' is one of exact, network, domain, email and prefix")
        return nil
      }
      self.matching = matching
    }
    if let text = exchange.parameter(FUSE_PARAMETER_FIELD) { field = FusePath(text.bytes) }
  }

  private static func matching(_ text: Piece) -> Matching? {
    if text.equals("exact") { return .exact }
    if text.equals("network") { return .network }
    if text.equals("domain") { return .domain }
    if text.equals("email") { return .email }
    return text.equals("prefix") ? .prefix : nil
  }

  /// Calls `body` with the object that answers a key, in place, and with the key that it stands under where that may be another; whether there
  /// is one.
  @inline(__always)
  func find(
    _ key: Piece, in reader: FuseReader, _ body: (_ match: Piece?, _ object: Piece) throws -> Bool
  ) throws -> Bool {
    guard matching != .exact else {
      // SAFETY: the key's bytes stay until the request is answered, and the object's while the reader is used.
      return try unsafe reader.withBytes(forKey: key.span) { try body(nil, Piece($0)) } ?? false
    }
    return try findMatch(key, in: reader, body)
  }

  @inline(never)
  private func findMatch(
    _ key: Piece, in reader: FuseReader, _ body: (_ match: Piece?, _ object: Piece) throws -> Bool
  ) throws -> Bool {
    // SAFETY: the key's bytes stay until the request is answered, and those of the match while the reader is used.
    let span = unsafe key.span
    let isFound: Bool
    switch matching {
    case .exact: preconditionFailure("an exact key has no match")
    case .network:
      guard let address = FuseAddress(text: span) else {
        // A block, or anything else, answers for itself.
        return try reader.withBytes(forKey: span) { try body(key, Piece($0)) } ?? false
      }
      guard let match = try reader.longestMatch(of: address) else { return false }
      let text = try reader.keyText(of: match.key)
      if reader.isCompact {
        return try match.withValue { try body(Piece(text.bytes), Piece($0.messagePack)) } ?? false
      }
      isFound = try body(Piece(text.bytes), Piece(try match.bytes))
    case .domain:
      let reader = reader.forOneCall
      guard let match = try reader.longestSuffix(ofDomain: span) else { return false }
      isFound = try body(Piece(match.key), Piece(match.bytes))
    case .email:
      let reader = reader.forOneCall
      guard let match = try reader.longestMatch(ofEmail: span) else { return false }
      isFound = try body(Piece(match.key), Piece(match.bytes))
    case .prefix:
      let reader = reader.forOneCall
      guard let match = try reader.longestPrefix(of: span) else { return false }
      isFound = try body(Piece(match.key), Piece(match.bytes))
    }
    try reader.checkNotShrunk()
    return isFound
  }

  /// Calls `body` with what is wanted of an object; false where its value has no such field.
  @inline(__always)
  func withWanted(_ object: Piece, _ body: (Piece) throws(FuseError) -> Void) throws(FuseError) -> Bool {
    guard let field else {
      try body(object)
      return true
    }
    // SAFETY: the object's bytes stay while its reader is used.
    let bytes = unsafe object.span
    let view = if let plain = FuseView(plain: bytes) { plain } else { try FuseView(validating: bytes) }
    guard let found = view[path: field] else { return false }
    try body(Piece(found.messagePack))
    return true
  }
}
