/// Makes objects of about 110 bytes: MessagePack maps with text, integers and numbers, as a register of networks has
/// them. None is there twice.
struct ObjectShapes {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  mutating func append(_ number: Int, to bytes: inout [UInt8]) {
    bytes.append(0x87)
    // First, so that the first eight bytes of an object tell much about which one it is.
    bytes.packText("id")
    bytes.packUInt32(mixed(UInt32(number)))
    bytes.packText("network")
    bytes.packText("\(random.next(below: 223)).\(random.next(below: 256)).\(random.next(below: 256)).0/24")
    bytes.packText("asn")
    bytes.packUInt32(UInt32(65536 + random.next(below: 400_000)))
    bytes.packText("organization")
    bytes.packText(word(KeyShapes.words) + " " + word(KeyShapes.animals) + " networks")
    bytes.packText("country")
    bytes.packText(
      String(decoding: [65 + UInt8(random.next(below: 26)), 65 + UInt8(random.next(below: 26))], as: UTF8.self))
    bytes.packText("lat")
    bytes.packDouble(random.nextUnit() * 180 - 90)
    bytes.packText("lon")
    bytes.packDouble(random.nextUnit() * 360 - 180)
  }

  private mutating func word(_ words: [[UInt8]]) -> String {
    String(decoding: words[random.next(below: words.count)], as: UTF8.self)
  }
}

extension [UInt8] {
  fileprivate mutating func packText(_ text: String) {
    if text.utf8.count < 32 {
      append(0xA0 | UInt8(text.utf8.count))
    } else {
      append(0xD9)
      append(UInt8(text.utf8.count))
    }
    self += text.utf8
  }

  fileprivate mutating func packUInt32(_ number: UInt32) {
    append(0xCE)
    Swift.withUnsafeBytes(of: number.bigEndian) { self += $0 }
  }

  fileprivate mutating func packDouble(_ number: Double) {
    append(0xCB)
    Swift.withUnsafeBytes(of: number.bitPattern.bigEndian) { self += $0 }
  }
}
