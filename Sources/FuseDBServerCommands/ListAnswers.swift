internal import CFuseHTTP
internal import FuseDB
internal import FuseDBCommands
internal import FuseDBPatching
internal import FuseDBReading

/// Answers that are lists, given page by page: a cursor is the key of the last row, so pages fit together also when the file changes
/// between them.
struct ListAnswers {
  /// How many keys are compared for a page: of two files, or where a file has no reverse index.
  private static let mostCompared = 200_000
  /// A page with so many bytes takes no more rows.
  private static let mostBytes = 8 << 20

  private let exchange: Exchange
  private let reader: FuseReader
  private let limit: Int
  private let after: [UInt8]?

  /// Takes the page out of the query; nil where that is wrong, which the answer then says.
  init?(_ exchange: Exchange, _ reader: FuseReader, _ keyLimit: Int) {
    self.exchange = exchange
    self.reader = reader
    if let text = exchange.parameter(FUSE_PARAMETER_LIMIT) {
      let isDecimal = text.bytes.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= $0 }
      guard isDecimal, let limit = Int(text.string), (1...keyLimit).contains(limit) else {
        exchange.refuse(400, "request", "'limit' is a number from 1 to \(keyLimit)")
        return nil
      }
      self.limit = limit
    } else {
      limit = min(100, keyLimit)
    }
    guard let text = exchange.parameter(FUSE_PARAMETER_AFTER) else {
      after = nil
      return
    }
    guard let key = Cursor.key(text.bytes) else {
      exchange.refuse(400, "request", "'after' is not what an answer had as 'next'")
      return nil
    }
    after = key
  }

  /// Keys that begin alike, with their values.
  func answerPrefix() throws(FuseError) {
    guard let question = Question(exchange) else { return }
    let prefix = exchange.parameter(FUSE_PARAMETER_PREFIX)?.bytes ?? []
    var first = prefix
    // The first key after one is that key with a zero byte.
    if let after, prefix.lexicographicallyPrecedes(after) { first = after + [0] }
    var scan = try reader.entries(from: first)
    begin("entries")
    var last: [UInt8]?
    var count = 0
    var hasMore = false
    while let entry = try scan.next() {
      let key = try entry.key
      guard key.starts(with: prefix) else { break }
      guard count < limit, !exchange.out.isFull(Self.mostBytes) else {
        hasMore = true
        break
      }
      appendKey(key, count)
      let end = exchange.out.count
      exchange.out.append(",\"value\":")
      let isThere = try question.withWanted(Piece(try entry.bytes)) { value throws(FuseError) in
        try exchange.out.append(value: value)
      }
      if !isThere { exchange.out.count = end }
      exchange.out.append("}")
      last = key
      count += 1
    }
    try end(hasMore ? last : nil)
  }

  /// The keys that share an object.
  func answerAliases() throws(FuseError) {
    guard let key = exchange.parameter(FUSE_PARAMETER_KEY)?.bytes else {
      return exchange.refuse(400, "request", "the query has no 'key'")
    }
    guard let object = try reader.objectOffset(forKey: key.rawSpan) else {
      return exchange.refuse(404, "absent", "the file has no such key")
    }
    begin("keys")
    var last: Entry?
    var count = 0
    var hasMore = false
    if reader.hasReverseIndex {
      var scan = try reader.keys(ofObjectAt: object)
      while let entry = try scan.next() {
        let key = try entry.key
        if let after, !after.lexicographicallyPrecedes(key) { continue }
        guard count < limit else {
          hasMore = true
          break
        }
        appendListed(key, &count)
        last = entry
      }
    } else {
      // Keys up to the cursor were compared for the pages before.
      var scan = try reader.entries(from: after.map { $0 + [0] } ?? [])
      var left = Self.mostCompared
      while let entry = try scan.next() {
        let isOne = entry.objectOffset == object
        guard left > 0, !isOne || count < limit else {
          hasMore = true
          break
        }
        left -= 1
        if isOne { appendListed(try entry.key, &count) }
        last = entry
      }
    }
    try end(hasMore ? last?.key : nil)
  }

  /// The keys whose answers differ from those of another file, with both.
  func answerDifferences(from old: FuseReader) throws(FuseError) {
    // Keys up to the cursor were compared for the pages before.
    let start = try after.map { after throws(FuseError) in
      let first = after + [0]
      return (try old.number(of: first), try reader.number(of: first))
    }
    var differences = try reader.differences(from: old, startingAt: start ?? (0, 0))
    begin("changes")
    var last: [UInt8]?
    var count = 0
    var hasMore = false
    var left = Self.mostCompared
    while let difference = try differences.next(lookingAt: &left) {
      let key = try difference.entry.key
      guard count < limit, !exchange.out.isFull(Self.mostBytes) else {
        hasMore = true
        break
      }
      appendKey(key, count)
      switch difference {
      case .added(let entry):
        exchange.out.append(",\"change\":\"added\",\"new\":")
        try exchange.out.append(value: Piece(try entry.bytes))
      case .removed(let entry):
        exchange.out.append(",\"change\":\"removed\",\"old\":")
        try exchange.out.append(value: Piece(try entry.bytes))
      case .changed(let oldEntry, let newEntry):
        exchange.out.append(",\"change\":\"changed\",\"old\":")
        try exchange.out.append(value: Piece(try oldEntry.bytes))
        exchange.out.append(",\"new\":")
        try exchange.out.append(value: Piece(try newEntry.bytes))
      }
      exchange.out.append("}")
      last = key
      count += 1
    }
    if !hasMore, !differences.isAtEnd {
      // So many were equal that the next page compares the others.
      let numbers = differences.numbers
      let (theirs, ours) = (try old.key(before: numbers.old), try reader.key(before: numbers.new))
      last = theirs.lexicographicallyPrecedes(ours) ? ours : theirs
      hasMore = true
    }
    try old.checkNotShrunk()
    try end(hasMore ? last : nil)
  }

  private func begin(_ name: StaticString) {
    exchange.answer(200, .json, generation: reader.generation, isTagged: true)
    exchange.out.append("{\"")
    exchange.out.append(name)
    exchange.out.append("\":[")
  }

  private func appendKey(_ key: [UInt8], _ count: Int) {
    exchange.out.append(count > 0 ? ",\n{\"key\":" : "{\"key\":")
    exchange.out.append(key: Piece(key.rawSpan))
  }

  /// A key of a list of keys.
  private func appendListed(_ key: [UInt8], _ count: inout Int) {
    if count > 0 { exchange.out.append(",") }
    exchange.out.append(key: Piece(key.rawSpan))
    count += 1
  }

  private func end(_ last: [UInt8]?) throws(FuseError) {
    try reader.checkNotShrunk()
    exchange.out.append("],\"next\":")
    if let last {
      exchange.out.append("\"")
      exchange.out.append(Cursor.text(after: last))
      exchange.out.append("\"}\n")
    } else {
      exchange.out.append("null}\n")
    }
  }
}

