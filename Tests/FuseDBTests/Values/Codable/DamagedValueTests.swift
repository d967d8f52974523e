import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBValues

/// Values that are not what a type asks for, or no values.
struct `A damaged value` {
  static let sample: [UInt8] = (try? FuseEncoder().encode(Sample.full)) ?? []

  /// The error of decoding `bytes`, if there is one; it always says where.
  private func refusal<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> FuseError? {
    do {
      _ = try FuseDecoder().decode(type, from: bytes)
      return nil
    } catch {
      let error = try #require(error as? FuseError, "\(error)")
      #expect(error.code == .invalidValue)
      #expect(try #require(error.offset) <= bytes.count)
      return error
    }
  }

  @Test func `as it was is decoded`() throws {
    #expect(try FuseDecoder().decode(Sample.self, from: Self.sample) == .full)
  }

  @Test(arguments: 0..<sample.count)
  func `cut short is refused [W9] [W21]`(count: Int) throws {
    #expect(try refusal(Sample.self, Array(Self.sample.prefix(count))) != nil)
    #expect(try refusal(FuseValue.self, Array(Self.sample.prefix(count))) != nil)
  }

  @Test func `with bytes after it is refused`() throws {
    #expect(try refusal(Sample.self, Self.sample + [0xC0])?.offset == UInt64(Self.sample.count))
  }

  /// Is made of anything, as a type is that has a value for what it cannot read.
  private struct Anything: Decodable { init(from decoder: any Decoder) throws {} }

