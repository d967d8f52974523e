internal import FuseDB

/// How cells of a table are written.
struct CellForm {
  let separator: UInt8
  let takesQuotes: Bool

  /// Puts what stands in `out` from `start` on into quotes, where a cell needs them.
  func quote(_ out: inout [UInt8], from start: Int) throws(FuseError) {
    let quote = UInt8(ascii: "\"")
    let needsQuotes = out[start...].contains {
      $0 == separator || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") || ($0 == quote && takesQuotes)
    }
    guard needsQuotes else { return }
    guard takesQuotes else {
      throw FuseError(
        .invalidValue,
        "\(quoted(Array(out[start...]))) has a separator or a line end, and needs quotes, which --no-quotes takes for text; leave out that option or the field"
      )
    }
    let cell = Array(out[start...])
    out.removeSubrange(start...)
    out.append(quote)
    for byte in cell {
      if byte == quote { out.append(quote) }
      out.append(byte)
    }
    out.append(quote)
  }
}
