internal import FuseDBFormat

// What a value is, and what it says, where it is of the type that is asked for. [W19]

extension FuseView {
  /// What the value is.
  public var kind: FuseValueKind {
    if isRow { return plain.kind }
    return switch head.kind {
    case .null, .nothing: .null
    case .bool: .bool
    case .unsigned, .signed: .integer
    case .float32: .float
    case .float64: .double
    case .string: .string
    case .binary: .bytes
    case .array: .array
    case .map: .map
    case .extension: timestamp == nil ? .extension : .timestamp
    }
  }

  /// Whether the value is nil.
  public var isNil: Bool { isRow ? plain.isNil : head.kind == .null }

  /// A bool, or nil for anything else.
  public var bool: Bool? {
    if isRow { return plain.bool }
    let head = head
    return head.kind == .bool ? head.bits == 1 : nil
  }

  /// An integer that fits into an `Int`, however it is written, or nil for anything else.
  public var int: Int? { int64.flatMap { Int(exactly: $0) } }

  /// An integer that fits into an `Int64`, however it is written, or nil for anything else.
  public var int64: Int64? {
    if isRow { return plain.int64 }
    if let wide { return wide.isSigned ? Int64(bitPattern: wide.bits) : Int64(exactly: wide.bits) }
    let head = head
    switch head.kind {
    case .signed: return Int64(bitPattern: head.bits)
    case .unsigned: return Int64(exactly: head.bits)
    default: return nil
    }
  }

  /// An integer that fits into a `UInt64`, however it is written, or nil for anything else.
  public var uint64: UInt64? {
    if isRow { return plain.uint64 }
    if let wide { return wide.isSigned ? UInt64(exactly: Int64(bitPattern: wide.bits)) : wide.bits }
    let head = head
    switch head.kind {
    case .unsigned: return head.bits
    case .signed: return UInt64(exactly: Int64(bitPattern: head.bits))
    default: return nil
    }
  }

  /// An integer that fits into a `T`, however it is written, or nil for anything else.
  ///
  ///     value["asn"]?.integer(UInt32.self)   // 15169
  @inlinable
  public func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
    if let int64 { return T(exactly: int64) }
    return uint64.flatMap { T(exactly: $0) }
  }

  /// An integer that stands after its first byte, if eight bytes do; no branch depends on how wide it happens to be.
  @inline(__always)
  private var wide: (bits: UInt64, isSigned: Bool)? {
    guard let first = base.load(at: 0, as: UInt8.self), 0xCC...0xD3 ~= first,
      let word = base.load(at: 1, as: UInt64.self)
    else { return nil }
    let shift = 64 &- UInt64(8 &<< (first & 3))
    let isSigned = first & 0xFC == 0xD0
    let bits = isSigned ? UInt64(bitPattern: Int64(bitPattern: word) &>> Int64(shift)) : word &>> shift
    return (bits, isSigned)
  }

  /// A number that a `Double` holds exactly: a float of 64 or of 32 bits, or an integer; or nil for anything else.
  ///
  /// JSON and JavaScript write 10.0 as the integer 10. An integer beyond 2^53 is nil unless it is one of those that a
  /// `Double` can be.
  public var double: Double? {
    if isRow { return plain.double }
    let head = head
    return head.kind == .float64 ? Double(bitPattern: head.bits) : head.exactly(Double.self)
  }

  /// A number that a `Float` holds exactly: a float of 32 or of 64 bits, or an integer; or nil for anything else.
  public var float: Float? {
    if isRow { return plain.float }
    let head = head
    return head.kind == .float32 ? Float(bitPattern: UInt32(truncatingIfNeeded: head.bits)) : head.exactly(Float.self)
  }

  /// A moment: an extension of type -1 whose payload says one; or nil for anything else.
  public var timestamp: FuseTimestamp? {
    if isRow { return plain.timestamp }
    let head = head
    guard head.kind == .extension, Int8(truncatingIfNeeded: head.bits) == FuseTimestamp.extensionType,
      let payload = payload(of: head)
    else { return nil }
    return FuseTimestamp(payload: payload)
  }
}

// Values with a payload: text, bytes, extensions. [W19]

extension FuseView {
  /// A copy of a string, or nil for anything else, and for a string whose bytes are not UTF-8; ``stringBytes`` reads those.
  ///
  /// - Complexity: O(bytes). It allocates for more than 15 bytes.
  public var string: String? {
    guard let text = stringBytes else { return nil }
    return String(payload: text)
  }

  /// The bytes of a string in place, UTF-8 or not, or nil for anything else.
  public var stringBytes: RawSpan? {
    @_lifetime(copy self)
    get { payload(.string) }
  }

  /// The bytes of a binary in place, or nil for anything else.
  public var bytes: RawSpan? {
    @_lifetime(copy self)
    get { payload(.binary) }
  }

  /// The type of an extension, also of one that is a ``timestamp``, or nil for anything else.
  public var extensionType: Int8? {
    if isRow { return plain.extensionType }
    let head = head
    return head.kind == .extension ? Int8(truncatingIfNeeded: head.bits) : nil
  }

  /// The payload of an extension in place, also of one that is a ``timestamp``, or nil for anything else.
  public var extensionPayload: RawSpan? {
    @_lifetime(copy self)
    get { payload(.extension) }
  }

  @inline(__always)
  @_lifetime(copy self)
  private func payload(_ kind: MessagePackHead.Kind) -> RawSpan? {
    if let row = unsafe row {
      // SAFETY: the file stays as long as the node's scope.
      if kind == .string, let text = unsafe RowScope.text(row) {
        return unsafe _overrideLifetime(RawSpan(_unsafeBytes: text), copying: self)
      }
      return plain.payload(kind)
    }
    let head = head
    guard head.kind == kind else { return nil }
    return payload(of: head)
  }
}