extension FuseReader {
  /// How many keys come before one.
  fileprivate func number(of key: [UInt8]) throws(FuseError) -> Int {
    try position(ofFirstKeyNotBefore: key.rawSpan).number
  }

  /// The key before the one with a number; no bytes where there is none.
  fileprivate func key(before number: Int) throws(FuseError) -> [UInt8] {
    number == 0 ? [] : try entry(number: number - 1).key
  }
}

/// Where the next page begins: the last key, as base64url without padding.
enum Cursor {
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  static func text(after key: [UInt8]) -> [UInt8] {
    // One byte before it, so that also the empty key makes a text.
    var out: [UInt8] = [UInt8(ascii: "k")]
    var bits: UInt32 = 0
    var have = 0
    for byte in key {
      bits = bits << 8 | UInt32(byte)
      have += 8
      while have >= 6 {
        have -= 6
        out.append(letters[Int(bits >> UInt32(have) & 63)])
      }
      bits &= 63
    }
    if have > 0 { out.append(letters[Int(bits << UInt32(6 - have) & 63)]) }
    return out
  }

  static func key(_ text: [UInt8]) -> [UInt8]? {
    guard text.first == UInt8(ascii: "k"), text.count % 4 != 2 else { return nil }
    var out: [UInt8] = []
    var bits: UInt32 = 0
    var have = 0
    for letter in text.dropFirst() {
      guard let value = letters.firstIndex(of: letter) else { return nil }
      bits = bits << 6 | UInt32(value)
      have += 6
      if have >= 8 {
        have -= 8
        out.append(UInt8(bits >> UInt32(have) & 255))
      }
      bits &= 255
    }
    // One spelling for the same key.
    return self.text(after: out) == text ? out : nil
  }
}
