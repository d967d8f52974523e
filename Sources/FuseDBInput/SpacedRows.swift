internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

extension CSVReader {
  /// Takes rows off `block` whose cells stand between spaces and tabs, any number of them, and otherwise does as
  /// ``takeRows(off:mostCells:_:)``. Quotes are as any character, and a cell that begins with the prefix of comments ends its
  /// row. [T16]
  func takeSpacedRows(
    off block: InputBlock, mostCells: Int, _ body: (RawSpan, Span<Range<Int>>, Int) throws(FuseError) -> Bool
  ) throws(FuseError) {
    let bytes = block.bytes
    let each = bytes.span
    let isUTF8 = bytes.rawSpan.extracting(block.range).isLongUTF8
    var lines = LineReader(block)
    var cells: [Range<Int>] = []
    var (end, goesOn) = (block.range.lowerBound, true)
    while goesOn, let row = lines.next(bytes.rawSpan) {
      line = lines.number
      flaw = nil
      guard row.count <= limit.byteCount else { throw limit.tooLongRow }
      cells.removeAll(keepingCapacity: true)
      var (start, count) = (row.lowerBound, 0)
      while true {
        while start < row.upperBound, Self.isBlank(each[start]) { start += 1 }
        guard start < row.upperBound else { break }
        if !commentPrefix.isEmpty, bytes[start..<row.upperBound].starts(with: commentPrefix) { break }
        var stop = start
        while stop < row.upperBound, !Self.isBlank(each[stop]) { stop += 1 }
        if count <= mostCells { cells.append(start..<stop) }
        count += 1
        start = stop
      }
      end = min(lines.end, block.range.upperBound)
      guard count > 0 else { continue }
      cellCount = count
      if !isUTF8 { try checkText(cells[...], of: bytes.rawSpan) }
      goesOn = try body(bytes.rawSpan, cells.span, line)
    }
    block.range = end..<block.range.upperBound
    block.firstLine = lines.number + 1
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
