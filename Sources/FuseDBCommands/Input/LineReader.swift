internal import FuseDB

/// Reads an input line by line, in place.
final class LineReader {
  private let buffer: InputBuffer
  private let keepsCarriageReturn: Bool
  /// The number of the line that ``next()`` returned last, from 1.
  private(set) var number = 0

  /// Reads `buffer`; a carriage return before a line feed belongs to the line only when it is to be kept.
  init(_ buffer: InputBuffer, keepsCarriageReturn: Bool = false) {
    self.buffer = buffer
    self.keepsCarriageReturn = keepsCarriageReturn
  }

  /// The bytes that the range of ``next()`` is in, with the JSON parser's padding behind it.
  var bytes: [UInt8] { buffer.bytes }

  /// Where the next line stands in ``bytes``, without its end; nil after the last.
  func next() throws(FuseError) -> Range<Int>? {
    var searched = buffer.start
    while true {
      if let place = buffer.lineFeed(from: searched) { return take(place, using: place + 1) }
      let known = buffer.end - buffer.start
      guard try buffer.fill() else { break }
      searched = buffer.start + known
    }
    // The last line may have no end.
    return buffer.start < buffer.end ? take(buffer.end, using: buffer.end) : nil
  }

  private func take(_ end: Int, using next: Int) -> Range<Int> {
    let start = buffer.start
    buffer.use(upTo: next)
    number += 1
    let endsInPair = next > end && end > start && buffer.bytes[end - 1] == UInt8(ascii: "\r")
    return start..<(endsInPair && !keepsCarriageReturn ? end - 1 : end)
  }
}
