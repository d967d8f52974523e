import ProgramSupport

import FuseDB

@testable import FuseDBWriting

/// Which key covers a question best, by a plain loop over all keys and the letter of spec/matches.md.
struct MatchModel {
  let keys: Set<Key>

  /// The key that covers a domain best. §2
  func suffix(ofDomain domain: [UInt8]) -> Key? {
    guard let name = Self.name(domain) else { return nil }
    var best: (key: Key, rank: [Int])?
    for key in keys {
      var covered = key.bytes
      var form = 0
      if covered.starts(with: [UInt8(ascii: "*"), UInt8(ascii: ".")]) {
        covered.removeFirst(2)
        form = 2
      } else if covered.first == UInt8(ascii: ".") {
        covered.removeFirst()
        form = 1
      }
      let labels = Self.labels(covered)
      let isSame = labels == name
      let isBelow = labels.count < name.count && Array(name.suffix(labels.count)) == labels
      let isItself = Self.labels(key.bytes) == name
      guard isItself || isSame && form != 2 || isBelow else { continue }
      // More labels come first; among equal ones the name itself, then `*.x`, `.x` and `x`.
      let rank = isItself ? [name.count, 3] : [labels.count, form]
      if best.map({ $0.rank.lexicographicallyPrecedes(rank) }) ?? true { best = (key, rank) }
    }
    return best?.key
  }

  /// The key that covers an address best. §3
  func match(ofEmail address: [UInt8]) -> Key? {
    guard let at = address.lastIndex(of: UInt8(ascii: "@")), at > 0, let name = Self.name(Array(address[(at + 1)...]))
    else {
      return nil
    }
    let whole = Key(address[...at] + Array(name.joined(separator: [UInt8(ascii: ".")])))
    return keys.contains(whole) ? whole : suffix(ofDomain: Array(address[(at + 1)...]))
  }

  /// The longest key with which a text begins. §4
  func prefix(of text: [UInt8]) -> Key? {
    keys.filter { text.starts(with: $0.bytes) }.max { $0.bytes.count < $1.bytes.count }
  }

  /// The labels of a name in lower case; nil where it is none.
  private static func name(_ domain: [UInt8]) -> [[UInt8]]? {
    var domain = domain.map { $0 >= 0x41 && $0 <= 0x5A ? $0 + 0x20 : $0 }
    if domain.last == UInt8(ascii: ".") { domain.removeLast() }
    let labels = labels(domain)
    return domain.count > 253 || labels.contains([]) ? nil : labels
  }

  private static func labels(_ name: [UInt8]) -> [[UInt8]] {
    name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init)
  }
}

/// The section `KLEN` of keys, by the letter of spec/matches.md §5.
enum ReferenceLengths {
  static func section(_ keys: some Sequence<Key>) -> [UInt8] {
    var bits: Set<Int> = []
    var longest = -1
    for key in keys.map(\.bytes) {
      longest = max(longest, key.count)
      bits.insert(1024 + key.count)
      if key.contains(0x40) { bits.insert(192) }
      let form = key.first == 0x2E ? 1 : key.starts(with: [0x2A, 0x2E]) ? 2 : 0
      let name = key.dropFirst(form)
      guard name.count <= 253 else { continue }
      bits.insert(64 * form + min(63, name.count { $0 == 0x2E }))
      bits.insert(256 + 256 * form + name.count)
    }
    var bytes = [UInt8](repeating: 0, count: 128 + (longest + 64) / 64 * 8)
    for bit in bits { bytes[bit / 8] |= 1 << UInt8(bit % 8) }
    return bytes
  }
}

/// Readers of the same keys, in files of all kinds.
struct MatchBench {
  let keys: Set<Key>
  var model: MatchModel { MatchModel(keys: keys) }

  init(_ keys: some Sequence<Key>) { self.keys = Set(keys) }
  init(_ keys: [String]) { self.init(keys.map { Key($0) }) }

  enum Kind: CaseIterable {
    /// With key lengths, and without; in each kind of line.
    case lengths, lengthsFiveSlots, block, blockFiveSlots
    /// With key lengths and no hash index in the file.
    case lengthsAlone
    case plain
    /// Without a hash index in memory, too.
    case plainForFewLookups
  }

  /// The file; objects are the keys themselves.
  func bytes(_ kind: Kind) throws -> [UInt8] {
    let plain = ReferenceFile(canonical: Dictionary(uniqueKeysWithValues: keys.map { ($0, $0.bytes.asBin) }))
    let request = SectionRequest(networks: .never, keyLengths: true)
    switch kind {
    case .lengths: return try BlockMaker(sections: request).block(of: plain).bytes
    case .lengthsFiveSlots: return try BlockMaker(slotsPerLine: .five, sections: request).block(of: plain).bytes
    case .block: return try BlockMaker().block(of: plain).bytes
    case .blockFiveSlots: return try BlockMaker(slotsPerLine: .five).block(of: plain).bytes
    case .lengthsAlone:
      let section = ReferenceBlock.Section(kind: "KLEN", bytes: ReferenceLengths.section(keys))
      return ReferenceBlock(after: plain, [section]).bytes
    case .plain, .plainForFewLookups: return plain.bytes
    }
  }

  func reader(_ kind: Kind) throws -> FuseReader { try Self.reader(kind, of: bytes(kind)) }

  static func reader(
    _ kind: Kind, of bytes: [UInt8], checksums: FuseReader.Checksums = .verified
  ) throws -> FuseReader {
    let mapping = try FileMapping(bytes: bytes.rawSpan, isLocked: false)
    return try FuseReader(mapping, checksums: checksums, expecting: kind == .plainForFewLookups ? .few : .many)
  }
}

/// A question of one of the three kinds.
enum MatchQuestion: CustomStringConvertible {
  case domain([UInt8])
  case email([UInt8])
  case prefix([UInt8])

  static func all(_ text: [UInt8]) -> [MatchQuestion] { [.domain(text), .email(text), .prefix(text)] }

  /// The key by the model.
  func key(_ model: MatchModel) -> Key? {
    switch self {
    case .domain(let name): model.suffix(ofDomain: name)
    case .email(let address): model.match(ofEmail: address)
    case .prefix(let text): model.prefix(of: text)
    }
  }

  /// The key by a reader, whose object must be the key's.
  func key(_ reader: FuseReader) throws -> Key? {
    switch self {
    case .domain(let name): try Self.key(of: reader.longestSuffix(ofDomain: name))
    case .email(let address): try Self.key(of: reader.longestMatch(ofEmail: address))
    case .prefix(let text): try Self.key(of: reader.longestPrefix(of: text))
    }
  }

  private static func key(of match: FuseMatch?) throws -> Key? {
    guard let match else { return nil }
    let key = match.key.array()
    let isItsOwn = try match.view.bytes?.byteCount == key.count && match.bytes.equals(key.asBin)
    return isItsOwn ? Key(key) : Key("the object of another key")
  }

  var description: String {
    switch self {
    case .domain(let text): "domain \(Key(text)) \(String(decoding: text.prefix(80), as: UTF8.self))"
    case .email(let text): "email \(Key(text)) \(String(decoding: text.prefix(80), as: UTF8.self))"
    case .prefix(let text): "prefix \(Key(text)) \(String(decoding: text.prefix(80), as: UTF8.self))"
    }
  }
}
