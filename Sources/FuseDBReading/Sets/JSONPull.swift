internal import FuseDBFormat

/// Takes JSON apart from its beginning to its end, without a tree: members that nobody knows cost nothing. See spec/sharding.md [GM7].
struct JSONPull: ~Escapable {
  private static let mostDepth = 16

  private let text: RawSpan
  private(set) var offset = 0

  @_lifetime(copy text)
  init(_ text: RawSpan) { self.text = text }

  func bad(_ what: String) -> FuseError { FuseError(.corrupted, what, offset: UInt64(offset)) }

  /// The next byte that is no white space; nil at the end.
  @_lifetime(self: copy self)
  mutating func peek() -> UInt8? {
    while offset < text.byteCount {
      let byte = text.loadInside(at: offset, as: UInt8.self)
      guard byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D else { return byte }
      offset += 1
    }
    return nil
  }

  /// Takes one character; returns whether it is there.
  @_lifetime(self: copy self)
  mutating func take(ifThere character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  @_lifetime(self: copy self)
  mutating func take(_ character: Unicode.Scalar) throws(FuseError) {
    guard take(ifThere: character) else { throw bad("'\(character)' is wanted here") }
  }

  /// Throws unless nothing is left.
  @_lifetime(self: copy self)
  mutating func end() throws(FuseError) {
    guard peek() == nil else { throw bad("nothing more is wanted here") }
  }

  /// Goes on to the next element of an array or member of an object that was begun; false at its end.
  @_lifetime(self: copy self)
  mutating func next(_ count: inout Int, until end: Unicode.Scalar) throws(FuseError) -> Bool {
    if take(ifThere: end) { return false }
    if count > 0 { try take(",") }
    count += 1
    return true
  }

  /// A string without escapes, and its bytes.
  @_lifetime(self: copy self)
  mutating func string(most: Int) throws(FuseError) -> [UInt8] {
    let start = offset
    let range = try skipString()
    let bytes = text.extracting(range).array()
    guard !bytes.contains(UInt8(ascii: "\\")) else {
      offset = start
      throw bad("this text needs no escapes, and may have none")
    }
    guard bytes.count <= most else {
      offset = start
      throw bad("this text has \(counted(bytes.count, "byte")), and \(most) are allowed")
    }
    return bytes
  }

  /// A string of printable ASCII.
  @_lifetime(self: copy self)
  mutating func word(most: Int = 255) throws(FuseError) -> String {
    let start = offset
    let bytes = try string(most: most)
    guard bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else {
      offset = start
      throw bad("this text has other characters than ASCII's")
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A name and the colon after it.
  @_lifetime(self: copy self)
  mutating func name() throws(FuseError) -> String {
    let bytes = text.extracting(try skipString()).array()
    try take(":")
    return String(decoding: bytes, as: UTF8.self)
  }

  /// An integer from `least` to 2^53.
  @_lifetime(self: copy self)
  mutating func integer(from least: Int) throws(FuseError) -> Int {
    _ = peek()
    let start = offset
    skipNumber()
    let digits = String(decoding: text.extracting(start..<offset).array(), as: UTF8.self)
    guard let number = Int(digits), String(number) == digits, (least...1 << 53).contains(number) else {
      offset = start
      throw bad("this has to be an integer from \(least) to 9007199254740992")
    }
    return number
  }

  /// Passes over a value, whatever it is.
  @_lifetime(self: copy self)
  mutating func skip(depth: Int = 1) throws(FuseError) {
    guard depth <= Self.mostDepth else { throw bad("values are nested deeper than \(Self.mostDepth) here") }
    switch peek() {
    case UInt8(ascii: "\""): _ = try skipString()
    case UInt8(ascii: "["):
      offset += 1
      var count = 0
      while try next(&count, until: "]") { try skip(depth: depth + 1) }
    case UInt8(ascii: "{"):
      offset += 1
      var count = 0
      while try next(&count, until: "}") {
        _ = try name()
        try skip(depth: depth + 1)
      }
    case let byte? where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-"):
      skipNumber()
    case nil: throw bad("a value is wanted here")
    default:
      for word in ["true", "false", "null"] where offset + word.utf8.count <= text.byteCount {
        if text.extracting(offset..<offset + word.utf8.count).equals(Array(word.utf8).rawSpan) {
          offset += word.utf8.count
          return
        }
      }
      throw bad("a value is wanted here")
    }
  }

  @_lifetime(self: copy self)
  private mutating func skipNumber() {
    while offset < text.byteCount {
      let byte = text.loadInside(at: offset, as: UInt8.self)
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "e"), UInt8(ascii: "E"):
        offset += 1
      default: return
      }
    }
  }

  /// Passes over a string; returns what is between its marks, escapes as they stand.
  @_lifetime(self: copy self)
  private mutating func skipString() throws(FuseError) -> Range<Int> {
    try take("\"")
    let start = offset
    while offset < text.byteCount {
      let byte = text.loadInside(at: offset, as: UInt8.self)
      if byte == UInt8(ascii: "\"") {
        offset += 1
        return start..<offset - 1
      }
      guard byte >= 0x20 else { throw bad("a text has a control character here") }
      offset += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    offset = text.byteCount
    throw bad("a text does not end")
  }
}
