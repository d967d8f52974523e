import Foundation
import FuseDB
import ProgramSupport
import Testing

/// Values that are encoded and decoded again, beside JSON's coders.
struct `A typed value` {
  private static func throughJSON<Value: Codable>(_ value: Value) -> Value? {
    (try? JSONEncoder().encode(value)).flatMap { try? JSONDecoder().decode(Value.self, from: $0) }
  }

  private static func throughFuseDB<Value: Codable>(_ value: Value) throws -> Value {
    try FuseDecoder().decode(Value.self, from: try FuseEncoder().encode(value))
  }

  /// Random values come back equal wherever JSON brings them back equal; returns for how many of them that is so.
  private func compare<Value: Codable & Equatable & Randomized>(_: Value.Type, _ random: inout SeededRandom) throws
    -> Int
  {
    let value = Value(random: &random)
    let again = try Self.throughFuseDB(value)
    let byJSON = Self.throughJSON(value)
    if byJSON == value { #expect(again == value) } else { #expect(again == byJSON || again == value) }
    #expect(try FuseEncoder().encode(value) == FuseEncoder().encode(again), "equal values have equal bytes")
    return byJSON == value ? 1 : 0
  }

  @Test func `comes back where JSON brings it back [W2] [W3] [W5] [W11]`() throws {
    var random = SeededRandom.announced()
    let rounds = 300
    var counts = [0, 0, 0, 0, 0, 0, 0]
    for _ in 0..<rounds {
      counts[0] += try compare(Scalars.self, &random)
      counts[1] += try compare(Optionals.self, &random)
      counts[2] += try compare(Containers.self, &random)
      counts[3] += try compare(Choices.self, &random)
      counts[4] += try compare(FoundationTypes.self, &random)
      counts[5] += try compare(Classes.self, &random)
      counts[6] += try compare(Customs.self, &random)
    }
    // Otherwise JSON would be compared with nothing.
    #expect(counts.allSatisfy { $0 > rounds / 2 }, "\(counts)")
  }

  @Test func `of all kinds in one comes back`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<100 {
      var value = Everything(random: &random)
      // Some nil is nil in MessagePack.
      if case .some(.none) = value.optionals.twice { value.optionals.twice = nil }
      #expect(try Self.throughFuseDB(value) == value)
    }
  }

  @Test(
    arguments: [0, 1 << 63, 0x7FF0_0000_0000_0000, 0xFFF0_0000_0000_0000, 0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_1234]
      as [UInt64])
  func `of floats that JSON has no word for comes back to the bit`(bits: UInt64) throws {
    let number = Double(bitPattern: bits)
    #expect(try Self.throughFuseDB([number])[0].bitPattern == bits)
    #expect(try Self.throughFuseDB(["": number])[""]?.bitPattern == bits)
    let small = Float(
      sign: number.sign, exponentBitPattern: UInt(number.exponentBitPattern >> 3),
      significandBitPattern: UInt32(number.significandBitPattern >> 29))
    #expect(try Self.throughFuseDB([small])[0].bitPattern == small.bitPattern)
  }

  @Test(arguments: [0, 1, 65535, 65536, 3_000_000])
  func `of a long text comes back`(count: Int) throws {
    let text = String(repeating: "ä", count: count)
    #expect(try Self.throughFuseDB([text, text]) == [text, text])
  }

  @Test func `that is a date comes back in every strategy [W17]`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<1000 {
      let date = random.date()
      for strategy in [FuseDateStrategy.timestamp, .text, .own] {
        let bytes = try FuseEncoder(dates: strategy).encode([date])
        #expect(try FuseDecoder(dates: strategy).decode([Date].self, from: bytes) == [date])
      }
      // Seconds since 1970 are rounded once more, as by JSONEncoder.
      let bytes = try FuseEncoder(dates: .secondsSince1970).encode(date)
      let again = try FuseDecoder(dates: .secondsSince1970).decode(Date.self, from: bytes)
      #expect(again == Date(timeIntervalSince1970: date.timeIntervalSince1970))
    }
    // Near 2001 a `Date` has smaller parts of a second than nanoseconds. As itself it keeps them.
    let close = Date(timeIntervalSinceReferenceDate: 0.1234567890123)
    #expect(try FuseDecoder(dates: .own).decode(Date.self, from: try FuseEncoder(dates: .own).encode(close)) == close)
    #expect(abs(try Self.throughFuseDB(close).timeIntervalSince(close)) <= 0.5e-9)
    #expect(try Self.throughFuseDB([Date.distantPast, .distantFuture]) == [.distantPast, .distantFuture])
  }

  @Test(arguments: [Date.distantPast, Date(timeIntervalSince1970: 253_402_300_800)])
  func `that is a date which text cannot say is refused as text [W17]`(date: Date) {
    let error = #expect(throws: FuseError.self) { try FuseEncoder(dates: .text).encode([date]) }
    #expect(error?.code == .invalidValue && error?.codingPath == "0")
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 1e300])
  func `that is a date beyond all times is refused`(seconds: Double) throws {
    let error = #expect(throws: FuseError.self) {
      try FuseEncoder().encode(["at": [Date(timeIntervalSinceReferenceDate: seconds)]])
    }
    #expect(error?.code == .invalidValue)
    #expect(error?.codingPath == "at.0")
  }

  @Test func `with text for numbers as keys is read too [W13]`() throws {
    let numbers = try FuseDecoder().decode([Int: Int].self, from: try FuseEncoder().encode(["5": 1, "-7": 2]))
    #expect(numbers == [5: 1, -7: 2])
    let steps = try FuseDecoder().decode([Step: Int].self, from: try FuseEncoder().encode(["10": 1]))
    #expect(steps == [.tenth: 1])
  }

  @Test func `that is a URL is text, unless it is relative to another`() throws {
    let link = try #require(URL(string: "https://example.com/a?b=c"))
    let text = try FuseEncoder().encode(["https://example.com/a?b=c"])
    #expect(try FuseEncoder().encode([link]) == text)
    #expect(try FuseDecoder().decode([URL].self, from: text) == [link])
    let relative = try #require(URL(string: "d/e", relativeTo: link))
    let map = try FuseEncoder().encode(relative)
    #expect(try FuseValue(messagePack: map)["base"]?.string == "https://example.com/a?b=c")
    let again = try FuseDecoder().decode(URL.self, from: map)
    #expect(again.relativeString == "d/e" && again.baseURL == link)
    let error = #expect(throws: FuseError.self) {
      try FuseDecoder().decode([URL].self, from: try FuseEncoder().encode([""]))
    }
    #expect(error?.code == .invalidValue && error?.offset == 1 && error?.codingPath == "0")
    let number = #expect(throws: FuseError.self) {
      try FuseDecoder().decode(URL.self, from: try FuseEncoder().encode(5))
    }
    #expect(number?.message == "the text of a URL was expected, and here is the integer 5")
  }

  @Test func `of bytes is read from an array of integers too, if each is a byte [W14]`() throws {
    let numbers = try FuseEncoder().encode([1, 255] as [Int])
    #expect(try FuseDecoder().decode(Data.self, from: numbers) == Data([1, 255]))
    #expect(try FuseDecoder().decode([UInt8].self, from: numbers) == [1, 255])
    let error = #expect(throws: FuseError.self) {
      try FuseDecoder().decode(Data.self, from: try FuseEncoder().encode([1, 256] as [Int]))
    }
    #expect(error?.offset == 2 && error?.codingPath == "1")
  }
}
