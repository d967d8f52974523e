internal import FuseDBFormat
internal import FuseDBValues

/// Reads a part of a file that holds values of rows: a row, a part or a shape. Every number is compared with what is left before it
/// is believed.
struct CompactCursor: ~Escapable {
  let file: RawSpan
  /// What is read next, and where that ends.
  private(set) var at: Int
  let end: Int

  /// - Precondition: the range lies in the file.
  @inline(__always)
  @_lifetime(copy file)
  init(_ file: RawSpan, _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= file.byteCount, "the range lies in the file")
    self.file = file
    at = range.lowerBound
    end = range.upperBound
  }

  var left: Int { end &- at }

  /// The next byte, which stays.
  @inline(__always)
  func peek() throws(FuseError) -> UInt8 {
    guard at < end else { throw endsEarly() }
    return file.loadInside(at: at, as: UInt8.self)
  }

  @inline(__always)
  @_lifetime(self: copy self)
  mutating func byte() throws(FuseError) -> UInt8 {
    let byte = try peek()
    at &+= 1
    return byte
  }

  /// A number of some bytes, at most eight.
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func number(byteCount: Int) throws(FuseError) -> UInt64 {
    guard byteCount <= left else { throw endsEarly() }
    var number: UInt64 = 0
    for i in 0..<byteCount { number = number << 8 | UInt64(file.loadInside(at: at &+ i, as: UInt8.self)) }
    at &+= byteCount
    return number
  }

  /// A number of seven bits a byte, in its shortest spelling.
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func varint() throws(FuseError) -> Int {
    let first = try byte()
    if first < 0x80 { return Int(first) }
    return try longVarint(first)
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func longVarint(_ first: UInt8) throws(FuseError) -> Int {
    var number = Int(first & 0x7F)
    var shift = 7
    while shift < 63 {
      let next = try byte()
      number |= Int(next & 0x7F) << shift
      if next < 0x80 {
        guard next != 0 else { break }
        return number
      }
      shift += 7
    }
    throw .corrupted("a number is not spelled in its shortest way, or is too long", at: at)
  }

  /// Passes over some bytes, and says where they stand.
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func take(_ count: Int) throws(FuseError) -> Range<Int> {
    guard count >= 0, count <= left else { throw endsEarly() }
    let range = at..<at &+ count
    at &+= count
    return range
  }

  /// Passes over a value in MessagePack, nested at most so deep, and says where it stands.
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func takeMessagePack(nesting: Int) throws(FuseError) -> Range<Int> {
    switch try peek() {
    case 0xE0...0xFF: return try take(1)
    // Floats and integers of 4, 8, 1, 2, 4, 8, 1, 2, 4 or 8 bytes.
    case let head where 0xCA...0xD3 ~= head:
      return try take(1 &+ Int(0x84_2184_2184 >> UInt64(4 &* (head &- 0xCA)) & 0x0F))
    case let head where 0xA0...0xBF ~= head: return try take(1 &+ Int(head & 0x1F))
    default: return try takeAnyMessagePack(nesting: nesting)
    }
  }

  @inline(never)
  @_lifetime(self: copy self)
  private mutating func takeAnyMessagePack(nesting: Int) throws(FuseError) -> Range<Int> {
    var cursor = MessagePackCursor(file.extracting(at..<end))
    do { try cursor.skipValue(nesting: nesting) } catch {
      throw .corrupted("what should be MessagePack is not: \(error.message)", at: UInt64(at) + (error.offset ?? 0))
    }
    return try take(cursor.offset)
  }

  @inline(never)
  func endsEarly() -> FuseError { .corrupted("a value ends early", at: at) }
}

/// What stands first in a value of a row.
enum CompactHead {
  /// The head itself is the value, or what follows it.
  case integer(UInt64)
  case null, no, yes
  case decimal
  case raw
  case text(Int)
  case array(Int)
  /// A map whose names are a shape.
  case shape(UInt64)
  /// A map with its names.
  case map(Int)
  case part(UInt64)

  /// Reads it from a cursor, which stands after it then. Counts are no larger than what is left.
  @inline(__always)
  @_lifetime(cursor: copy cursor)
  init(_ cursor: inout CompactCursor) throws(FuseError) {
    typealias Head = CompactForm.Head
    let head = try cursor.byte()
    if head < Head.array {
      self = .integer(UInt64(head))
    } else if head < Head.text {
      let count = Int(head &- Head.array)
      guard count <= cursor.left else { throw cursor.endsEarly() }
      self = .array(count)
    } else if head < Head.shape {
      self = .text(Int(head &- Head.text))
    } else if head < Head.part5 {
      self = .shape(UInt64(head &- Head.shape))
    } else if head < Head.partLong {
      let isShort = head < Head.part3
      let isMiddle = head < Head.part2
      let byteCount = isShort ? 1 : isMiddle ? 2 : 3
      let high = UInt64(head & (isShort ? 0x1F : isMiddle ? 0x07 : 0x03))
      let low = try cursor.number(byteCount: byteCount)
      self = .part(high << UInt64(8 &* byteCount) | low)
    } else {
      switch head {
      case Head.partLong: self = .part(try cursor.number(byteCount: 4))
      case Head.shapeLong: self = .shape(UInt64(try cursor.varint()))
      case Head.decimal: self = .decimal
      case Head.raw: self = .raw
      case Head.null: self = .null
      case Head.no: self = .no
      case Head.yes: self = .yes
      case Head.textLong: self = .text(try cursor.varint())
      case Head.arrayLong:
        let count = try cursor.varint()
        guard count <= cursor.left else { throw cursor.endsEarly() }
        self = .array(count)
      case Head.mapLong:
        let count = try cursor.varint()
        guard count <= cursor.left / 2 else { throw cursor.endsEarly() }
        self = .map(count)
      case Head.integerBytes + 1...Head.integerBytes + 4:
        self = .integer(try cursor.number(byteCount: Int(head &- Head.integerBytes)))
      default: throw .corrupted("no value begins with the byte \(head.hexadecimal)", at: cursor.at - 1)
      }
    }
  }
}
