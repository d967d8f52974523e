import FuseDB
import ProgramSupport

/// Small files and large sets of keys, made for these tests.
enum Samples {
  /// Three objects of different lengths under five keys, among them the empty one and one that is not UTF-8; 136 bytes.
  static let small = ReferenceFile(canonical: [
    Key(""): [0x01], Key("a"): [0x82, 0xA1, 0x6E, 0x07, 0xA1, 0x73, 0xA3, 0x61, 0x62, 0x63], Key("ab"): [0x01],
    Key([0xC3, 0x28]): [0xC4, 0x02, 0x00, 0x28], Key([0xFF, 0xFF]): [0x01],
  ])

  /// Thirty-four keys, so that the order has two samples, under five objects.
  static let twoSamples: ReferenceFile = {
    var mapping: [Key: [UInt8]] = [:]
    for number in 0..<34 { mapping[Key(String(number * 37 % 101))] = [0x91, UInt8(number % 5)] }
    return ReferenceFile(canonical: mapping)
  }()

  /// Random keys of many shapes with the objects they point at; `count` of them.
  static func mapping(_ count: Int, _ random: inout SeededRandom) -> [Key: [UInt8]] {
    var mapping: [Key: [UInt8]] = [:]
    let objects = (0..<max(1, count / 3)).map { _ in ReferenceValue.random(&random, depth: 2).bytes }
    var shapes = [
      Key(""), Key([0]), Key([0, 0]), Key([0xFF]), Key([0xFF, 0xFF]), Key([0xFF, 0xFF, 0xFF]), Key([0xFF, 0xFE]),
      Key("a"),
      Key("aa"), Key("aaa"), Key([0xC3, 0x28]), Key([UInt8](repeating: 0x61, count: 65_535)),
      Key([UInt8](repeating: 0x61, count: 65_534)), Key([UInt8](repeating: 0xFF, count: 300)), Key("schön"),
    ]
    shapes.shuffle(using: &random)
    while mapping.count < count {
      let key: Key
      switch random.below(5) {
      case 0 where !shapes.isEmpty: key = shapes.removeLast()
      case 1: key = Key("8.8." + String(random.below(256)) + "." + String(random.below(256)))
      case 2: key = Key((0..<random.below(5)).map { _ in random.element([0x61, 0x62, 0x00, 0xFF]) })
      case 3: key = Key([UInt8](repeating: 0x78, count: random.below(40)) + random.bytes(random.below(3)))
      default: key = Key(random.bytes(random.below(24)))
      }
      mapping[key] = random.element(objects)
    }
    return mapping
  }

  /// Keys beside those of a mapping: near misses of all kinds.
  static func absent(from mapping: [Key: [UInt8]], _ random: inout SeededRandom) -> [Key] {
    var near: [Key] = [
      Key(""), Key("nowhere"), Key([UInt8](repeating: 0xFF, count: 65_535)), Key([0xFF, 0xFF, 0xFF, 0xFF]),
    ]
    for key in mapping.keys.shuffled(using: &random).prefix(60) where key.bytes.count < 1000 {
      near.append(Key(key.bytes + [0]))
      near.append(Key([UInt8](key.bytes.dropLast())))
      if !key.bytes.isEmpty { near.append(Key(key.bytes.flipping(bit: random.below(8 * key.bytes.count)))) }
    }
    return near.filter { mapping[$0] == nil }
  }

  /// The sizes around those at which the order takes another sample.
  static let sizes = [0, 1, 2, 31, 32, 33, 63, 64, 65, 96, 1000]
}
