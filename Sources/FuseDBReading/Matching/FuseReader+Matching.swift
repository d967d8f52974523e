public import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

// The key that covers a question best. See spec/matches.md.

extension FuseReader {
  /// The key that covers a domain name best, and its object in place; nil where none does.
  ///
  ///     // keys: google.com, *.cdn.example, .example
  ///     try reader.longestSuffix(ofDomain: "mail.google.com")   // google.com
  ///     try reader.longestSuffix(ofDomain: "A.CDN.Example.")    // *.cdn.example
  ///     try reader.longestSuffix(ofDomain: "cdn.example")       // .example: *.x covers what is below x, not x
  ///     try reader.longestSuffix(ofDomain: "notgoogle.com")     // nil
  ///
  /// A key `x` covers the name x and all names below it, `*.x` those below it, `.x` both. The name itself comes first, then
  /// `.x` of it; then, from the longest name above it on, `*.x`, `.x` and `x`. In the question one trailing dot goes and A to Z
  /// are taken in lower case; keys are taken as they are. A question that is empty, longer than 253 bytes or has an empty
  /// label is no name, and is covered by no key. Punycode is up to the caller. These are no rules of public suffixes: a key
  /// such as `!city.kawasaki.jp` is no exception to another here.
  ///
  /// Nothing is allocated. If the file is truncated between this call and the use of the match, that reads as zeros, and
  /// ``checkNotShrunk()`` throws then.
  ///
  /// - Throws: ``FuseError`` as ``bytes(forKey:)-(RawSpan)``.
  /// - Complexity: as ``contains(_:)-(RawSpan)`` for each name from the question upwards, and each of the three forms; in a file
  ///   that says which lengths its keys have (``FuseWriter/Options/keyLengths``), for those that it may have. A name has at
  ///   most 127 labels.
  @_lifetime(borrow self)
  public func longestSuffix(ofDomain domain: RawSpan) throws(FuseError) -> FuseMatch? {
    var work = MatchWork()
    guard let entry = try entry(covering: domain, &work) else { return nil }
    return try match(of: entry)
  }

  /// The key that covers a domain name best, and its object in place; nil where none does.
  ///
  /// - Throws: as ``longestSuffix(ofDomain:)-(RawSpan)``.
  /// - Complexity: as ``longestSuffix(ofDomain:)-(RawSpan)``.
  @inlinable
  @_lifetime(borrow self)
  public func longestSuffix(ofDomain domain: some FuseKey) throws(FuseError) -> FuseMatch? {
    guard let keyBytes = domain.bytesInPlace else { return try longestSuffix(ofDomain: domain.keySpelling) }
    defer { keyBytes.hold() }
    return try longestSuffix(ofDomain: keyBytes)
  }

  /// The key that covers an e-mail address best, and its object in place: the address itself, or else what covers its domain;
  /// nil where nothing does.
  ///
  ///     // keys: joe@google.com, google.com
  ///     try reader.longestMatch(ofEmail: "joe@Google.com")   // joe@google.com
  ///     try reader.longestMatch(ofEmail: "ann@google.com")   // google.com
  ///
  /// The domain follows the last `@`, and is taken as in ``longestSuffix(ofDomain:)-(RawSpan)``; what is before stays as it
  /// is, upper case too. A question without an `@`, with nothing before it or without a name after it is no address,
  /// and is covered by no key.
  ///
  /// - Throws: ``FuseError`` as ``bytes(forKey:)-(RawSpan)``.
  /// - Complexity: as ``longestSuffix(ofDomain:)-(RawSpan)``, and one look-up more. Nothing is allocated for addresses of less
  ///   than 500 bytes.
  @_lifetime(borrow self)
  public func longestMatch(ofEmail address: RawSpan) throws(FuseError) -> FuseMatch? {
    var work = MatchWork()
    guard let entry = try entry(coveringAddress: address, &work) else { return nil }
    return try match(of: entry)
  }

  /// The key that covers an e-mail address best, and its object in place; nil where none does.
  ///
  /// - Throws: as ``longestMatch(ofEmail:)-(RawSpan)``.
  /// - Complexity: as ``longestMatch(ofEmail:)-(RawSpan)``.
  @inlinable
  @_lifetime(borrow self)
  public func longestMatch(ofEmail address: some FuseKey) throws(FuseError) -> FuseMatch? {
    guard let keyBytes = address.bytesInPlace else { return try longestMatch(ofEmail: address.keySpelling) }
    defer { keyBytes.hold() }
    return try longestMatch(ofEmail: keyBytes)
  }

  /// The longest key with which `text` begins, and its object in place; nil where there is none. All of `text` is such a
  /// beginning, and so is the empty key.
  ///
  ///     // keys: 49, 4930, 1
  ///     try reader.longestPrefix(of: "493012345")   // 4930
  ///     try reader.longestPrefix(of: "4989")        // 49
  ///     try reader.longestPrefix(of: "5")           // nil
  ///
  /// Bytes are compared as they are. Nothing is allocated for a file of any usual keys. If the file is truncated between
  /// this call and the use of the match, that reads as zeros, and ``checkNotShrunk()`` throws then.
  ///
  /// - Throws: ``FuseError`` as ``bytes(forKey:)-(RawSpan)``.
  /// - Complexity: as ``contains(_:)-(RawSpan)`` for each length from that of `text` downwards; in a file that says which
  ///   lengths its keys have (``FuseWriter/Options/keyLengths``), for those. After some forty look-ups or 16 KiB, one
  ///   search in the order of keys tells how much of `text` any key begins with, and lengths up to that are left. However
  ///   hostile the keys, at most 65,576 look-ups are made, each byte is hashed some thousand times at most, and each part
  ///   of the key index is compared with its checksum once. See spec/matches.md §4.
  @_lifetime(borrow self)
  public func longestPrefix(of text: RawSpan) throws(FuseError) -> FuseMatch? {
    var work = MatchWork()
    guard let entry = try entry(beginning: text, &work) else { return nil }
    return try match(of: entry)
  }

  /// The longest key with which `text` begins, and its object in place; nil where there is none.
  ///
  /// - Throws: as ``longestPrefix(of:)-(RawSpan)``.
  /// - Complexity: as ``longestPrefix(of:)-(RawSpan)``.
  @inlinable
  @_lifetime(borrow self)
  public func longestPrefix(of text: some FuseKey) throws(FuseError) -> FuseMatch? {
    guard let keyBytes = text.bytesInPlace else { return try longestPrefix(of: text.keySpelling) }
    defer { keyBytes.hold() }
    return try longestPrefix(of: keyBytes)
  }
}

/// What a search for a match cost.
package struct MatchWork: Equatable, Sendable {
  /// Keys that were looked up.
  package var lookupCount = 0
  /// Bytes that were hashed for them.
  package var hashedByteCount = 0
  /// Searches in the order of keys.
  package var searchCount = 0

  package init() {}
}
