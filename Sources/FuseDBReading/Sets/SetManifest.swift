package import FuseDBFormat
internal import FuseDBSystem

/// A file of a set: one shard, as the manifest describes it. See spec/sharding.md [GM5].
public struct ShardFile: Sendable, Hashable {
  /// Its name in the folder: `part-00000-of-00064-7f3a1c5e9b2d4f60.fsdb`.
  public var name: String
  /// Its length.
  public var byteCount: Int
  /// How many keys it has.
  public var keyCount: Int
  /// Its first 40 bytes, which hold the checksum of all others: so another file is told from it in constant time. [GO1]
  package var header: [UInt8]

  package init(name: String, byteCount: Int, keyCount: Int, header: [UInt8]) {
    self.name = name
    self.byteCount = byteCount
    self.keyCount = keyCount
    self.header = header
  }
}

/// What a shard's name says. [GF2]
package struct ShardName: Sendable, Hashable {
  package var number: Int
  package var count: Int
  /// XXH3-64 of the whole file.
  package var checksum: UInt64

  package init(number: Int, count: Int, checksum: UInt64) {
    self.number = number
    self.count = count
    self.checksum = checksum
  }

  /// Nil for any other name.
  package init?(_ name: String) {
    let bytes = Array(name.utf8)
    let model = Array("part-00000-of-00000-0000000000000000.fsdb".utf8)
    guard bytes.count == model.count else { return nil }
    var (number, count, checksum) = (0, 0, UInt64(0))
    for place in bytes.indices {
      let byte = bytes[place]
      guard model[place] == UInt8(ascii: "0") else {
        guard byte == model[place] else { return nil }
        continue
      }
      let digit: Int
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = Int(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f") where place >= 20: digit = Int(byte - UInt8(ascii: "a")) + 10
      default: return nil
      }
      switch place {
      case ..<10: number = number * 10 + digit
      case ..<19: count = count * 10 + digit
      default: checksum = checksum << 4 | UInt64(digit)
      }
    }
    guard (1...ShardRule.mostShards).contains(count), number < count else { return nil }
    self.init(number: number, count: count, checksum: checksum)
  }

  package var text: String {
    "\(Self.beginning(number: number, of: count))-\(Self.padded(checksum, 16, radix: 16)).fsdb"
  }

  /// The name before the checksum.
  package static func beginning(number: Int, of count: Int) -> String {
    "part-\(padded(UInt64(number), 5, radix: 10))-of-\(padded(UInt64(count), 5, radix: 10))"
  }

  private static func padded(_ number: UInt64, _ count: Int, radix: Int) -> String {
    let digits = String(number, radix: radix)
    return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
  }

  /// Whether a file of this name is one that is being written, or was when its writer died.
  package static func isTemporary(_ name: String) -> Bool {
    let rest = name.drop { $0 == "." }
    return rest.count < name.count && name.hasSuffix(".tmp")
      && (rest.hasPrefix("part-") || rest.hasPrefix(SetManifest.fileName))
  }
}

