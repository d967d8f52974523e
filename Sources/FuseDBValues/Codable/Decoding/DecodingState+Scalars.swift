internal import FuseDBFormat

extension DecodingState {
  /// The value at `offset`, as what `type` is in MessagePack, or as the type says.
  @inline(__always)
  func decode<T: Decodable>(_ type: T.Type, at offset: Int) throws -> T {
    // Compiled for a scalar, only its own line is left.
    if T.self == String.self { return same(try string(at: offset)) }
    if T.self == Int.self { return same(try integer(Int.self, at: offset)) }
    if T.self == Bool.self { return same(try bool(at: offset)) }
    if T.self == Double.self { return same(try double(at: offset)) }
    if T.self == Float.self { return same(try float(at: offset)) }
    if T.self == UInt.self { return same(try integer(UInt.self, at: offset)) }
    if T.self == Int64.self { return same(try integer(Int64.self, at: offset)) }
    if T.self == UInt64.self { return same(try integer(UInt64.self, at: offset)) }
    if T.self == Int32.self { return same(try integer(Int32.self, at: offset)) }
    if T.self == UInt32.self { return same(try integer(UInt32.self, at: offset)) }
    if T.self == Int16.self { return same(try integer(Int16.self, at: offset)) }
    if T.self == UInt16.self { return same(try integer(UInt16.self, at: offset)) }
    if T.self == Int8.self { return same(try integer(Int8.self, at: offset)) }
    if T.self == UInt8.self { return same(try integer(UInt8.self, at: offset)) }
    return try decodeOther(type, at: offset)
  }

  /// The same for what is no scalar.
  @inline(never)
  private func decodeOther<T: Decodable>(_ type: T.Type, at offset: Int) throws -> T {
    if T.self == [UInt8].self { return same(try byteArray(at: offset)) }
    if T.self == [String].self { return same(try [String].elements(state: self, at: offset)) }
    if T.self == FuseTimestamp.self { return same(try timestamp(at: offset)) }
    if T.self == FuseValue.self { return same(value(at: offset)) }
    if T.self == Int128.self { return same(try integer(Int128.self, at: offset)) }
    if T.self == UInt128.self { return same(try integer(UInt128.self, at: offset)) }
    switch Self.rules.rule(of: type) {
    case .own, .set:
      depth += 1
      defer { depth -= 1 }
      return try T(from: ValueDecoder(state: self, offset: offset))
    case .bytes:
      let collection = type as! any RangeReplaceableCollection<UInt8>.Type
      return collection.init(try byteArray(at: offset)) as! T
    case .array: return try (type as! any DecodedArray.Type).decode(state: self, at: offset) as! T
    case .map: return try (type as! any DecodedMap.Type).decode(state: self, at: offset) as! T
    case .date: return try date(type, at: offset)
    case .url: return try url(type, at: offset)
    }
  }

  private static let rules = CodingRules { type in
    if CodingRule.isLikeData(type) { return .bytes }
    if type is any DecodedArray.Type { return .array }
    if type is any DecodedMap.Type { return .map }
    return CodingRule.ofFoundation(type)
  }

  /// `value` as the type that it is.
  @inline(__always)
  private func same<Known, T>(_ value: Known) -> T {
    // SAFETY: the caller has compared the two types.
    unsafe unsafeBitCast(value, to: T.self)
  }

  // MARK: Scalars

  /// Whether nil stands at `offset`.
  @inline(__always)
  func isNull(at offset: Int) -> Bool { head(at: offset).kind == .null }

  @inline(__always)
  private func bool(at offset: Int) throws -> Bool {
    let head = head(at: offset)
    guard head.kind == .bool else { throw mismatch(Bool.self, at: offset, expected: "true or false") }
    return head.bits == 1
  }

  @inline(__always)
  private func integer<T: FixedWidthInteger>(_ type: T.Type, at offset: Int) throws -> T {
    guard let number = head(at: offset).integer(type) else { throw noInteger(type, at: offset) }
    return number
  }

  @inline(never)
  private func noInteger<T: FixedWidthInteger>(_ type: T.Type, at offset: Int) -> DecodingError {
    let head = head(at: offset)
    guard head.kind == .unsigned || head.kind == .signed else {
      return mismatch(type, at: offset, expected: "an integer")
    }
    let number = head.kind == .signed ? String(Int64(bitPattern: head.bits)) : String(head.bits)
    return corrupted("the integer \(number) does not fit \(type), from \(T.min) to \(T.max)", at: offset)
  }

  @inline(__always)
  func double(at offset: Int) throws -> Double {
    let head = head(at: offset)
    return head.kind == .float64 ? Double(bitPattern: head.bits) : try wholeOrNarrow(Double.self, head, at: offset)
  }

  @inline(__always)
  private func float(at offset: Int) throws -> Float {
    let head = head(at: offset)
    return head.kind == .float32
      ? Float(bitPattern: UInt32(truncatingIfNeeded: head.bits)) : try wholeOrNarrow(Float.self, head, at: offset)
  }

  /// A number that is written as another type, and is the same in this one.
  @inline(never)
  private func wholeOrNarrow<T: BinaryFloatingPoint>(_ type: T.Type, _ head: MessagePackHead, at offset: Int) throws
    -> T
  {
    if let number = head.exactly(type) { return number }
    switch head.kind {
    case .unsigned, .signed, .float32, .float64:
      throw corrupted("\(type) cannot hold the number that stands here exactly", at: offset)
    default: throw mismatch(type, at: offset, expected: "a number")
    }
  }

  /// The text at `offset`.
  func string(at offset: Int) throws -> String {
    let head = head(at: offset)
    let bytes = bytes
    guard head.kind == .string, head.end &+ head.count <= bytes.byteCount else {
      throw mismatch(String.self, at: offset, expected: "a string")
    }
    let text = bytes.extracting(head.end..<head.end &+ head.count)
    guard let string = String(payload: text) else {
      throw corrupted("the string is not UTF-8", at: offset, offset: head.end + text.validUTF8Prefix)
    }
    return string
  }

  /// The text that `head` begins; nil where it is none.
  func text(_ head: MessagePackHead) -> String? {
    let bytes = bytes
    guard head.kind == .string, head.end &+ head.count <= bytes.byteCount else { return nil }
    return String(payload: bytes.extracting(head.end..<head.end &+ head.count))
  }

  /// The bytes of a bin; or those that an array of integers lists.
  private func byteArray(at offset: Int) throws -> [UInt8] {
    let head = head(at: offset)
    let bytes = bytes
    switch head.kind {
    case .binary where head.end &+ head.count <= bytes.byteCount:
      return bytes.extracting(head.end..<head.end &+ head.count).array()
    case .array: return try [UInt8].elements(state: self, at: offset)
    default: throw mismatch([UInt8].self, at: offset, expected: "binary data")
    }
  }

  func timestamp(at offset: Int) throws -> FuseTimestamp {
    let head = head(at: offset)
    let bytes = bytes
    guard head.kind == .extension, Int8(truncatingIfNeeded: head.bits) == FuseTimestamp.extensionType,
      head.end &+ head.count <= bytes.byteCount
    else { throw mismatch(FuseTimestamp.self, at: offset, expected: "a timestamp") }
    guard let time = FuseTimestamp(payload: bytes.extracting(head.end..<head.end &+ head.count)) else {
      throw corrupted("this timestamp of \(counted(head.count, "byte")) says no moment", at: offset)
    }
    return time
  }

  private func value(at offset: Int) -> FuseValue {
    let bytes = bytes
    let end = end(ofValueAt: offset)
    return FuseValue(validated: bytes.extracting(min(offset, end)..<end))
  }

}
