package import FuseDBFormat

/// What stands at an offset of MessagePack bytes, whatever they are: reading it neither throws nor traps.
///
/// ``MessagePackCursor`` makes errors of what is wrong. For validated bytes its answers are right: if
/// the mapped file is overwritten meanwhile, a head may be wrong, or nothing, but never leads outside the bytes.
struct MessagePackHead {
  /// The types of MessagePack; integers and floats by how they are written.
  enum Kind: UInt8 {
    case null, bool, unsigned, signed, float32, float64, string, binary, `extension`, array, map
    /// No value begins here, or its head ends past the bytes.
    case nothing
  }

  let kind: Kind
  /// A bool as 0 or 1, an unsigned integer, the bits of a signed one or of a float, the bits of an extension's type.
  let bits: UInt64
  /// Bytes of payload, elements of an array, pairs of a map.
  let count: Int
  /// Where the head ends, and the payload, the first element or the first key begins.
  let end: Int

  @inline(__always)
  private init(_ kind: Kind, bits: UInt64 = 0, count: Int = 0, end: Int) {
    self.kind = kind
    self.bits = bits
    self.count = count
    self.end = end
  }

  /// Reads the head at `offset`. Its payload and its elements are not looked at, and may end past the bytes.
  @inline(__always)
  init(at offset: Int, in bytes: RawSpan) {
    guard let first = bytes.load(at: offset, as: UInt8.self) else {
      self.init(.nothing, end: offset)
      return
    }
    let next = offset &+ 1
    switch first {
    case 0x00...0x7F: self.init(.unsigned, bits: UInt64(first), end: next)
    case 0x80...0x8F: self.init(.map, count: Int(first & 0x0F), end: next)
    case 0x90...0x9F: self.init(.array, count: Int(first & 0x0F), end: next)
    case 0xA0...0xBF: self.init(.string, count: Int(first & 0x1F), end: next)
    case 0xC0: self.init(.null, end: next)
    case 0xC2, 0xC3: self.init(.bool, bits: UInt64(first & 1), end: next)
    case 0xC4: self.init(.binary, countOf: UInt8.self, at: next, in: bytes)
    case 0xC5: self.init(.binary, countOf: UInt16.self, at: next, in: bytes)
    case 0xC6: self.init(.binary, countOf: UInt32.self, at: next, in: bytes)
    case 0xC7: self.init(extension: UInt8.self, at: next, in: bytes)
    case 0xC8: self.init(extension: UInt16.self, at: next, in: bytes)
    case 0xC9: self.init(extension: UInt32.self, at: next, in: bytes)
    case 0xCA: self.init(.float32, bitsOf: UInt32.self, at: next, in: bytes)
    case 0xCB: self.init(.float64, bitsOf: UInt64.self, at: next, in: bytes)
    case 0xCC: self.init(.unsigned, bitsOf: UInt8.self, at: next, in: bytes)
    case 0xCD: self.init(.unsigned, bitsOf: UInt16.self, at: next, in: bytes)
    case 0xCE: self.init(.unsigned, bitsOf: UInt32.self, at: next, in: bytes)
    case 0xCF: self.init(.unsigned, bitsOf: UInt64.self, at: next, in: bytes)
    case 0xD0: self.init(.signed, bitsOf: Int8.self, at: next, in: bytes)
    case 0xD1: self.init(.signed, bitsOf: Int16.self, at: next, in: bytes)
    case 0xD2: self.init(.signed, bitsOf: Int32.self, at: next, in: bytes)
    case 0xD3: self.init(.signed, bitsOf: Int64.self, at: next, in: bytes)
    case 0xD4...0xD8: self.init(extensionOf: 1 << Int(first &- 0xD4), typeAt: next, in: bytes)
    case 0xD9: self.init(.string, countOf: UInt8.self, at: next, in: bytes)
    case 0xDA: self.init(.string, countOf: UInt16.self, at: next, in: bytes)
    case 0xDB: self.init(.string, countOf: UInt32.self, at: next, in: bytes)
    case 0xDC: self.init(.array, countOf: UInt16.self, at: next, in: bytes)
    case 0xDD: self.init(.array, countOf: UInt32.self, at: next, in: bytes)
    case 0xDE: self.init(.map, countOf: UInt16.self, at: next, in: bytes)
    case 0xDF: self.init(.map, countOf: UInt32.self, at: next, in: bytes)
    case 0xE0...0xFF: self.init(.signed, bits: UInt64(truncatingIfNeeded: Int8(bitPattern: first)), end: next)
    default: self.init(.nothing, end: offset)
    }
  }

  @inline(__always)
  private init<T: FixedWidthInteger & BitwiseCopyable>(_ kind: Kind, bitsOf: T.Type, at offset: Int, in bytes: RawSpan)
  {
    if let value = bytes.load(at: offset, as: T.self) {
      self.init(kind, bits: UInt64(truncatingIfNeeded: value), end: offset &+ MemoryLayout<T>.size)
    } else {
      self.init(.nothing, end: offset)
    }
  }

