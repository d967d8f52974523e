import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBInput

/// The MessagePack bytes of a cell, or nil when its type refuses it.
private func packed(_ cell: String, as type: FuseInput.FieldType) -> String? {
  let packer = MessagePackPacker()
  let bytes = Array(cell.utf8)
  guard type.pack(bytes.rawSpan, to: packer) else { return nil }
  return hex(packer.bytes.array())
}

struct FieldTypeTests {
  @Test(arguments: [
    ("0", "00"), ("127", "7f"), ("128", "cc 80"), ("015", "0f"), ("-1", "ff"), ("-32", "e0"), ("-33", "d0 df"),
    ("-0", "00"), ("-007", "f9"), ("+1", "01"), ("+007", "07"), ("+0", "00"),
    ("65536", "ce 00 01 00 00"), ("9223372036854775807", "cf 7f ff ff ff ff ff ff ff"),
    ("18446744073709551615", "cf ff ff ff ff ff ff ff ff"),
    ("-9223372036854775808", "d3 80 00 00 00 00 00 00 00"), ("000000000000000000000000000001", "01"),
  ])
  func `integers are packed in their shortest form`(cell: String, bytes: String) {
    #expect(packed(cell, as: .int) == bytes)
  }

  @Test(arguments: [
    "-", "+", "+-1", "++1", "--1", "1.0", "1e3", "0x10", " 1", "1 ", "1,000", "a", "1-", "١", "18446744073709551616",
    "-9223372036854775809",
    "99999999999999999999999999", "1_000",
  ])
  func `what is no integer of 64 bits is refused`(cell: String) {
    #expect(packed(cell, as: .int) == nil)
  }

  @Test(arguments: [
    ("0", "cb 00 00 00 00 00 00 00 00"), ("-0", "cb 80 00 00 00 00 00 00 00"), ("1", "cb 3f f0 00 00 00 00 00 00"),
    ("1.0", "cb 3f f0 00 00 00 00 00 00"), ("0.1", "cb 3f b9 99 99 99 99 99 9a"),
    ("-1.5e0", "cb bf f8 00 00 00 00 00 00"),
    ("1E+2", "cb 40 59 00 00 00 00 00 00"), ("5e-324", "cb 00 00 00 00 00 00 00 01"),
    ("1e-400", "cb 00 00 00 00 00 00 00 00"),
    (".5", "cb 3f e0 00 00 00 00 00 00"), ("5.", "cb 40 14 00 00 00 00 00 00"), ("1.e3", "cb 40 8f 40 00 00 00 00 00"),
    ("+1", "cb 3f f0 00 00 00 00 00 00"), ("-.5", "cb bf e0 00 00 00 00 00 00"), ("01", "cb 3f f0 00 00 00 00 00 00"),
    ("nan", "cb 7f f8 00 00 00 00 00 00"), ("NaN", "cb 7f f8 00 00 00 00 00 00"),
    ("inf", "cb 7f f0 00 00 00 00 00 00"), ("+Infinity", "cb 7f f0 00 00 00 00 00 00"),
    ("-INF", "cb ff f0 00 00 00 00 00 00"),
    ("18446744073709551616", "cb 43 f0 00 00 00 00 00 00"), ("1.7976931348623157e308", "cb 7f ef ff ff ff ff ff ff"),
    // The middle between 1 and the next float64 goes to the even one; a little more does not.
    ("1.00000000000000011102230246251565404", "cb 3f f0 00 00 00 00 00 00"),
    ("1.00000000000000011102230246251565405", "cb 3f f0 00 00 00 00 00 01"),
  ])
  func `floats are the nearest float64`(cell: String, bytes: String) {
    #expect(packed(cell, as: .float) == bytes)
  }

  @Test(arguments: [
    "-nan", "nan(1)", "in", "infinit", "0x1p3", "1e400", "-1e309", "e3", "1e", "1e+", ".", "-.", ".e3", "+-1", "++1",
    "-", " 1", "1 ", "1,5",
    "1.5.2", "1e3.5", "1\u{0}",
  ])
  func `what is no decimal number, or none in range, is refused`(cell: String) {
    #expect(packed(cell, as: .float) == nil)
  }

  @Test(arguments: [
    ("true", "c3"), ("false", "c2"), ("True", "c3"), ("False", "c2"), ("TRUE", "c3"), ("FALSE", "c2"),
  ])
  func `booleans are two words`(cell: String, bytes: String) {
    #expect(packed(cell, as: .bool) == bytes)
  }

  @Test(arguments: ["yes", "no", "tRUE", "1", "0", "t", "T", "true ", "truefalse"])
  func `other words are no booleans`(cell: String) {
    #expect(packed(cell, as: .bool) == nil)
  }

  @Test(arguments: [("", "a0"), ("015", "a3 30 31 35"), ("é", "a2 c3 a9"), (" a", "a2 20 61")])
  func `text is taken as it is`(cell: String, bytes: String) {
    #expect(packed(cell, as: .string) == bytes)
  }
}
