/// Makes objects of about 110 bytes: maps with text, integers and numbers, as a register of networks has them. None is
/// there twice.
struct ObjectShapes {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  mutating func next(_ number: Int) -> Record {
    Record(
      id: mixed(UInt32(number)),
      network: "\(random.next(below: 223)).\(random.next(below: 256)).\(random.next(below: 256)).0/24",
      asn: UInt32(65536 + random.next(below: 400_000)),
      organization: word(KeyShapes.words) + " " + word(KeyShapes.animals) + " networks",
      country: String(
        decoding: [65 + UInt8(random.next(below: 26)), 65 + UInt8(random.next(below: 26))], as: UTF8.self),
      lat: random.nextUnit() * 180 - 90,
      lon: random.nextUnit() * 360 - 180)
  }

  private mutating func word(_ words: [[UInt8]]) -> String {
    String(decoding: words[random.next(below: words.count)], as: UTF8.self)
  }
}
