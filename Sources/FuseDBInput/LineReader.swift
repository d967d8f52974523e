internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Goes through the lines of a block.
struct LineReader {
  private var rest: Range<Int>
  private let firstLine: Int
  /// How many lines ``next(_:)`` has returned.
  private var count = 0

  /// Begins where `block` does; a carriage return before a line feed is no part of the line.
  init(_ block: InputBlock) {
    rest = block.range
    firstLine = block.firstLine
  }

  /// The number of the line that ``next(_:)`` returned last, from 1.
  var number: Int { firstLine + count - 1 }

  /// Where the line after that begins.
  var end: Int { rest.lowerBound }

  /// Where the next line stands in the block's bytes, without its end; nil after the last.
  mutating func next(_ bytes: RawSpan) -> Range<Int>? {
    guard !rest.isEmpty else { return nil }
    count += 1
    let start = rest.lowerBound
    // The last line may have no end.
    guard let end = bytes.firstIndex(of: UInt8(ascii: "\n"), in: rest) else {
      defer { rest = rest.upperBound..<rest.upperBound }
      return rest
    }
    rest = end + 1..<rest.upperBound
    let endsInPair = end > start && Span<UInt8>(_bytes: bytes)[end - 1] == UInt8(ascii: "\r")
    return start..<(endsInPair ? end - 1 : end)
  }
}