/// Which files are a set. See spec/sharding.md §3.
package struct SetManifest: Sendable, Hashable {
  package static let fileName = "fusedb-set.json"
  package static let lockName = "fusedb-set.lock"
  static let mostBytes = 64 << 20
  static let version = 1
  private static let tailByteCount = 22

  package var generation: Int
  package var rule: ShardRule
  package var shards: [ShardFile]
  /// Files that only the manifest before this one names. [GM6]
  package var former: [String]
  /// The CRC-32 at its end.
  package private(set) var checksum: UInt32 = 0

  package init(generation: Int, rule: ShardRule, shards: [ShardFile], former: [String]) {
    self.generation = generation
    self.rule = rule
    self.shards = shards
    self.former = former
  }

  /// The manifest in the folder at `path`; nil where there is none.
  package static func inFolder(_ path: String) throws(FuseError) -> SetManifest? {
    do throws(FuseError) {
      return try SetManifest(bytes(at: path))
    } catch {
      if error.code == .notFound, error.errno == 2 { return nil }
      throw error.at(path: place(in: path))
    }
  }

  package static func place(in folder: String) -> String {
    folder.utf8.last == UInt8(ascii: "/") ? folder + fileName : "\(folder)/\(fileName)"
  }

  private static func bytes(at folder: String) throws(FuseError) -> [UInt8] {
    try SmallFile.bytes(at: place(in: folder), most: mostBytes)
  }

  // MARK: Text

  /// The bytes of the file.
  package var bytes: [UInt8] {
    var text = "{\"fusedb-set\":\(Self.version),\n\"generation\":\(generation),\n\"rule\":"
    switch rule {
    case .hash(let count): text += "{\"hash\":\"xxh64\",\"seed\":42,\"count\":\(count)}"
    case .ranges(let bounds): text += "{\"ranges\":[\(bounds.map { "\"\(Self.digits($0))\"" }.joined(separator: ","))]}"
    }
    text += ",\n\"shards\":[\n"
    text += shards.map(\.json).joined(separator: ",\n")
    text += "\n],\n\"former\":[\(former.map { "\"\($0)\"" }.joined(separator: ","))]"
    let body = Array(text.utf8)
    return body + Array(Self.tail(Checksum.of(body.rawSpan)).utf8)
  }

  private static func tail(_ checksum: UInt32) -> String {
    var digits: [UInt8] = []
    for shift in [24, 16, 8, 0] { Hex.append(UInt8(truncatingIfNeeded: checksum >> UInt32(shift)), to: &digits) }
    return ",\n\"crc32\":\"\(String(decoding: digits, as: UTF8.self))\"}\n"
  }

  fileprivate static func digits(_ bytes: [UInt8]) -> String {
    var digits: [UInt8] = []
    Hex.append(bytes.rawSpan, to: &digits)
    return String(decoding: digits, as: UTF8.self)
  }

  /// Reads a manifest.
  ///
  /// - Throws: ``FuseError`` with code `corrupted`, `truncated`, `limitExceeded` or `unsupportedVersion`.
  package init(_ bytes: [UInt8]) throws(FuseError) {
    let bodyCount = bytes.count - Self.tailByteCount
    guard bytes.count <= Self.mostBytes else {
      throw FuseError(.limitExceeded, "the manifest has \(bytes.count) bytes, and \(Self.mostBytes) are allowed")
    }
    guard bodyCount > 0 else { throw Self.damaged(at: bytes.count) }
    let body = bytes.rawSpan.extracting(first: bodyCount)
    let checksum = Checksum.of(body)
    // [GM1]
    guard bytes.rawSpan.extracting(droppingFirst: bodyCount).equals(Array(Self.tail(checksum).utf8).rawSpan) else {
      throw Self.damaged(at: bodyCount)
    }
    var pull = JSONPull(body)
    var known = SetMembers()
    try known.read(&pull)
    try self.init(known)
    self.checksum = checksum
  }

  private init(_ known: SetMembers) throws(FuseError) {
    guard let generation = known.generation, let rule = known.rule, let shards = known.shards else {
      throw FuseError(.corrupted, "the manifest lacks 'generation', 'rule' or 'shards'")
    }
    self.init(generation: generation, rule: rule, shards: shards, former: known.former ?? [])
    if let flaw { throw FuseError(.corrupted, flaw) }
  }

  private static func damaged(at offset: Int) -> FuseError {
    FuseError(
      .corrupted,
      "the manifest does not end with its checksum: it was cut or changed; restore it from a copy, or build the set again",
      offset: UInt64(max(0, offset)))
  }

  /// What is wrong with a manifest; nil where nothing is. [GM5] [GM6]
  package var flaw: String? {
    if let flaw = rule.flaw { return flaw }
    guard shards.count == rule.count else {
      return "the manifest has \(counted(shards.count, "shard")), and its rule has \(rule.count)"
    }
    for (number, shard) in shards.enumerated() {
      guard let name = ShardName(shard.name), name.number == number, name.count == rule.count else {
        return "shard \(number) has the name \(shard.name), which is that of no shard \(number) of \(rule.count)"
      }
      guard shard.header.count == Header.byteCount, shard.byteCount >= Header.byteCount,
        Int(Header(fieldsOf: shard.header.rawSpan).keyCount) == shard.keyCount
      else { return "shard \(number) has a header that does not go with its length or its keys" }
    }
    for name in former where ShardName(name) == nil {
      return "'former' has the name \(name), which is that of no shard"
    }
    return nil
  }
}

extension ShardFile {
  /// As a line of the manifest, which is also how jobs hand on what they have built.
  package var json: String {
    "{\"name\":\"\(name)\",\"bytes\":\(byteCount),\"keys\":\(keyCount),\"header\":\"\(SetManifest.digits(header))\"}"
  }

  /// Reads what ``json`` says.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue`.
  package init(json: String) throws(FuseError) {
    let bytes = Array(json.utf8)
    do throws(FuseError) {
      var pull = JSONPull(bytes.rawSpan)
      self = try ShardFile(&pull)
      try pull.end()
      guard ShardName(name) != nil else { throw FuseError(.corrupted, "\(name) is the name of no shard") }
    } catch {
      throw FuseError(.invalidValue, "this describes no shard: \(error.message)", offset: error.offset)
    }
  }

