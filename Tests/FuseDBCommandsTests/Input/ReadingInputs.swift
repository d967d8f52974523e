import Glibc

@testable import FuseDBCommands

extension Scratch {
  /// An input that holds `bytes`.
  func input(_ bytes: [UInt8]) throws -> InputFile { try InputFile(path: write(bytes, to: "input")) }

  /// A buffer on such an input, small enough that everything meets its end.
  func buffer(_ bytes: [UInt8], byteCount: Int) throws -> InputBuffer {
    InputBuffer(try input(bytes), byteCount: byteCount)
  }
}

/// All lines of an input.
func lines(_ bytes: [UInt8], bufferByteCount: Int, keepsCarriageReturn: Bool = false, in scratch: Scratch = Scratch())
  throws -> [[UInt8]]
{
  let reader = LineReader(
    try scratch.buffer(bytes, byteCount: bufferByteCount), keepsCarriageReturn: keepsCarriageReturn)
  var lines: [[UInt8]] = []
  while let line = try reader.next() {
    lines.append(Array(reader.bytes[line]))
    precondition(reader.number == lines.count)
  }
  return lines
}
