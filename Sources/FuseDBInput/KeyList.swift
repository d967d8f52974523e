package import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Goes through a list of keys, such as `fusedb keys` prints. See spec/json.md, "Lists of keys".
package struct KeyList {
  /// How keys are written.
  package enum Format: String, Sendable {
    /// A line each, escaped.
    case text
    /// A line each: a key in JSON, or an object with a member `key`.
    case json
    /// As they are, with a zero byte after each.
    case null
  }

  /// Enough keys for look-ups to wait for memory together, and few enough to keep.
  private static let mostKeys = 1024
  /// How long a line may be: longer than the longest key, however it is written; with its value, where that may stand in
  /// the line too.
  private var mostBytes: Int { format == .json ? 1 << 26 : 1 << 20 }
  private static let keyName = [UInt8]("key".utf8)

  private let file: InputFile
  private let format: Format
  private let parser = JSONParser()
  /// What was read; ``JSONParser/padding`` bytes follow.
  private var bytes = [UInt8](repeating: 0, count: 1 << 16 + JSONParser.padding)
  /// Where in `bytes` that stands which was not taken yet.
  private var rest = 0..<0
  private var isAtEnd = false
  private var number = 0

  package init(_ file: InputFile, _ format: Format) {
    self.file = file
    self.format = format
  }

  /// The next keys; none after the last.
  ///
  /// - Throws: ``FuseError`` with the line; as ``InputFile/read(into:_:)`` does.
  package mutating func next() throws(FuseError) -> [[UInt8]] {
    var keys: [[UInt8]] = []
    while keys.count < Self.mostKeys, let line = try nextLine() {
      number += 1
      do throws(FuseError) {
        if let key = try key(line) { keys.append(key) }
      } catch {
        throw FuseError(error.code, error.message, path: position)
      }
    }
    return keys
  }

  /// Hands lines of text to `take` as they are, as long as it takes them, at most so many.
  ///
  /// - Returns: the key of the line that it did not take, and whether there may be more.
  /// - Throws: as ``next()``.
  package mutating func next(
    upTo most: Int, _ take: (RawSpan) throws(FuseError) -> Bool
  ) throws(FuseError) -> (refused: [UInt8]?, isAtEnd: Bool) {
    var left = most
    while left > 0 {
      guard let line = try nextLine() else { return (nil, true) }
      number += 1
      left -= 1
      if try take(bytes.rawSpan.extracting(line)) { continue }
      do throws(FuseError) {
        return (try key(line), false)
      } catch {
        throw FuseError(error.code, error.message, path: position)
      }
    }
    return (nil, false)
  }

  private var position: String { format == .null ? "\(file.name): key \(number)" : "\(file.name):\(number)" }

  /// The key that stands in `line`; nil where there is none.
  private func key(_ line: Range<Int>) throws(FuseError) -> [UInt8]? {
    let all = bytes.rawSpan
    switch format {
    case .null: return Array(bytes[line])
    case .text:
      do throws(FuseError) {
        return try EscapedText.bytes(of: all.extracting(line))
      } catch {
        throw FuseError(error.code, "column \((error.offset ?? 0) + 1): \(error.message)")
      }
    case .json:
      let spaces = Array(" \t\r".utf8)
      guard bytes[line].contains(where: { !spaces.contains($0) }) else { return nil }
      return try parser.withNode(of: all, line) { node throws(FuseError) in
        var key = try withKeyBytes(of: node) { $0.array() }
        if key == nil, case .object = node.kind {
          try node.forEachMember { name, value throws(FuseError) in
            if name.equals(Self.keyName) { key = try withKeyBytes(of: value) { $0.array() } }
          }
        }
        guard let key else {
          throw FuseError(
            .invalidValue,
            """
            a line holds a key, a string or {"$bin": "hexadecimal digits"}, or an object with the member key, and here \
            it holds \(node.article)
            """)
        }
        return key
      }
    }
  }

  // MARK: Lines

  /// Where the next line or key stands in `bytes`, without its end.
  private mutating func nextLine() throws(FuseError) -> Range<Int>? {
    let terminator: UInt8 = format == .null ? 0 : UInt8(ascii: "\n")
    var seen = rest.lowerBound
    while true {
      if let end = bytes.rawSpan.firstIndex(of: terminator, in: seen..<rest.upperBound) {
        defer { rest = end + 1..<rest.upperBound }
        return rest.lowerBound..<end
      }
      guard !isAtEnd else {
        defer { rest = rest.upperBound..<rest.upperBound }
        return rest.isEmpty ? nil : rest
      }
      let known = rest.count
      try refill()
      seen = rest.lowerBound + known
    }
  }

  /// Reads more after the rest, which moves to the start.
  private mutating func refill() throws(FuseError) {
    let isFirst = number == 0 && rest.isEmpty
    try MemoryRoom.check(rest.count)
    bytes.replaceSubrange(0..<rest.count, with: Array(bytes[rest]))
    rest = 0..<rest.count
    if rest.count * 2 > bytes.count - JSONParser.padding {
      guard bytes.count <= mostBytes else {
        number += 1
        throw FuseError(
          .limitExceeded, "the line is longer than a key can be (\(Humans.size(mostBytes))); is this a list of keys?",
          path: position)
      }
      try bytes.reserve(2 * bytes.count)
      bytes.append(contentsOf: repeatElement(0, count: bytes.count))
    }
    let room = bytes.count - JSONParser.padding
    let count = try file.read(into: &bytes, rest.upperBound..<room)
    isAtEnd = count < room - rest.upperBound
    rest = 0..<rest.count + count
    guard isFirst, format != .null else { return }
    switch FileKind(of: bytes.rawSpan.extracting(rest)) {
    case .database:
      throw FuseError(
        .invalidValue, "this is a database, and a list of keys is wanted; 'fusedb keys \(file.name)' prints one",
        path: file.name)
    case .patch: throw FuseError(.invalidValue, "this is a patch, and a list of keys is wanted", path: file.name)
    default: break
    }
  }
}
