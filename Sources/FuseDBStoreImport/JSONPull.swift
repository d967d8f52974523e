internal import FuseDBFormat
internal import FuseDBSystem

/// A JSON document in a file, taken one token after the other: however long its lists are, memory does not grow with them.
final class JSONPull {
  private let file: InputDescriptor
  private let path: String
  private var buffer: [UInt8] = []
  /// The next byte of the buffer, and where in the file the buffer begins.
  private var place = 0
  private var start = 0
  /// For each object and list that is open: what closes it, and whether something of it came.
  private var open: [(closing: UInt8, hasSome: Bool)] = []

  private static let pieceByteCount = 1 << 16
  /// More than any of the layouts has.
  private static let mostDepth = 64
  /// Of a string; names of files and digits are shorter.
  private static let mostStringByteCount = 1 << 16

  init(path: String) throws(FuseError) {
    self.path = path
    guard FileStatus(at: path)?.kind == .regular else {
      throw FuseError(.notFound, "there is no regular file here", path: path)
    }
    file = try InputDescriptor(PinnedPath(path))
  }

  /// The document's file.
  var filePath: String { path }
  /// Where in the file the next byte is.
  var offset: Int { start + place }

  /// The document is not what is expected.
  func fault(_ message: String) -> FuseError {
    FuseError(.corrupted, message, offset: UInt64(offset), path: path)
  }

  // MARK: Bytes

  /// The next byte, which stays; nil at the end.
  private func peek() throws(FuseError) -> UInt8? {
    if place < buffer.count { return buffer[place] }
    start += buffer.count
    place = 0
    buffer.removeAll(keepingCapacity: true)
    try file.append(Self.pieceByteCount, at: start, to: &buffer)
    return buffer.first
  }

  private func next() throws(FuseError) -> UInt8 {
    guard let byte = try peek() else { throw fault("the JSON ends in the middle") }
    place += 1
    return byte
  }

  /// The next byte that is no white space, which stays.
  private func token() throws(FuseError) -> UInt8 {
    while let byte = try peek() {
      guard [0x20, 0x0A, 0x0D, 0x09].contains(byte) else { return byte }
      place += 1
    }
    throw fault("the JSON ends in the middle")
  }

  private func expect(_ byte: UInt8) throws(FuseError) {
    guard try token() == byte else { throw fault("'\(Character(Unicode.Scalar(byte)))' is expected here") }
    place += 1
  }

  // MARK: Values

  /// Begins a list.
  func enterList() throws(FuseError) { try enter(UInt8(ascii: "["), UInt8(ascii: "]")) }
  /// Begins an object.
  func enterObject() throws(FuseError) { try enter(UInt8(ascii: "{"), UInt8(ascii: "}")) }

  private func enter(_ opening: UInt8, _ closing: UInt8) throws(FuseError) {
    try expect(opening)
    guard open.count < Self.mostDepth else { throw fault("the JSON has more than \(Self.mostDepth) levels") }
    open.append((closing, false))
  }

  /// Whether the list or object that is open has more; where not, it is closed.
  func hasNext() throws(FuseError) -> Bool {
    let (closing, hasSome) = open[open.count - 1]
    if try token() == closing {
      place += 1
      open.removeLast()
      return false
    }
    if hasSome { try expect(UInt8(ascii: ",")) }
    open[open.count - 1].hasSome = true
    return true
  }

  /// The next key of an object; nil where it has no more.
  func nextKey() throws(FuseError) -> String? {
    guard try hasNext() else { return nil }
    let key = try string()
    try expect(UInt8(ascii: ":"))
    return key
  }

  /// A whole number that is not negative.
  func count() throws(FuseError) -> Int {
    var number = 0
    var digits = 0
    _ = try token()
    while let byte = try peek(), (0x30...0x39).contains(byte) {
      let (product, overflows) = number.multipliedReportingOverflow(by: 10)
      let (sum, overflowsToo) = product.addingReportingOverflow(Int(byte - 0x30))
      guard !overflows, !overflowsToo else { throw fault("the number is too large") }
      number = sum
      digits += 1
      place += 1
    }
    guard digits > 0 else { throw fault("a whole number is expected here") }
    return number
  }

  func string() throws(FuseError) -> String {
    try expect(UInt8(ascii: "\""))
    var bytes: [UInt8] = []
    while true {
      let byte = try next()
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\") { try escape(to: &bytes) } else { bytes.append(byte) }
      guard bytes.count <= Self.mostStringByteCount else { throw fault("the text is longer than any name can be") }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw fault("the text is no UTF-8") }
    return text
  }

  private func escape(to bytes: inout [UInt8]) throws(FuseError) {
    switch try next() {
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "u"):
      var unit = try codeUnit()
      if (0xD800..<0xDC00).contains(unit) {
        guard try next() == UInt8(ascii: "\\"), try next() == UInt8(ascii: "u") else { throw fault("half a character") }
        let low = try codeUnit()
        guard (0xDC00..<0xE000).contains(low) else { throw fault("half a character") }
        unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(unit) else { throw fault("half a character") }
      bytes += Array(String(Character(scalar)).utf8)
    case let byte:
      guard [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/")].contains(byte) else {
        throw fault("no escape of JSON begins so")
      }
      bytes.append(byte)
    }
  }

  private func codeUnit() throws(FuseError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(try next())).hexDigitValue else { throw fault("no hexadecimal digit") }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  /// Passes over a value of any kind.
  func skip() throws(FuseError) {
    switch try token() {
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "["):
      try enterList()
      while try hasNext() { try skip() }
    case UInt8(ascii: "{"):
      try enterObject()
      while try nextKey() != nil { try skip() }
    default:
      var some = 0
      while let byte = try peek(), ![0x2C, 0x5D, 0x7D, 0x20, 0x0A, 0x0D, 0x09].contains(byte) {
        place += 1
        some += 1
      }
      guard some > 0 else { throw fault("a value is expected here") }
    }
  }

  /// Throws unless nothing follows.
  func end() throws(FuseError) {
    while let byte = try peek() {
      guard [0x20, 0x0A, 0x0D, 0x09].contains(byte) else { throw fault("something follows the JSON") }
      place += 1
    }
  }
}
