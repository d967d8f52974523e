import ProgramSupport
import Testing

import FuseDB

struct `A dynamic value as JSON` {
  @Test(arguments: JSONExamples.all)
  func `is spelled as the specification says`(hex: String, text: String) throws {
    let value = try FuseValue(messagePack: [UInt8](hex: hex))
    #expect(try value.json == text)
    #expect(value.description == text)
    #expect(try FuseValue(json: text) == value)
  }

  @Test func `is read back as the same value, whatever it is`() throws {
    var random = SeededRandom.announced()
    for (value, _) in ValueSamples.all { #expect(try FuseValue(json: value.json) == value) }
    for _ in 0..<2000 {
      let value = try FuseValue(messagePack: ReferenceValue.random(&random, depth: 5).bytes)
      #expect(try FuseValue(json: value.json) == value)
    }
  }

  @Test(arguments: JSONExamples.refused)
  func `is refused where the specification says so`(text: String) {
    let error = #expect(throws: FuseError.self) { try FuseValue(json: text) }
    #expect(error?.code == .invalidValue)
  }
}
