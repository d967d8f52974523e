import ProgramSupport
import Testing

import FuseDB

/// Bytes that are no value, and bytes that change after they were found to be one.
struct `A view of hostile bytes` {
  private static let samples = [
    `A view of a value`.sample,
    #"{"$map":[[1,{"$bin":"0001"}],[{"$ext":[-1,"00000005"]},{"$float32":1.5}],["a",[[],{}]]]}"#,
    #"[-1,-200,70000,5000000000,"a text of more than thirty-one bytes, to be sure",{"$ext":[5,"00"]},null,true]"#,
  ]

  /// Whether a view is made of exactly the bytes that are a value, and says what the model says.
  private static func agrees(_ bytes: [UInt8]) -> Bool {
    guard let model = DecodedValue.of(bytes) else {
      return failure { _ = try FuseView(validating: bytes.rawSpan) }?.code == .invalidValue
    }
    do {
      let value = try FuseView(validating: bytes.rawSpan)
      return `A view of a random value`.difference(value, model, bytes) == nil
    } catch {
      return false
    }
  }

  @Test func `cut at every byte or flipped at every bit, is refused or read as the model reads it [W9] [W21]`()
    throws
  {
    for json in Self.samples {
      let bytes = try FuseJSON.messagePack(from: json)
      for count in bytes.indices { #expect(Self.agrees([UInt8](bytes[..<count])), "cut at \(count)") }
      for bit in 0..<8 * bytes.count { #expect(Self.agrees(bytes.flipping(bit: bit)), "bit \(bit)") }
      for byte in UInt8.min...UInt8.max {
        #expect(Self.agrees(bytes + [byte]), "\(byte) after")
        #expect(Self.agrees([byte]), "\(byte) alone")
      }
    }
  }

  @Test(
    arguments: [
      ("", 0), ("c1", 0), ("81a161", 3), ("81a161c1", 3), ("0101", 1), ("dc", 1), ("ddffffffff01", 5),
      ("dfffffffff0101", 5), ("dbffffffff61", 6), ("c6ffffffff", 5), ("c9ffffffff01", 6), ("9fc0", 1),
    ] as [(String, UInt64)])
  func `is an error with the offset`(hex: String, offset: UInt64) throws {
    let bytes = [UInt8](hex: hex)
    let error = try #require(failure { _ = try FuseView(validating: bytes.rawSpan) })
    #expect(error.code == .invalidValue && error.offset == offset, "\(error)")
  }

  @Test func `nested 128 deep is a value, and deeper is none [V3]`() throws {
    let deepest = [UInt8](repeating: 0x91, count: 127) + [0x90]
    let value = try FuseView(validating: deepest.rawSpan)
    let innermost = value[path: FusePath([String](repeating: "0", count: 127).joined(separator: "."))]
    #expect(innermost?.count == 0)
    #expect(value.json == String(repeating: "[", count: 128) + String(repeating: "]", count: 128))
    for levels in [129, 1_000_000] {
      for head in [[0x91], [0x81, 0xC0]] as [[UInt8]] {
        let bomb = [UInt8](head, times: levels - 1) + [0x90]
        let error = failure { _ = try FuseView(validating: bomb.rawSpan) }
        #expect(error?.code == .invalidValue && error?.offset == UInt64(128 * head.count))
      }
    }
  }

  /// Somebody may write over the file while it is mapped: whatever the bytes become, a view reads them, and none after them.
  @Test func `that change after they were checked, neither traps nor leads outside [W21]`() throws {
    var random = SeededRandom.announced()
    for round in 0..<3000 {
      var bytes = ReferenceValue.random(&random).bytes
      for _ in 0..<1 + random.below(4) {
        let place = random.below(bytes.count)
        bytes[place] = random.element([0xC1, 0xDB, 0xDD, 0xDF, 0xC9, 0xFF, 0x9F, 0x8F, UInt8(random.below(256))])
      }
      if round % 3 == 0 { bytes = random.bytes(1 + random.below(60)) }
      var transcripts: Set<String> = []
      for tail in [0x00, 0x91, 0xFF] as [UInt8] {
        let longer = bytes + [UInt8](repeating: tail, count: 40)
        let span = longer.rawSpan.extracting(first: bytes.count)
        transcripts.insert(Self.everything(FuseView(validated: span)))
      }
      #expect(transcripts.count == 1, "\(bytes.hex)")
    }
    // A million levels, of which only so many are gone down.
    let bomb = [UInt8](repeating: 0x91, count: 1_000_000)
    let view = FuseView(validated: bomb.rawSpan)
    #expect(view.json == "null" && view.count == 1 && view.messagePack.byteCount == bomb.count)
  }

  /// All that can be asked of a view, as text.
  private static func everything(_ view: FuseView) -> String {
    var lines = [view.transcript(depth: 200), view.json, view.messagePack.array().hex]
    for name in ["", "a", "name", "é", "0", "no such name, and a long one"] {
      lines.append(view[name]?.transcript(depth: 3) ?? "-")
      lines.append(view[path: FusePath("\(name).0.a")]?.transcript(depth: 3) ?? "-")
    }
    for number in [0, 1, 2, 15, 1 << 40, .max, -1, .min] {
      lines.append(view[number]?.transcript(depth: 3) ?? "-")
      lines.append(view[integerKey: number]?.transcript(depth: 3) ?? "-")
    }
    return lines.joined(separator: "\n")
  }
}
