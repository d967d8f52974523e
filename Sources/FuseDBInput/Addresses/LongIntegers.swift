internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Integers that JSON parsers have no type for, where they are addresses: IPv6 addresses reach to 2^128 - 1. [R8]
enum LongIntegers {
  /// The text of a record with the integers of 2^64 and more in the fields of `range` in quotes, so that they can be
  /// parsed, and `padding` bytes after it. Nil when there is none. What is no JSON may give anything that is none.
  static func quoted(_ record: RawSpan, in range: FieldSelection.Range, padding: Int) -> [UInt8]? {
    let bytes = record.array()
    var out: [UInt8] = []
    /// Up to where `bytes` is in `out`.
    var copied = 0
    var depth = 0
    var offset = 0
    while offset < bytes.count {
      switch bytes[offset] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""):
        let name = string(at: offset, bytes)
        offset = name.upperBound
        let value = valueStart(after: offset + 1, bytes)
        guard depth == 1, let value, bytes[name].elementsEqual(range.first) || bytes[name].elementsEqual(range.last)
        else { break }
        let digits = bytes[value...].prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard digits.count > 19, digits.first != UInt8(ascii: "0"), endsNumber(digits.endIndex, bytes),
          DecimalText.integer(Array(digits).rawSpan) == nil
        else { break }
        out += bytes[copied..<value]
        out.append(UInt8(ascii: "\""))
        out += digits
        out.append(UInt8(ascii: "\""))
        copied = digits.endIndex
        offset = copied - 1
      default: break
      }
      offset += 1
    }
    guard copied > 0 else { return nil }
    return out + bytes[copied...] + [UInt8](repeating: 0, count: padding)
  }

  /// What stands between the quote at `offset` and the one that closes it.
  private static func string(at offset: Int, _ bytes: [UInt8]) -> Range<Int> {
    var end = offset + 1
    while end < bytes.count, bytes[end] != UInt8(ascii: "\"") { end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1 }
    return offset + 1..<max(offset + 1, min(end, bytes.count))
  }

  /// Where the value of a member begins whose name ends before `offset`; nil where no colon follows.
  private static func valueStart(after offset: Int, _ bytes: [UInt8]) -> Int? {
    guard let colon = skipSpace(offset, bytes), bytes[colon] == UInt8(ascii: ":") else { return nil }
    return skipSpace(colon + 1, bytes)
  }

  private static func skipSpace(_ offset: Int, _ bytes: [UInt8]) -> Int? {
    guard offset < bytes.count else { return nil }
    return bytes[offset...].firstIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
  }

  /// Whether a number ends at `offset`, so that it is an integer.
  private static func endsNumber(_ offset: Int, _ bytes: [UInt8]) -> Bool {
    guard let next = skipSpace(offset, bytes) else { return true }
    return bytes[next] == UInt8(ascii: ",") || bytes[next] == UInt8(ascii: "}")
  }
}