  private struct Anythings: Decodable {
    var count = 0
    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      while !container.isAtEnd {
        _ = try container.decode(Anything.self)
        count += 1
      }
    }
  }

  @Test func `whose count was overwritten after the check ends where the bytes do`() throws {
    // An array of 2^20 elements, of which one is there.
    let bytes: [UInt8] = [0xDD, 0, 0x10, 0, 0, 1]
    #expect(try FuseDecoder().decode([Anything].self, fromValid: bytes.rawSpan).count == 1)
    #expect(try FuseDecoder().decode(Anythings.self, fromValid: bytes.rawSpan).count == 1)
  }

  private struct Many: Decodable {
    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: AnyName.self)
      for name in container.allKeys + [AnyName("none")] {
        _ = try? container.decode(Sample.self, forKey: name)
        _ = try? container.decode([String: [UInt8]].self, forKey: name)
        _ = try? container.decode(FuseTimestamp.self, forKey: name)
      }
    }
  }

  @Test func `that was overwritten after the check is any value or none, and nothing after it is read [W21]`() throws {
    /// What decoding says, as text; with its error's place, path and sentence.
    func said<Value: Decodable>(_ type: Value.Type, _ bytes: RawSpan) -> String {
      do { return "\(try FuseDecoder().decode(type, fromValid: bytes))" } catch { return "\(error)" }
    }
    let many = Packed.map(20) + (0..<20).flatMap { Packed.text("name \($0)") + Self.sample }
    var random = SeededRandom.announced()
    for round in 0..<3000 {
      var bytes = round % 10 == 0 ? many : Self.sample
      for _ in 0...random.below(4) {
        bytes[random.below(bytes.count)] = random.element([
          0xC1, 0xDB, 0xDD, 0xDF, 0xC9, 0xFF, 0x9F, 0x8F, UInt8(random.below(256)),
        ])
      }
      bytes = Array(bytes.prefix(bytes.count - random.below(3) * random.below(bytes.count / 2)))
      var answers: Set<String> = []
      for tail in [0x00, 0x91, 0xFF] as [UInt8] {
        let longer = bytes + [UInt8](repeating: tail, count: 40)
        let span = longer.rawSpan.extracting(first: bytes.count)
        // A dictionary is written in another order each time.
        let sample = said(Sample.self, span)
        answers.insert(sample.hasPrefix("Sample(") ? "a sample" : sample)
        answers.insert("\(said(Many.self, span)) \(said([Chain].self, span)) \(said(FuseValue.self, span))")
        _ = said(Tried.self, span)
      }
      #expect(answers.count == 2, "\(bytes.hex)")
    }
  }

  @Test func `with any bit the other way round is refused, or is another value`() throws {
    var refused = 0
    for bit in 0..<Self.sample.count * 8 {
      let bytes = Self.sample.flipping(bit: bit)
      if try refusal(Sample.self, bytes) != nil {
        refused += 1
      } else {
        let value = try FuseDecoder().decode(Sample.self, from: bytes)
        #expect(try FuseDecoder().decode(Sample.self, from: try FuseEncoder().encode(value)) == value)
      }
    }
    #expect(refused > Self.sample.count * 2)
  }

  @Test func `of random bytes is refused, or is a value`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<20_000 {
      var bytes = Self.sample
      for _ in 0...random.below(4) {
        let at = random.below(bytes.count)
        switch random.below(3) {
        case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.replaceSubrange(at..<min(bytes.count, at + random.below(9)), with: random.bytes(random.below(9)))
        default: bytes.insert(random.element([0xC1, 0xDF, 0xDD, 0xDB, 0xC6, 0xC9, 0x8F, 0x9F]), at: at)
        }
        if bytes.isEmpty { bytes = [0xC0] }
      }
      _ = try refusal(Sample.self, bytes)
      _ = try refusal(Tried.self, bytes)
    }
  }

  @Test(
    arguments: [
      [0xDD, 255, 255, 255, 255], [0xDF, 255, 255, 255, 255], [0xDB, 255, 255, 255, 255], [0xC6, 255, 255, 255, 255],
      [0xC9, 255, 255, 255, 255, 5], [0xDC, 255, 255], [0xDE, 255, 255], [0x9F], [0x8F], [0xC1], [],
      [0x91, 0xDD, 127, 255, 255, 255, 0], [0x81, 0xA1, 0x61, 0xDF, 127, 255, 255, 255, 0, 0],
    ] as [[UInt8]])
  func `that counts more than there is, is refused`(bytes: [UInt8]) throws {
    #expect(try refusal([Int].self, bytes) != nil)
    #expect(try refusal([String: [Int]].self, bytes) != nil)
    #expect(try refusal([UInt8].self, bytes) != nil)
    #expect(try refusal(String.self, bytes) != nil)
    #expect(try refusal(Sample.self, bytes) != nil)
    #expect(try refusal(FuseValue.self, bytes) != nil)
    #expect(try refusal(Tried.self, bytes) != nil)
  }

  @Test func `whose text is not UTF-8 is refused at the byte [W10] [W15]`() throws {
    // {"a": ["ok", "x\xFFy"]}
    let bytes: [UInt8] = [0x81, 0xA1, 0x61, 0x92, 0xA2, 0x6F, 0x6B, 0xA3, 0x78, 0xFF, 0x79]
    let error = try refusal([String: [String]].self, bytes)
    #expect(error?.offset == 9)
    #expect(error?.codingPath == "a.1")
    #expect(try refusal([String: FuseValue].self, bytes) == nil, "FuseValue keeps such a text")
  }

  @Test func `whose names are not UTF-8 is refused where somebody asks for them`() throws {
    struct Named: Decodable, Equatable { var a: Int }
    // {"\xFF": 1, "a": 2}
    let bytes: [UInt8] = [0x82, 0xA1, 0xFF, 1, 0xA1, 0x61, 2]
    #expect(try refusal([String: Int].self, bytes)?.offset == 2)
    #expect(try FuseDecoder().decode(Named.self, from: bytes) == Named(a: 2))
    #expect(try FuseDecoder().decode([FuseValue: Int].self, from: bytes).count == 2)
  }

  @Test func `whose name has the byte that a number has, has not two equal ones`() throws {
    struct Named: Decodable, Equatable { var a: Int }
    // {97: 1, "a": 2}
    #expect(try FuseDecoder().decode(Named.self, from: [0x82, 97, 1, 0xA1, 97, 2]) == Named(a: 2))
  }

  @Test func `is refused with a path that get takes [W15] [W18]`() throws {
    let value: FuseValue = ["a.b\\c": [1, [".\u{301}": "x"]]]
    let error = try refusal([String: [[String: Int]?]].self, ["a.b\\c": [nil, [".\u{301}": "x"]]] as FuseValue)
    let path = try #require(error?.codingPath)
    #expect(path == "a\\.b\\\\c.1.\\.\u{301}")
    let bytes = try value.messagePack
    let view = try FuseView(validating: bytes.rawSpan)
    #expect(view[path: FusePath(path)]?.string == "x")
  }

  private func refusal<Value: Decodable>(_ type: Value.Type, _ value: FuseValue) throws -> FuseError? {
    try refusal(type, try value.messagePack)
  }
}
