public import FuseDBFormat
public import FuseDBReading
public import FuseDBValues

extension LayeredReader {
  /// Calls `body` with the longest block of any layer that holds an address, and its object in place, and returns what it returns; nil where none
  /// holds it, too. Of equal blocks that of the upper layer counts.
  ///
  /// - Throws: as ``FuseReader/withLongestMatch(of:_:)``, of the first layer that cannot tell; and what `body` throws.
  /// - Complexity: O(layers); of a file without a section of networks as ``FuseReader/longestMatch(of:)-(FuseAddress)``.
  public func withLongestMatch<Result>(
    of address: FuseAddress, _ body: (borrowing FuseNetworkMatch) throws -> Result?
  ) throws -> Result? {
    try withBest { reader in
      let found = try reader.longestMatch(of: address)
      guard let found else { return nil }
      return MatchRank(length: found.key.prefixLength)
    } body: { reader in
      try reader.withLongestMatch(of: address, body)
    }
  }

  /// The value of the longest block that holds an address, whatever it is, or what the closure combines of each layer's longest block, the longest of
  /// them first and of equal ones that of the upper layer; nil where no layer has one.
  ///
  /// - Throws: as ``withLongestMatch(of:_:)-(FuseAddress,_)``; and what the closure throws.
  /// - Complexity: O(layers), and O(bytes of the objects).
  public func value(ofLongestMatch address: FuseAddress) throws -> FuseValue? {
    guard let combine else {
      return try withLongestMatch(of: address) { match in try FuseValue(messagePack: match.bytes) }
    }
    var found: [(length: Int, value: FuseValue)] = []
    for layer in layers {
      let answer = try layer.withReader { reader -> (Int, FuseValue)? in
        try reader.withLongestMatch(of: address) { match in
          (match.key.prefixLength, try FuseValue(messagePack: match.bytes))
        }
      }
      guard let answer else { continue }
      let place = found.firstIndex { $0.length < answer.0 } ?? found.endIndex
      found.insert((answer.0, answer.1), at: place)
    }
    // Not by `?:`, where nil may be a value.
    guard !found.isEmpty else { return nil }
    return try combine(found.map { $0.value })
  }

  /// Calls `body` with the key of any layer that covers a domain name best, and its object in place, and returns what it returns; nil where none does,
  /// too. Which key that is, is a matter of all layers together, as if they were one file; of equal keys that of the upper layer counts.
  ///
  /// - Throws: as ``FuseReader/longestSuffix(ofDomain:)-(RawSpan)``, of the first layer that cannot tell; and what `body` throws.
  /// - Complexity: O(layers), each as ``FuseReader/longestSuffix(ofDomain:)-(RawSpan)``.
  public func withLongestSuffix<Result>(
    ofDomain domain: some FuseKey, _ body: (FuseMatch) throws -> Result?
  ) throws -> Result? {
    let count = MatchRank.nameByteCount(of: domain)
    return try withBest { reader in
      let reader = reader.forOneCall
      let found = try reader.longestSuffix(ofDomain: domain)
      guard let found else { return nil }
      return MatchRank(covering: found.key, nameByteCount: count)
    } body: { reader in
      let reader = reader.forOneCall
      let found = try reader.longestSuffix(ofDomain: domain)
      guard let found else { return nil }
      return try body(found)
    }
  }

  /// Calls `body` with the key of any layer that covers an e-mail address best: the address itself, or what covers its domain; see
  /// ``withLongestSuffix(ofDomain:_:)``.
  ///
  /// - Throws: as ``FuseReader/longestMatch(ofEmail:)-(RawSpan)``, of the first layer that cannot tell; and what `body` throws.
  /// - Complexity: O(layers), each as ``FuseReader/longestMatch(ofEmail:)-(RawSpan)``.
  public func withLongestMatch<Result>(
    ofEmail address: some FuseKey, _ body: (FuseMatch) throws -> Result?
  ) throws -> Result? {
    let count = MatchRank.nameByteCount(of: address)
    return try withBest { reader in
      let reader = reader.forOneCall
      let found = try reader.longestMatch(ofEmail: address)
      guard let found else { return nil }
      return MatchRank(covering: found.key, nameByteCount: count)
    } body: { reader in
      let reader = reader.forOneCall
      let found = try reader.longestMatch(ofEmail: address)
      guard let found else { return nil }
      return try body(found)
    }
  }

