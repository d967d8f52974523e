internal import CFuseHTTP
internal import FuseDB

// SAFETY: the text is that of an exchange, or of its stream, and used while that writes alone.

/// A text of C that is written to.
@safe
struct TextPlace {
  private let text: UnsafeMutablePointer<fuse_text>

  @unsafe
  init(_ text: UnsafeMutablePointer<fuse_text>) { unsafe self.text = text }

  var count: Int {
    get { unsafe text.pointee.count }
    nonmutating set { unsafe text.pointee.count = newValue }
  }

  /// Whether it is longer, or cannot become so.
  func isFull(_ count: Int) -> Bool { unsafe text.pointee.count >= count || text.pointee.failed != 0 }

  @inline(__always)
  func append(_ text: StaticString) { unsafe fuse_text_append(self.text, text.utf8Start, text.utf8CodeUnitCount) }

  func append(_ bytes: [UInt8]) { unsafe fuse_text_append(text, bytes, bytes.count) }

  @inline(__always)
  func append(_ piece: Piece) { unsafe fuse_text_append(text, piece.start, piece.count) }

  /// Appends a key as JSON.
  @inline(__always)
  func append(key: Piece) { unsafe fuse_json_key(text, key.start, key.count) }

  /// Appends a MessagePack value as JSON.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` where it is none.
  @inline(__always)
  func append(value: Piece) throws(FuseError) {
    guard unsafe fuse_json_value(text, value.start, value.count, { unsafe Self.write($0, $1) }) == 0 else { return }
    try appendSlowly(value: value)
  }

  /// Appends a key and its value, and what stands between rows.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` where it is no value.
  @inline(__always)
  func append(row key: Piece, value: Piece, _ tail: StaticString) throws(FuseError) {
    let isDone = unsafe tail.utf8Start.withMemoryRebound(to: CChar.self, capacity: tail.utf8CodeUnitCount + 1) {
      unsafe fuse_json_row(
        text, fuse_bytes(start: key.start, count: key.count), fuse_bytes(start: value.start, count: value.count), $0,
        { unsafe Self.write($0, $1) })
    }
    guard isDone == 0 else { return }
    append("{\"key\":")
    append(key: key)
    append(",\"value\":")
    try appendSlowly(value: value)
    append(tail)
  }

  @inline(never)
  private func appendSlowly(value: Piece) throws(FuseError) {
    var writer = JSONWriter()
    try writer.append(messagePack: unsafe value.span)
    append(writer.out)
  }

  /// Writes the shortest text that reads back as a number. A finite float64 takes 24 characters at most, and there are 32.
  @unsafe
  private static func write(_ number: Double, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    var count = 0
    for byte in number.description.utf8 {
      unsafe out[count] = byte
      count += 1
    }
    return count
  }
}
