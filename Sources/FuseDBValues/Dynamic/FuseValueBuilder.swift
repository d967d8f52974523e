internal import FuseDBFormat

/// Makes values of MessagePack bytes that were validated. If the mapped file is overwritten meanwhile, the values
/// may be any, but nothing traps, and no more memory is taken.
struct FuseValueBuilder: ~Escapable {
  private let bytes: RawSpan
  private var offset = 0
  /// Elements, keys and values for which room may still be made: each has a byte of its own, so that all of them are
  /// fewer than the bytes. [V5]
  private var unclaimed: Int

  /// Which heads are not to be kept verbatim.
  enum Head { case shortest, any }

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) {
    self.bytes = bytes
    unclaimed = bytes.byteCount
  }

  /// Reads the next value.
  ///
  /// - Parameter depth: how many arrays and maps it stands in.
  @_lifetime(self: copy self)
  mutating func value(head kept: Head = .shortest, depth: Int = 0) -> FuseValue {
    let start = offset
    let head = MessagePackHead(at: start, in: bytes)
    guard let token = MessagePackToken(head) else {
      offset = bytes.byteCount
      return .null
    }
    guard kept == .any || head.end - start == token.shortestHeadByteCount else { return verbatim(from: start) }
    offset = head.end
    switch token {
    case .null: return .null
    case .bool(let value): return .bool(value)
    case .unsigned(let value): return Int64(exactly: value).map { .int($0) } ?? .uint(value)
    case .signed(let value): return .int(value)
    case .float32(let bits): return .float(Float(bitPattern: bits))
    case .float64(let bits): return .double(Double(bitPattern: bits))
    case .string(let byteCount):
      let payload = takePayload(byteCount)
      return String(payload: payload).map { .string($0) } ?? verbatim(from: start)
    case .binary(let byteCount): return .bytes(takePayload(byteCount).array())
    case .extension(let type, let byteCount):
      let payload = takePayload(byteCount)
      return Self.shortestTimestamp(type, payload).map { .timestamp($0) } ?? .ext(type: type, bytes: payload.array())
    case .array(let count): return .array(elements(count, depth: depth + 1))
    case .map(let count): return .map(pairs(count, depth: depth + 1))
    }
  }

  @_lifetime(self: copy self)
  private mutating func elements(_ count: Int, depth: Int) -> [FuseValue] {
    var elements: [FuseValue] = []
    let count = claim(count, depth: depth)
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(value(depth: depth)) }
    return elements
  }

  @_lifetime(self: copy self)
  private mutating func pairs(_ count: Int, depth: Int) -> [FuseValue.Pair] {
    var pairs: [FuseValue.Pair] = []
    let count = claim(2 * count, depth: depth) / 2
    pairs.reserveCapacity(count)
    for _ in 0..<count {
      let key = value(depth: depth)
      pairs.append(FuseValue.Pair(key: key, value: value(depth: depth)))
    }
    return pairs
  }

  /// How many of `count` values there is room for.
  @_lifetime(self: copy self)
  private mutating func claim(_ count: Int, depth: Int) -> Int {
    guard depth <= FormatLimits.nesting, count <= unclaimed else { return 0 }
    unclaimed -= count
    return count
  }

  /// The moment that an extension says, unless a shorter payload says the same one.
  private static func shortestTimestamp(_ type: Int8, _ payload: RawSpan) -> FuseTimestamp? {
    guard type == FuseTimestamp.extensionType, let moment = FuseTimestamp(payload: payload),
      moment.payloadByteCount == payload.byteCount
    else { return nil }
    return moment
  }

  /// The bytes of the value that begins at `start`, as they are.
  @_lifetime(self: copy self)
  private mutating func verbatim(from start: Int) -> FuseValue {
    offset = MessagePackHead.end(ofValueAt: start, in: bytes)
    return .verbatim(FuseValue.Verbatim(bytes.extracting(start..<offset).array()))
  }

  @_lifetime(copy self)
  @_lifetime(self: copy self)
  private mutating func takePayload(_ byteCount: Int) -> RawSpan {
    let start = offset
    offset += min(byteCount, bytes.byteCount - start)
    return bytes.extracting(start..<offset)
  }
}