  /// Calls `body` with the longest key of any layer with which `text` begins, and its object in place, and returns what it returns; nil where there is
  /// none, too. Of equal keys that of the upper layer counts.
  ///
  /// - Throws: as ``FuseReader/longestPrefix(of:)-(RawSpan)``, of the first layer that cannot tell; and what `body` throws.
  /// - Complexity: O(layers), each as ``FuseReader/longestPrefix(of:)-(RawSpan)``.
  public func withLongestPrefix<Result>(
    of text: some FuseKey, _ body: (FuseMatch) throws -> Result?
  ) throws -> Result? {
    try withBest { reader in
      let reader = reader.forOneCall
      let found = try reader.longestPrefix(of: text)
      guard let found else { return nil }
      return MatchRank(length: found.key.byteCount)
    } body: { reader in
      let reader = reader.forOneCall
      let found = try reader.longestPrefix(of: text)
      guard let found else { return nil }
      return try body(found)
    }
  }

  /// Calls `body` with the reader whose answer is the best one. All readers stay until it ends.
  private func withBest<Result>(
    _ rank: (FuseReader) throws -> MatchRank?, body: (FuseReader) throws -> Result?
  ) throws -> Result? {
    try withBest(from: 0, nil, rank, body)
  }

  private func withBest<Result>(
    from number: Int, _ best: (reader: FuseReader, rank: MatchRank)?, _ rank: (FuseReader) throws -> MatchRank?,
    _ body: (FuseReader) throws -> Result?
  ) throws -> Result? {
    guard number < layers.count else {
      guard let best else { return nil }
      return try body(best.reader)
    }
    return try layers[number].withReader { reader in
      var best = best
      if let found = try rank(reader), best == nil || found > best!.rank { best = (reader, found) }
      return try withBest(from: number + 1, best, rank, body)
    }
  }
}

/// How well a key answers a question: of two answers to one question, the better one is the greater.
package struct MatchRank: Comparable, Sendable {
  /// How many bits or bytes of the question the key says.
  private let length: Int
  /// Of equal lengths, how exactly: see spec/matches.md [Q3].
  private let form: Int

  private init(length: Int, form: Int) {
    self.length = length
    self.form = form
  }

  /// Of a block, or of the beginning of a text.
  package init(length: Int) { self.init(length: length, form: 0) }

  /// Of a key that is the question.
  package static var exact: MatchRank { MatchRank(length: .max) }

  /// Of a key that covers a name or an e-mail address. [Q3] [Q5]
  ///
  /// - Parameter nameByteCount: of the question; see ``nameByteCount(of:)``.
  package init(covering key: RawSpan, nameByteCount: Int) {
    let bytes = Span<UInt8>(_bytes: key)
    let point = UInt8(ascii: ".")
    for i in bytes.indices where bytes[i] == UInt8(ascii: "@") {
      self = .exact
      return
    }
    if bytes.count >= 2, bytes[0] == UInt8(ascii: "*"), bytes[1] == point {
      self.init(length: bytes.count - 2, form: 3)
    } else if bytes.count >= 1, bytes[0] == point {
      self.init(length: bytes.count - 1, form: 2)
    } else {
      // The name itself comes before all else, and a name above it after `*.x` and `.x`.
      self.init(length: bytes.count, form: bytes.count >= nameByteCount ? 4 : 1)
    }
  }

  /// How many bytes the name in a question has: all, but what an address has before it, and one point at the end.
  package static func nameByteCount(of question: RawSpan) -> Int {
    let bytes = Span<UInt8>(_bytes: question)
    var count = 0
    for i in bytes.indices { count = bytes[i] == UInt8(ascii: "@") ? 0 : count + 1 }
    return count > 1 && bytes[bytes.count - 1] == UInt8(ascii: ".") ? count - 1 : count
  }

  /// The same of any key.
  static func nameByteCount(of question: some FuseKey) -> Int {
    guard let bytes = question.bytesInPlace else { return nameByteCount(of: question.keySpelling) }
    defer { bytes.hold() }
    return nameByteCount(of: bytes)
  }

  package static func < (left: MatchRank, right: MatchRank) -> Bool {
    (left.length, left.form) < (right.length, right.form)
  }
}
