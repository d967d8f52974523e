public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

// Which key covers a question best, asked of the newest file.

extension Reloadable {
  /// Calls `body` with the key that covers a domain name best in the newest file, and its object, in place, and returns what it
  /// returns; nil where no key does, too. The file stays mapped until `body` ends.
  ///
  ///     try store.withLongestSuffix(ofDomain: "mail.google.com") { try $0.view["org"]?.string }   // "Google LLC"
  ///
  /// - Throws: as ``FuseReader/longestSuffix(ofDomain:)-(RawSpan)``, also when the file shrank while `body` ran; and what `body`
  ///   throws.
  /// - Complexity: as ``FuseReader/longestSuffix(ofDomain:)-(RawSpan)``.
  @inlinable
  public func withLongestSuffix<Result>(
    ofDomain domain: some FuseKey, _ body: (FuseMatch) throws -> Result?
  ) throws -> Result? {
    try counted { reader, isFound in
      let reader = reader.forOneCall
      guard let match = try reader.longestSuffix(ofDomain: domain) else { return nil }
      isFound = true
      return try body(match)
    }
  }

  /// Calls `body` with the key that covers an e-mail address best in the newest file, and its object, in place, and returns
  /// what it returns; nil where no key does, too. The file stays mapped until `body` ends.
  ///
  /// - Throws: as ``FuseReader/longestMatch(ofEmail:)-(RawSpan)``, also when the file shrank while `body` ran; and what `body`
  ///   throws.
  /// - Complexity: as ``FuseReader/longestMatch(ofEmail:)-(RawSpan)``.
  @inlinable
  public func withLongestMatch<Result>(
    ofEmail address: some FuseKey, _ body: (FuseMatch) throws -> Result?
  ) throws -> Result? {
    try counted { reader, isFound in
      let reader = reader.forOneCall
      guard let match = try reader.longestMatch(ofEmail: address) else { return nil }
      isFound = true
      return try body(match)
    }
  }

  /// Calls `body` with the longest key of the newest file with which `text` begins, and its object, in place, and returns what
  /// it returns; nil where there is none, too. The file stays mapped until `body` ends.
  ///
  /// - Throws: as ``FuseReader/longestPrefix(of:)-(RawSpan)``, also when the file shrank while `body` ran; and what `body`
  ///   throws.
  /// - Complexity: as ``FuseReader/longestPrefix(of:)-(RawSpan)``.
  @inlinable
  public func withLongestPrefix<Result>(
    of text: some FuseKey, _ body: (FuseMatch) throws -> Result?
  ) throws -> Result? {
    try counted { reader, isFound in
      let reader = reader.forOneCall
      guard let match = try reader.longestPrefix(of: text) else { return nil }
      isFound = true
      return try body(match)
    }
  }

  /// Calls `body` with a reader of the newest file, and counts one look-up.
  @inlinable
  func counted<Result>(_ body: (FuseReader, inout Bool) throws -> Result?) throws -> Result? {
    do {
      var isFound = false
      let result = try withReader { reader in
        let result = try body(reader, &isFound)
        try reader.checkNotShrunk()
        return result
      }
      countLookups(hits: isFound ? 1 : 0, misses: isFound ? 0 : 1, failures: 0)
      return result
    } catch {
      countLookups(hits: 0, misses: 0, failures: 1)
      throw error
    }
  }
}
