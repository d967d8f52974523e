package import FuseDBFormat

/// What stands at an offset of MessagePack bytes: a scalar, or the head of something longer.
///
/// Lengths are in bytes; strings, binaries and extensions are followed by that many bytes, arrays by `count` values,
/// maps by `count` pairs of values.
package enum MessagePackToken: Equatable {
  case null
  case bool(Bool)
  case unsigned(UInt64)
  case signed(Int64)
  case float32(UInt32)
  case float64(UInt64)
  case string(byteCount: Int)
  case binary(byteCount: Int)
  case `extension`(type: Int8, byteCount: Int)
  case array(count: Int)
  case map(count: Int)

  /// What `head` says; nil where it is nothing.
  @inline(__always)
  init?(_ head: MessagePackHead) {
    switch head.kind {
    case .null: self = .null
    case .bool: self = .bool(head.bits == 1)
    case .unsigned: self = .unsigned(head.bits)
    case .signed: self = .signed(Int64(bitPattern: head.bits))
    case .float32: self = .float32(UInt32(truncatingIfNeeded: head.bits))
    case .float64: self = .float64(head.bits)
    case .string: self = .string(byteCount: head.count)
    case .binary: self = .binary(byteCount: head.count)
    case .extension: self = .extension(type: Int8(truncatingIfNeeded: head.bits), byteCount: head.count)
    case .array: self = .array(count: head.count)
    case .map: self = .map(count: head.count)
    case .nothing: return nil
    }
  }

  /// Bytes of payload right after the head.
  package var payloadByteCount: Int {
    switch self {
    case .string(let byteCount), .binary(let byteCount), .extension(_, let byteCount): byteCount
    default: 0
    }
  }

  /// Values right after the head that belong to it.
  var childCount: Int {
    switch self {
    case .array(let count): count
    case .map(let count): 2 * count
    default: 0
    }
  }

  /// How many bytes the shortest head for this has; a longer one is legal, and kept. See the MessagePack
  /// specification, "Formats".
  var shortestHeadByteCount: Int {
    switch self {
    case .null, .bool: 1
    case .unsigned(let value): value < 0x80 ? 1 : 1 + Self.width(of: value)
    case .signed(let value):
      value >= -32 ? 1 : value >= -0x80 ? 2 : value >= -0x8000 ? 3 : value >= -0x8000_0000 ? 5 : 9
    case .float32: 5
    case .float64: 9
    case .string(let byteCount): byteCount < 32 ? 1 : 1 + Self.width(of: UInt64(byteCount))
    case .binary(let byteCount): 1 + Self.width(of: UInt64(byteCount))
    case .extension(_, let byteCount):
      [1, 2, 4, 8, 16].contains(byteCount) ? 2 : 2 + Self.width(of: UInt64(byteCount))
    case .array(let count), .map(let count): count < 16 ? 1 : count <= 0xFFFF ? 3 : 5
    }
  }

  private static func width(of value: UInt64) -> Int {
    value <= 0xFF ? 1 : value <= 0xFFFF ? 2 : value <= 0xFFFF_FFFF ? 4 : 8
  }
}

/// Reads MessagePack bytes head by head. Every number is checked against what remains before it is believed.
package struct MessagePackCursor: ~Escapable {
  let bytes: RawSpan
  /// Where the next head begins.
  package private(set) var offset: Int

  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan, at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  package var isAtEnd: Bool { offset >= bytes.byteCount }

  /// Reads one head and stands after it: before its payload or its first child, of which as many bytes are left as
  /// it needs at least.
  @_lifetime(self: copy self)
  package mutating func readHead() throws(FuseError) -> MessagePackToken {
    let head = MessagePackHead(at: offset, in: bytes)
    guard let token = MessagePackToken(head) else { throw notAHead() }
    offset = head.end
    // Only now, with the cursor after the head. A payload is that many bytes, and a child has one byte at least. [V5]
    let left = bytes.byteCount - offset
    guard token.payloadByteCount <= left else {
      throw .invalidValue("the MessagePack value ends in its middle", at: bytes.byteCount)
    }
    guard token.childCount <= left else {
      throw .invalidValue("an array or map counts more values than bytes are left", at: offset)
    }
    return token
  }

  /// Reads the payload of the head just read.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  package mutating func readPayload(byteCount: Int) -> RawSpan {
    let payload = bytes.extracting(offset..<offset + byteCount)
    offset += byteCount
    return payload
  }

  /// Passes over one whole value, nested at most `nesting` containers deep, and says whether all its heads are the
  /// shortest ones.
  ///
  /// - Complexity: O(bytes of the value), without recursion or allocation.
  @discardableResult
  @_lifetime(self: copy self)
  package mutating func skipValue(nesting limit: Int = FormatLimits.nesting) throws(FuseError) -> Bool {
    // How many values are still to come at each depth.
    var pending = InlineArray<129, Int>(repeating: 0)
    var depth = 0
    var isShortest = true
    pending[0] = 1
    while true {
      while pending[depth] == 0 {
        if depth == 0 { return isShortest }
        depth -= 1
      }
      pending[depth] -= 1
      let start = offset
      let token = try readHead()
      if offset - start != token.shortestHeadByteCount { isShortest = false }
      offset += token.payloadByteCount
      switch token {
      case .array, .map:
        guard depth < limit else {
          throw .invalidValue("arrays and maps are nested deeper than \(FormatLimits.nesting) levels", at: start)
        }
        depth += 1
        pending[depth] = token.childCount
      default: break
      }
    }
  }

  @inline(never)
  private func notAHead() -> FuseError {
    bytes.load(at: offset, as: UInt8.self) == 0xC1
      ? .invalidValue("the byte 0xc1 begins no MessagePack value", at: offset)
      : .invalidValue("the MessagePack value ends in its middle", at: bytes.byteCount)
  }
}

extension MessagePackCursor {
  /// Throws unless `bytes` are exactly one MessagePack value. [V1] [V2] [V3]
  package static func validate(_ bytes: RawSpan) throws(FuseError) {
    if isPlainValue(bytes) { return }
    var cursor = MessagePackCursor(bytes)
    try cursor.skipValue()
    guard cursor.isAtEnd else {
      throw .invalidValue(
        "there is more after the MessagePack value: \(counted(bytes.byteCount - cursor.offset, "byte"))",
        at: cursor.offset)
    }
  }
}

extension MessagePackCursor {
  /// Reads a string and returns its text; passes over any other value and returns nil.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  package mutating func readText() throws(FuseError) -> RawSpan? {
    let start = offset
    guard case .string(let byteCount) = try readHead() else {
      self = MessagePackCursor(bytes, at: start)
      try skipValue()
      return nil
    }
    return readPayload(byteCount: byteCount)
  }
}
