public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

// Which key covers a question best, as a row.

extension FuseTable {
  /// The key that covers a domain name best, with its value; nil where none does.
  ///
  ///     try orgs.longestSuffix(ofDomain: "mail.google.com")?.value.name   // "Google LLC"
  ///
  /// - Throws: as ``FuseReader/longestSuffix(ofDomain:)-(RawSpan)`` and ``FuseReader/value(_:forKey:decoder:)-(_,RawSpan,_)``; with
  ///   code `invalidValue` when the key is none of the table's type.
  /// - Complexity: as ``FuseReader/longestSuffix(ofDomain:)-(RawSpan)``, and O(bytes of the object).
  public func longestSuffix(ofDomain domain: some FuseKey) throws -> (key: Key, value: Value)? {
    try withReader { reader in
      let reader = reader.forOneCall
      guard let match = try reader.longestSuffix(ofDomain: domain) else { return nil }
      return try row(of: match, in: reader)
    }
  }

  /// The key that covers an e-mail address best, with its value; nil where none does.
  ///
  /// - Throws: as ``longestSuffix(ofDomain:)``.
  /// - Complexity: as ``FuseReader/longestMatch(ofEmail:)-(RawSpan)``, and O(bytes of the object).
  public func longestMatch(ofEmail address: some FuseKey) throws -> (key: Key, value: Value)? {
    try withReader { reader in
      let reader = reader.forOneCall
      guard let match = try reader.longestMatch(ofEmail: address) else { return nil }
      return try row(of: match, in: reader)
    }
  }

  /// The longest key with which `text` begins, with its value; nil where there is none.
  ///
  /// - Throws: as ``longestSuffix(ofDomain:)``.
  /// - Complexity: as ``FuseReader/longestPrefix(of:)-(RawSpan)``, and O(bytes of the object).
  public func longestPrefix(of text: some FuseKey) throws -> (key: Key, value: Value)? {
    try withReader { reader in
      let reader = reader.forOneCall
      guard let match = try reader.longestPrefix(of: text) else { return nil }
      return try row(of: match, in: reader)
    }
  }
}