  init(_ pull: inout JSONPull) throws(FuseError) {
    self.init(name: "", byteCount: -1, keyCount: -1, header: [])
    try pull.take("{")
    var count = 0
    while try pull.next(&count, until: "}") {
      let member = try pull.name()
      switch member {
      case "name" where name.isEmpty: name = try pull.word()
      case "bytes" where byteCount < 0: byteCount = try pull.integer(from: 0)
      case "keys" where keyCount < 0: keyCount = try pull.integer(from: 0)
      case "header" where header.isEmpty:
        let digits = try pull.string(most: 2 * Header.byteCount)
        header = Hex.bytes(digits.rawSpan) ?? []
        guard header.count == Header.byteCount, Array(SetManifest.digits(header).utf8) == digits else {
          throw pull.bad("a header has to be 80 lower-case hexadecimal digits")
        }
      case "name", "bytes", "keys", "header": throw pull.bad("'\(member)' stands twice")
      default: try pull.skip()
      }
    }
    guard !name.isEmpty, byteCount >= 0, keyCount >= 0, !header.isEmpty else {
      throw pull.bad("a shard needs 'name', 'bytes', 'keys' and 'header'")
    }
  }
}

/// What the members of a manifest say.
private struct SetMembers {
  var version: Int?
  var generation: Int?
  var rule: ShardRule?
  var shards: [ShardFile]?
  var former: [String]?

  mutating func read(_ pull: inout JSONPull) throws(FuseError) {
    try pull.take("{")
    var count = 0
    // The object ends after the checksum, which is not among the bytes that are read here.
    while pull.peek() != nil, try pull.next(&count, until: "}") {
      let member = try pull.name()
      switch member {
      case "fusedb-set" where version == nil:
        version = try pull.integer(from: 0)
        guard version == SetManifest.version else {
          throw FuseError(
            .unsupportedVersion,
            "the set is of version \(version ?? 0), and this library reads version \(SetManifest.version); use a newer one"
          )
        }
      case "generation" where generation == nil: generation = try pull.integer(from: 1)
      case "rule" where rule == nil: rule = try Self.rule(&pull)
      case "shards" where shards == nil:
        shards = try Self.list(&pull) { pull throws(FuseError) in try ShardFile(&pull) }
      case "former" where former == nil:
        former = try Self.list(&pull) { pull throws(FuseError) in try pull.word() }
      case "fusedb-set", "generation", "rule", "shards", "former", "crc32": throw pull.bad("'\(member)' stands twice")
      default: try pull.skip()
      }
    }
    try pull.end()
    guard version != nil else { throw FuseError(.corrupted, "the manifest lacks 'fusedb-set'") }
  }

  private static func list<Element>(
    _ pull: inout JSONPull, _ element: (inout JSONPull) throws(FuseError) -> Element
  ) throws(FuseError) -> [Element] {
    var list: [Element] = []
    try pull.take("[")
    var count = 0
    while try pull.next(&count, until: "]") {
      guard count <= ShardRule.mostShards else { throw pull.bad("there are more than \(ShardRule.mostShards)") }
      list.append(try element(&pull))
    }
    return list
  }

  private static func rule(_ pull: inout JSONPull) throws(FuseError) -> ShardRule {
    var (hash, seed, shardCount, ranges): (String?, Int?, Int?, [[UInt8]]?) = (nil, nil, nil, nil)
    try pull.take("{")
    var count = 0
    while try pull.next(&count, until: "}") {
      let member = try pull.name()
      switch member {
      case "hash" where hash == nil: hash = try pull.word()
      case "seed" where seed == nil: seed = try pull.integer(from: 0)
      case "count" where shardCount == nil: shardCount = try pull.integer(from: 1)
      case "ranges" where ranges == nil:
        ranges = try list(&pull) { pull throws(FuseError) in
          let digits = try pull.string(most: 2 * FormatLimits.keyByteCount)
          guard let bound = Hex.bytes(digits.rawSpan), Array(SetManifest.digits(bound).utf8) == digits else {
            throw pull.bad("a lower bound has to be lower-case hexadecimal digits")
          }
          return bound
        }
      // A rule that has more says something else.
      default:
        throw pull.bad("'\(member)' is no part of a rule that this library knows, or stands twice; use a newer one")
      }
    }
    switch (hash, seed, shardCount, ranges) {
    case ("xxh64", 42, let count?, nil): return .hash(count: count)
    case (nil, nil, nil, let ranges?): return .ranges(lowerBounds: ranges)
    default:
      throw FuseError(
        .unsupportedVersion,
        "the rule of the set is none that this library knows ('xxh64' with seed 42, or ranges); use a newer one")
    }
  }
}
