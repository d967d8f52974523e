import FuseDB
import Glibc
import ProgramSupport

@testable import FuseDBInput

extension Scratch {
  /// An input that holds `bytes`.
  func input(_ bytes: [UInt8]) throws -> InputFile { try InputFile(path: write(bytes, to: "input")) }
}

extension BlockCutter {
  /// All blocks of an input, each of its own, `byteCount` long where records are not longer.
  static func blocks(
    of bytes: [UInt8], _ boundary: Boundary = .lineFeed, dropsByteOrderMark: Bool = true, byteCount: Int,
    format: FuseInput.Format = .ndjson, in scratch: Scratch
  ) throws -> [InputBlock] {
    var cutter = BlockCutter(try scratch.input(bytes), boundary, dropsByteOrderMark: dropsByteOrderMark)
    var blocks: [InputBlock] = []
    while true {
      let block = try InputBlock(byteCount: byteCount)
      block.format = format
      guard try cutter.next(block) else { return blocks }
      blocks.append(block)
    }
  }
}

/// All lines of an input.
func lines(_ bytes: [UInt8], blockByteCount: Int, in scratch: Scratch = Scratch()) throws -> [[UInt8]] {
  var lines: [[UInt8]] = []
  for block in try BlockCutter.blocks(of: bytes, byteCount: blockByteCount, in: scratch) {
    var reader = LineReader(block)
    let bytes = block.bytes
    while let line = reader.next(bytes.rawSpan) {
      lines.append(Array(bytes[line]))
      precondition(reader.number == lines.count)
    }
  }
  return lines
}
