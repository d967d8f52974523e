internal import FuseDBFormat
internal import FuseDBReading

/// What a question in the box may mean.
struct Question: Sendable {
  /// A key that answers, and why.
  struct Answer: Sendable {
    enum Reason: String, Sendable {
      case exact
      case normalised
      case network
      case email
      case domain
      case prefix
    }

    var reason: Reason
    var key: [UInt8]
    var offset: UInt64
    /// The network that the key is, where an address asked for it.
    var network: FuseNetwork?
    /// The largest block of addresses with this answer.
    var scope: FuseNetwork?
  }

  /// So long a question is looked for as the beginning of nothing.
  private static let longestMatched = 1024

  var text: [UInt8]
  var answers: [Answer] = []
  /// All networks that hold the address, the longest first.
  var containing: [FuseNetwork] = []
  var address: FuseAddress?

  /// What a text from the box, or a key that is named exactly, leads to.
  ///
  /// - Parameter isKey: whether nothing but the key itself is meant.
  init(_ text: [UInt8], isKey: Bool, _ reader: FuseReader) throws(FuseError) {
    self.text = text
    try add(text, .exact, reader)
    if isKey {
      findNetwork()
      return
    }
    // What was copied from elsewhere often has a space at an end.
    let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || (9...13).contains(byte) }
    let trimmed = Array(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    var text = text
    if answers.isEmpty, trimmed.count < text.count {
      text = trimmed
      self.text = text
      try add(text, .exact, reader)
    }
    if answers.isEmpty, text.contains(UInt8(ascii: "\\")), let spelled = try? EscapedText.bytes(of: text.rawSpan) {
      if try reader.contains(spelled) { self.text = spelled }
      try add(spelled, .exact, reader)
    }
    if answers.isEmpty, let rule = try reader.normalisation, let key = rule.apply(to: text) {
      try add(key, .normalised, reader)
    }
    let words = text.count <= Self.longestMatched ? String(decoding: text, as: UTF8.self) : ""
    if let address = FuseAddress(words) {
      self.address = address
      if let match = try reader.longestMatch(of: address) {
        let key = match.key
        add(
          Answer(
            reason: .network, key: try reader.keyText(of: key).bytes.array(), offset: match.objectOffset, network: key,
            scope: reader.hasNetworks ? match.scope : nil))
      }
      containing = try reader.containing(address).map(\.network)
    } else if text.contains(UInt8(ascii: "@")), text.count <= Self.longestMatched {
      if let match = try reader.longestMatch(ofEmail: text) {
        add(Answer(reason: .email, key: match.key.array(), offset: match.objectOffset))
      }
    } else if text.contains(UInt8(ascii: ".")), text.count <= Self.longestMatched {
      if let match = try reader.longestSuffix(ofDomain: text) {
        add(Answer(reason: .domain, key: match.key.array(), offset: match.objectOffset))
      }
    }
    // Digits of a telephone number, of a card.
    let normal = (try reader.normalisation)?.apply(to: text) ?? text
    if answers.isEmpty, normal.count <= Self.longestMatched, address == nil,
      let match = try reader.longestPrefix(of: normal),
      match.key.byteCount > 0
    {
      add(Answer(reason: .prefix, key: match.key.array(), offset: match.objectOffset))
    }
    try reader.checkNotShrunk()
    findNetwork()
  }

  private mutating func add(_ key: [UInt8], _ reason: Answer.Reason, _ reader: FuseReader) throws(FuseError) {
    guard key.count <= FormatLimits.keyByteCount, let offset = try reader.objectOffset(forKey: key.rawSpan) else {
      return
    }
    add(Answer(reason: reason, key: key, offset: offset))
  }

  private mutating func add(_ answer: Answer) {
    if !answers.contains(where: { $0.key == answer.key }) { answers.append(answer) }
  }

  /// Of keys that are networks, which.
  private mutating func findNetwork() {
    for place in answers.indices where answers[place].network == nil && answers[place].key.count <= 64 {
      let text = String(decoding: answers[place].key, as: UTF8.self)
      answers[place].network = FuseNetwork(text)
    }
  }
}

/// The keys that share an object, a bounded number of them in a request.
struct SharedKeys: Sendable {
  static let mostListed = 50
  /// So many keys are compared where the file has no list.
  static let mostCompared = 200_000
  /// So many keys of a list are passed over.
  private static let mostPassedOver = 2_000_000

  var keys: [KeyTree.Listed] = []
  /// Whether the file has a list of them.
  var isListed: Bool
  /// Where to go on: with a list, how many keys come before; without one, the number of a key.
  var next: Int?
  /// Without a list: which keys were compared.
  var compared = 0..<0

  init(of key: [UInt8], at offset: UInt64, _ reader: FuseReader, from start: Int) throws(FuseError) {
    isListed = reader.index.sections.contains(.reverse)
    if isListed {
      try readList(key, reader, from: min(start, Self.mostPassedOver))
    } else {
      try compare(offset, reader, from: start)
    }
  }

  private mutating func readList(_ key: [UInt8], _ reader: FuseReader, from start: Int) throws(FuseError) {
    guard var scan = try reader.keys(sharing: key) else { return }
    var passed = 0
    while let entry = try scan.next() {
      passed += 1
      guard passed > start else { continue }
      guard keys.count < Self.mostListed else {
        next = passed - 1
        return
      }
      let key = try entry.key
      // A short one needs no number.
      let number = key.count > Link.keyByteCount ? try reader.position(ofFirstKeyNotBefore: key.rawSpan).number : 0
      keys.append(KeyTree.Listed(key: key, number: number, offset: entry.objectOffset))
    }
  }

  private mutating func compare(_ offset: UInt64, _ reader: FuseReader, from start: Int) throws(FuseError) {
    let first = min(start, reader.keyCount)
    let end = min(reader.keyCount, first + Self.mostCompared)
    var scan = try reader.entries(numbered: first..<end).keysOnly
    var number = first
    while let entry = try scan.next() {
      if entry.objectOffset == offset {
        guard keys.count < Self.mostListed else { break }
        keys.append(KeyTree.Listed(key: try entry.key, number: number, offset: offset))
      }
      number += 1
    }
    compared = first..<number
    next = number < reader.keyCount ? number : nil
  }
}
