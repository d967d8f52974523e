internal import FuseDB

/// How cells of a table are written. See spec/json.md §8.
struct CellForm {
  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  let separator: UInt8
  var takesQuotes = true

  /// Appends a value: a string as it is, nil as nothing, all else as JSON. [T12]
  ///
  /// - Throws: ``FuseError`` with code `refused` where no cell can hold it.
  func append(_ value: FuseView, to writer: inout JSONWriter) throws(FuseError) {
    let start = writer.out.count
    if let text = value.stringBytes, text.isUTF8 {
      writer.append(text: text)
    } else if value.kind != .null {
      try writer.append(value)
    }
    guard !writer.out[start...].contains(0) else {
      throw FuseError(.refused, "a cell would hold a zero byte, which no spreadsheet can hold; NDJSON can")
    }
    try quote(&writer.out, from: start)
  }

  /// Appends a key. [T12]
  ///
  /// - Throws: ``FuseError`` with code `refused` where no cell can hold it.
  func append(key: RawSpan, to out: inout [UInt8]) throws(FuseError) {
    let start = out.count
    out.append(key)
    guard key.isUTF8, !out[start...].contains(0) else {
      throw FuseError(
        .refused, "a cell would hold the key \(quoted(key)), which is not UTF-8 or has a zero byte; NDJSON can hold it")
    }
    try quote(&out, from: start)
  }

  /// Puts what stands in `out` from `start` on into quotes, where a cell needs them. [T13]
  ///
  /// - Throws: ``FuseError`` with code `refused` where quotes would be text.
  func quote(_ out: inout [UInt8], from start: Int) throws(FuseError) {
    guard needsQuotes(out[start...]) else { return }
    guard takesQuotes else {
      throw FuseError(
        .refused,
        "\(quoted(Array(out[start...]))) has a separator or a line end, and needs quotes, which --no-quotes takes for text; leave out that option or the field"
      )
    }
    Self.putIntoQuotes(&out, from: start)
  }

  func needsQuotes(_ cell: ArraySlice<UInt8>) -> Bool {
    let hasOneOfThem = cell.contains {
      $0 == separator || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r")
        || ($0 == UInt8(ascii: "\"") && takesQuotes)
    }
    // A mark in front would be taken for that of the file.
    return hasOneOfThem || takesQuotes && cell.starts(with: Self.byteOrderMark)
  }

  static func putIntoQuotes(_ out: inout [UInt8], from start: Int) {
    let quote = UInt8(ascii: "\"")
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
