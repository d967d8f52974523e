internal import FuseDBFormat
internal import FuseDBValues

/// What a MaxMind DB says about itself. See spec/mmdb.md §5.
package struct MaxMindMetadata: Sendable, Equatable {
  package var nodeCount = 0
  /// 24, 28 or 32 bits a record.
  package var recordBits = 0
  /// 4 or 6.
  package var ipVersion = 0
  /// What a database keeps of it, as texts under names that begin with ``prefix``.
  package var texts: [String: String] = [:]

  /// What the names begin with.
  static let prefix = "mmdb."
  /// The name under which a database says when it was built.
  static let built = "built"
  static let databaseType = prefix + "database_type"
  static let languages = prefix + "languages"
  static let buildEpoch = prefix + "build_epoch"
  static let ipVersionName = prefix + "ip_version"
  static let description = prefix + "description."

  init() {}

  /// Reads the metadata, which reach to the end of a file.
  init(in bytes: [UInt8], from start: Int) throws(FuseError) {
    let packer = MessagePackPacker()
    let data = start..<bytes.count
    let decoder = MaxMindDecoder(
      bytes, data, to: packer, mostBytes: MaxMindFile.mostMetadataBytes,
      mostBytesInAll: MaxMindFile.mostMetadataBytes)
    try decoder.decode(at: 0)
    let values = packer.bytes.array()
    var version: UInt64?
    var cursor = MessagePackCursor(values.rawSpan)
    guard case .map(let count) = try cursor.readHead() else {
      throw .invalidValue("the metadata are no map", at: start)
    }
    for _ in 0..<count {
      guard let name = try cursor.readText() else { throw .invalidValue("the metadata are no map of names", at: start) }
      let text = String(decoding: name.array(), as: UTF8.self)
      let value = cursor.offset
      try cursor.skipValue()
      try take(text, values, value..<cursor.offset, &version, at: start)
    }
    guard version == 2 else {
      throw .invalidValue(
        "this is version \(version.map { String($0) } ?? "none") of the MaxMind DB format, and version 2 is read here",
        at: start)
    }
    guard [24, 28, 32].contains(recordBits) else {
      throw .invalidValue("the metadata say record_size \(recordBits), and there are 24, 28 and 32", at: start)
    }
    guard [4, 6].contains(ipVersion) else {
      throw .invalidValue("the metadata say ip_version \(ipVersion), and there are 4 and 6", at: start)
    }
  }

  private mutating func take(
    _ name: String, _ values: [UInt8], _ range: Range<Int>, _ version: inout UInt64?, at start: Int
  ) throws(FuseError) {
    var cursor = MessagePackCursor(values.rawSpan, at: range.lowerBound)
    let token = try cursor.readHead()
    var number: UInt64?
    if case .unsigned(let value) = token { number = value }
    switch (name, token) {
    case ("binary_format_major_version", _): version = number
    case ("binary_format_minor_version", _): break
    case ("node_count", .unsigned(let value)): nodeCount = Int(clamping: value)
    case ("record_size", .unsigned(let value)): recordBits = Int(clamping: value)
    case ("ip_version", .unsigned(let value)):
      ipVersion = Int(clamping: value)
      texts[Self.ipVersionName] = String(value)
    case ("build_epoch", .unsigned(let value)):
      texts[Self.buildEpoch] = String(value)
      // Up to the year 9999; 0 and 1 stand where nobody knows.
      if (2...253_402_300_799).contains(value) { texts[Self.built] = FuseTimestamp(seconds: Int64(value)).description }
    case ("languages", .array(let count)):
      var languages: [String] = []
      for _ in 0..<count {
        guard let text = try cursor.readText() else { return }
        languages.append(String(decoding: text.array(), as: UTF8.self))
      }
      if !languages.isEmpty { texts[Self.languages] = languages.joined(separator: ",") }
    case ("description", .map(let count)):
      for _ in 0..<count {
        let language = try cursor.readText()?.array()
        let text = try cursor.readText()?.array()
        guard let language, let text else { continue }
        texts[Self.description + String(decoding: language, as: UTF8.self)] = String(decoding: text, as: UTF8.self)
      }
    case (_, .string(let byteCount)):
      let text = cursor.readPayload(byteCount: byteCount).array()
      texts[Self.prefix + name] = String(decoding: text, as: UTF8.self)
    case (_, .unsigned(let value)): texts[Self.prefix + name] = String(value)
    case (_, .signed(let value)): texts[Self.prefix + name] = String(value)
    case (_, .bool(let value)): texts[Self.prefix + name] = value ? "true" : "false"
    default: break
    }
  }

  /// What a database keeps where of `names` these languages alone stay.
  package func texts(keeping languages: [[UInt8]]?) -> [String: String] {
    guard let languages, let known = texts[Self.languages] else { return texts }
    var texts = texts
    let kept = known.split(separator: ",").filter { languages.contains(Array($0.utf8)) }
    texts[Self.languages] = kept.joined(separator: ",")
    return texts
  }
}
