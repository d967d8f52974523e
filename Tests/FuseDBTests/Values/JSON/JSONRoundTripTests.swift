import ProgramSupport
import Testing

import FuseDB

struct `JSON and MessagePack` {
  @Test(arguments: JSONExamples.all)
  func `are each other's spelling, as the tables of the specification say [J1]`(hex: String, text: String) throws {
    let bytes = [UInt8](hex: hex)
    #expect(try FuseJSON.text(from: bytes) == text)
    #expect(try FuseJSON.messagePack(from: text) == bytes)
  }

  @Test func `go back and forth without a change of one byte, for random values of all kinds [J1] [J10] [J13]`() throws
  {
    var random = SeededRandom.announced()
    for _ in 0..<4000 {
      let bytes = ReferenceValue.random(&random).bytes
      let text = try FuseJSON.text(from: bytes)
      #expect(try FuseJSON.messagePack(from: text) == bytes, "\(bytes.hex) is \(text)")
      #expect(!text.utf8.contains { $0 < 0x20 })
    }
  }

  @Test func `in shortest encodings need no $msgpack [J11]`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<2000 {
      let bytes = ReferenceValue.random(&random, anyWidth: false).bytes
      var names = bytes
      // The name may stand in a string of the value itself.
      names.removeAll { $0 == UInt8(ascii: "$") }
      let text = try FuseJSON.text(from: bytes)
      #expect(try FuseJSON.messagePack(from: text) == bytes)
      if names.count == bytes.count { #expect(!text.contains("$msgpack"), "\(text)") }
    }
  }

  @Test func `may have white space, escapes and other forms of numbers, and come out in one form [J13]`() throws {
    for (text, form) in [
      (" [ 1 ,\t2\n]\r\n", "[1,2]"), (#""\u0041\/\u00e9\ud83d\ude00""#, #""A/é😀""#), ("1E2", "100.0"),
      ("1e+2", "100.0"),
      ("-0", "0"), ("-0.0", "-0.0"), ("0e0", "0.0"), ("1.0e0", "1.0"), ("10000000000000000.0", "1e+16"),
      ("0.000001", "1e-06"),
      (#"{"$bin":"AbCd"}"#, #"{"$bin":"abcd"}"#), (#"{"$str":"61"}"#, #""a""#), (#"{"$map":[]}"#, "{}"),
      (#"{"$map":[["a",1]]}"#, #"{"a":1}"#), (#"{"$map":[["$other",1]]}"#, #"{"$other":1}"#),
      (#"{"$msgpack":"05"}"#, "5"),
      (#"{"$float64":"0x3ff0000000000000"}"#, "1.0"), (#"{"$float64":"0x7FF8000000000000"}"#, #"{"$float64":"nan"}"#),
      (#"{"$float64":"0xfff0000000000000"}"#, #"{"$float64":"-inf"}"#),
      (#"{"$float32":"0x3fc00000"}"#, #"{"$float32":1.5}"#),
      (#"{"$float32":1}"#, #"{"$float32":1.0}"#), (#"{"$float32":-3}"#, #"{"$float32":-3.0}"#),
      (#"{"$float32":18446744073709551615}"#, #"{"$float32":1.8446744e+19}"#),
      (#"{"\u0024bin":"00"}"#, #"{"$bin":"00"}"#),
      (#"{"$ext":[-0,"00"]}"#, #"{"$ext":[0,"00"]}"#),
    ] {
      let bytes = try FuseJSON.messagePack(from: text)
      #expect(try FuseJSON.text(from: bytes) == form, "\(text)")
      #expect(try FuseJSON.messagePack(from: form) == bytes, "\(text)")
    }
  }

  @Test func `of bytes that are no value is an error, never a crash [V5]`() {
    var random = SeededRandom.announced()
    for _ in 0..<4000 {
      var bytes = ReferenceValue.random(&random, depth: 2).bytes
      switch random.below(3) {
      case 0: bytes = random.bytes(random.below(12))
      case 1: bytes.removeLast(min(bytes.count, 1 + random.below(3)))
      default: if !bytes.isEmpty { bytes = bytes.flipping(bit: random.below(8 * bytes.count)) }
      }
      guard !ReferenceValue.isOneValue(bytes) else { continue }
      // The writer of JSON believes what was checked before it; so what is not refused would end this process.
      let isRefused = failure { try MessagePackCursor.validate(bytes.rawSpan) } != nil
      #expect(isRefused, "\(bytes.hex)")
      if isRefused { #expect(failure { _ = try FuseJSON.text(from: bytes) }?.code == .invalidValue, "\(bytes.hex)") }
    }
  }

  @Test(arguments: ["da0001", "c401", "d90261", "dc0002c401"])
  func `of a string or binary that is cut after its length is an error and does not end the process`(hex: String) async
  {
    // Each in a process of its own: a payload that is believed without being there is a trap.
    await #expect(processExitsWith: .exitCode(44)) { [hex = hex as String] in
      let error = failure { _ = try FuseJSON.text(from: [UInt8](hex: hex)) }
      exit44(if: error?.code == .invalidValue)
    }
  }
}
