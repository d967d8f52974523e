/// An object with five members: what is looked up where values are measured.
struct NetworkRecord {
  var org: String
  var asn: UInt32
  var country: String
  var lat: Double
  var tags: [String]
  /// Stands in the flat form in the place of the tags.
  var lon: Double

  func appendMessagePack(to bytes: inout [UInt8]) {
    appendCommon(to: &bytes)
    bytes.packText("tags")
    bytes.append(0x90 | UInt8(tags.count))
    for tag in tags { bytes.packText(tag) }
  }

  /// Five members of which none holds others.
  func appendFlatMessagePack(to bytes: inout [UInt8]) {
    appendCommon(to: &bytes)
    bytes.packText("lon")
    bytes.packDouble(lon)
  }

  private func appendCommon(to bytes: inout [UInt8]) {
    bytes.append(0x85)
    bytes.packText("org")
    bytes.packText(org)
    bytes.packText("asn")
    bytes.packInteger(asn)
    bytes.packText("country")
    bytes.packText(country)
    bytes.packText("lat")
    bytes.packDouble(lat)
  }
}

/// Makes such objects. None is there twice, as good as certainly.
struct NetworkShapes {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  mutating func next() -> NetworkRecord {
    let org = word(KeyShapes.words) + " " + word(KeyShapes.animals) + " networks"
    let asn = UInt32(65536 + random.next(below: 400_000))
    let country = (0..<2).map { _ in 65 + UInt8(random.next(below: 26)) }
    let lat = random.nextUnit() * 180 - 90
    let tags = (0..<1 + random.next(below: 3)).map { _ in word(KeyShapes.services) }
    return NetworkRecord(
      org: org, asn: asn, country: String(decoding: country, as: UTF8.self), lat: lat, tags: tags,
      lon: random.nextUnit() * 360 - 180)
  }

  private mutating func word(_ words: [[UInt8]]) -> String {
    String(decoding: words[random.next(below: words.count)], as: UTF8.self)
  }
}
