internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Where a text stops being JSON, for messages: the parser is fast and says only that it does.
struct JSONFlaw: Equatable {
  /// How many line ends stand before it.
  var line = 0
  /// The character of the line at which it is seen, from 1.
  var column: Int
  /// What is wrong there, as the end of a sentence.
  var reason: String
  /// Whether the text ends too early.
  var isCut = false
  /// The byte that more begins with after a whole value; nil where the value itself has the flaw.
  var follower: UInt8?

  /// The first flaw of the text; nil when none is found.
  static func first(in text: RawSpan) -> JSONFlaw? {
    var search = JSONFlawSearch(bytes: text.array())
    do throws(JSONFlawSearch.Stop) {
      try search.skipText()
      return nil
    } catch {
      let before = search.bytes[..<min(search.offset, search.bytes.count)]
      let lineFeed = UInt8(ascii: "\n")
      let start = before.lastIndex(of: lineFeed).map { $0 + 1 } ?? 0
      // Bytes that go on a character of UTF-8 are none of their own.
      return JSONFlaw(
        line: before.count { $0 == lineFeed }, column: before[start...].count { $0 & 0xC0 != 0x80 } + 1,
        reason: error.reason, isCut: search.offset >= search.bytes.count,
        follower: search.hasEnded ? search.next : nil)
    }
  }
}

/// Goes through a text by the grammar of RFC 8259.
struct JSONFlawSearch {
  /// Why it does not go on.
  struct Stop: Error { var reason: String }

  let bytes: [UInt8]
  fileprivate(set) var offset = 0
  /// Whether a whole value came.
  fileprivate var hasEnded = false
  /// The brackets that are open.
  private var open: [UInt8] = []

  init(bytes: [UInt8]) { self.bytes = bytes }

  fileprivate var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private func stop(_ reason: String) -> Stop {
    guard offset < bytes.count else {
      let bracket = open.last == UInt8(ascii: "{") ? " inside an object" : open.isEmpty ? "" : " inside an array"
      return Stop(reason: "the text ends\(bracket), and \(reason)")
    }
    return Stop(reason: reason)
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A { offset += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  fileprivate mutating func skipText() throws(Stop) {
    try skipValueOrOpen()
    while let bracket = open.last {
      skipSpace()
      let isObject = bracket == UInt8(ascii: "{")
      if take(isObject ? "}" : "]") {
        open.removeLast()
      } else {
        guard take(",") else {
          throw stop(isObject ? "',' or '}' is missing" : "',' or ']' is missing")
        }
        if isObject { try skipName() }
        try skipValueOrOpen()
      }
    }
    skipSpace()
    hasEnded = true
    guard next == nil else { throw stop("more follows the value") }
  }

  /// Passes over a value up to its end, or into the first array or object that is not empty.
  private mutating func skipValueOrOpen() throws(Stop) {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"):
      offset += 1
      skipSpace()
      if take("}") { return }
      open.append(UInt8(ascii: "{"))
      try skipName()
      try skipValueOrOpenInside()
    case UInt8(ascii: "["):
      offset += 1
      skipSpace()
      if take("]") { return }
      open.append(UInt8(ascii: "["))
      try skipValueOrOpenInside()
    case UInt8(ascii: "\""): try skipString()
    case UInt8(ascii: "t"): try skipWord("true")
    case UInt8(ascii: "f"): try skipWord("false")
    case UInt8(ascii: "n"): try skipWord("null")
    case UInt8(ascii: "-"): try skipNumber()
    case let byte? where Self.isDigit(byte): try skipNumber()
    default: throw stop("a value is missing")
    }
  }

  private mutating func skipValueOrOpenInside() throws(Stop) {
    guard open.count < 1 << 10 else { throw stop("arrays and objects are nested too deeply") }
    try skipValueOrOpen()
  }

  private mutating func skipName() throws(Stop) {
    skipSpace()
    guard next == UInt8(ascii: "\"") else { throw stop("a name in double quotes is missing") }
    try skipString()
    skipSpace()
    guard take(":") else { throw stop("':' is missing") }
  }

  private mutating func skipWord(_ word: String) throws(Stop) {
    guard bytes[offset...].starts(with: word.utf8) else { throw stop("a value is missing") }
    offset += word.utf8.count
  }

  private mutating func skipString() throws(Stop) {
    let start = offset
    offset += 1
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        let string = Array(bytes[start..<offset])
        guard string.rawSpan.isUTF8 else {
          offset = start
          throw stop("the string is not UTF-8")
        }
        offset += 1
        return
      case 0..<0x20: throw stop("a control character must be escaped")
      case UInt8(ascii: "\\"):
        offset += 1
        guard let escape = next else { break }
        if escape == UInt8(ascii: "u") {
          let digits = bytes[(offset + 1)...].prefix(4)
          guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
            throw stop("four hexadecimal digits must follow '\\u'")
          }
        } else if !"\"\\/bfnrt".utf8.contains(escape) {
          throw stop("there is no such escape")
        }
        offset += 1
      default: offset += 1
      }
    }
    throw stop("'\"' is missing")
  }

  private mutating func skipNumber() throws(Stop) {
    let start = offset
    _ = take("-")
    let startsWithZero = next == UInt8(ascii: "0")
    guard case let count = skipDigits(), count > 0 else { throw stop("a digit is missing") }
    guard !startsWithZero || count == 1 else {
      offset = start
      throw stop("a number does not begin with 0")
    }
    var isInteger = true
    if take(".") {
      isInteger = false
      guard skipDigits() > 0 else { throw stop("a digit is missing") }
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      guard skipDigits() > 0 else { throw stop("a digit is missing") }
    }
    let number = Array(bytes[start..<offset])
    if isInteger, DecimalText.integer(number.rawSpan) == nil {
      offset = start
      throw stop("an integer is from -2^63 to 2^64 - 1; write a greater one in quotes, or with a point")
    }
    if !isInteger, DecimalText.float(number.rawSpan) == nil {
      offset = start
      throw stop("the number is beyond what a float64 can hold")
    }
  }

  private mutating func skipDigits() -> Int {
    let start = offset
    while let byte = next, Self.isDigit(byte) { offset += 1 }
    return offset - start
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