  @inline(__always)
  private init<T: UnsignedInteger & FixedWidthInteger & BitwiseCopyable>(
    _ kind: Kind, countOf: T.Type, at offset: Int, in bytes: RawSpan
  ) {
    if let count = bytes.load(at: offset, as: T.self) {
      self.init(kind, count: Int(count), end: offset &+ MemoryLayout<T>.size)
    } else {
      self.init(.nothing, end: offset)
    }
  }

  @inline(__always)
  private init<T: UnsignedInteger & FixedWidthInteger & BitwiseCopyable>(
    extension: T.Type, at offset: Int, in bytes: RawSpan
  ) {
    if let count = bytes.load(at: offset, as: T.self) {
      self.init(extensionOf: Int(count), typeAt: offset &+ MemoryLayout<T>.size, in: bytes)
    } else {
      self.init(.nothing, end: offset)
    }
  }

  @inline(__always)
  private init(extensionOf count: Int, typeAt offset: Int, in bytes: RawSpan) {
    if let type = bytes.load(at: offset, as: UInt8.self) {
      self.init(.extension, bits: UInt64(type), count: count, end: offset &+ 1)
    } else {
      self.init(.nothing, end: offset)
    }
  }
}

extension MessagePackHead {
  /// Where the value ends that begins at `offset` of validated bytes; where no value does, where the bytes end.
  ///
  /// - Complexity: O(heads of the value), without recursion or allocation.
  @inline(__always)
  static func end(ofValueAt offset: Int, in bytes: RawSpan) -> Int {
    MessagePackCursor.endOfPlainValue(at: offset, in: bytes, containersLeft: .max) ?? endAfterAll(offset, in: bytes)
  }

  @inline(never)
  private static func endAfterAll(_ offset: Int, in bytes: RawSpan) -> Int {
    guard offset < bytes.byteCount,
      let count = try? MessagePackCursor.byteCountOfFirstValue(in: bytes.extracting(droppingFirst: offset))
    else { return bytes.byteCount }
    return offset &+ count
  }

  /// Whether the value at `left` comes before the one at `right`: texts by their bytes, then integers by their number,
  /// then the rest by its encoding. Of two equal values, however they are encoded, none does.
  static func isAscending(_ left: Int, _ right: Int, in bytes: RawSpan) -> Bool {
    let (leftHead, rightHead) = (MessagePackHead(at: left, in: bytes), MessagePackHead(at: right, in: bytes))
    switch (leftHead.kind, rightHead.kind) {
    case (.string, .string):
      return bytes.isAscending(leftHead.payload(in: bytes), rightHead.payload(in: bytes))
    case (.string, _): return true
    case (_, .string): return false
    default: break
    }
    switch (leftHead.integer(Int128.self), rightHead.integer(Int128.self)) {
    case (let left?, let right?): return left < right
    case (.some, nil): return true
    case (nil, .some): return false
    case (nil, nil): return bytes.isAscending(range(ofValueAt: left, in: bytes), range(ofValueAt: right, in: bytes))
    }
  }

  private func payload(in bytes: RawSpan) -> Range<Int> {
    min(end, bytes.byteCount)..<min(end &+ count, bytes.byteCount)
  }

  private static func range(ofValueAt offset: Int, in bytes: RawSpan) -> Range<Int> {
    let end = end(ofValueAt: offset, in: bytes)
    return min(offset, end)..<end
  }

  /// The integer, if it is one that the type holds.
  @inline(__always)
  func integer<T: FixedWidthInteger>(_ type: T.Type) -> T? {
    switch kind {
    case .unsigned: T(exactly: bits)
    case .signed: T(exactly: Int64(bitPattern: bits))
    default: nil
    }
  }
}

extension MessagePackHead {
  /// A number of any type, where `T` holds it exactly; nil for anything else. [W10]
  func exactly<T: BinaryFloatingPoint>(_ type: T.Type) -> T? {
    switch kind {
    case .unsigned: T(exactly: bits)
    case .signed: T(exactly: Int64(bitPattern: bits))
    case .float32: Float(bitPattern: UInt32(truncatingIfNeeded: bits)).exactly(type)
    case .float64: Double(bitPattern: bits).exactly(type)
    default: nil
    }
  }
}

extension BinaryFloatingPoint {
  /// The same number as a `T`, if that holds it; what else a NaN says may be lost.
  func exactly<T: BinaryFloatingPoint>(_ type: T.Type) -> T? { isNaN ? T(self) : T(exactly: self) }
}

/// What a value is, for those who show it in a way of their own.
package enum MessagePackKind: Equatable {
  case null
  /// A string, and where its text stands.
  case string(Range<Int>)
  case other

  /// Looks at the head of `messagePack`.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when that is cut short.
  package init(of messagePack: RawSpan) throws(FuseError) {
    var cursor = MessagePackCursor(messagePack)
    switch try cursor.readHead() {
    case .null: self = .null
    case .string(let byteCount): self = .string(cursor.offset..<cursor.offset + byteCount)
    default: self = .other
    }
  }
}
