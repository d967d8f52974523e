/// Makes keys of three shapes in turn: IPv4 addresses as text, e-mail addresses, host names.
///
/// A key is a number written in words, so two numbers never give the same key, and numbers that no file holds give
/// misses of the same shapes.
struct KeyShapes {
  static let words = split(
    """
    amber autumn basalt birch blue brook cedar cliff cloud copper coral crystal dawn delta desert dune east ember \
    fern field flint forest frost garden glacier granite green grove harbor harvest hazel heath hill indigo island \
    ivory juniper lake lantern laurel linen maple marble meadow mist moon moss north oak ocean olive opal orchard \
    pebble pine prairie quartz rain reef river sand silver slate summit
    """)
  static let animals = split(
    """
    ant badger bat bear beaver bee bison boar buck bull camel carp cat cod colt crab crane crow deer dingo dove duck \
    eagle eel elk falcon ferret finch fox frog gecko gnu goat goose gull hare hawk heron horse ibex jay koala lamb \
    lark lion llama lynx mole moose mouse newt otter owl ox panda pony puma quail rabbit raven robin seal stork swan
    """)
  static let services = split(
    """
    api app auth backup blog build cache cdn chat db dev dns docs edge feed ftp git host img ldap log mail mx ns \
    proxy shop smtp static store vpn web www
    """)
  static let zones = split("com.example net.example org.example example test invalid example.com example.net")

  private let salts: [UInt32]

  init(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    salts = (0..<3).map { _ in UInt32(truncatingIfNeeded: random.next()) }
    precondition(Self.words.count == 64 && Self.animals.count == 64 && Self.services.count == 32)
  }

  func append(_ number: Int, to bytes: inout [UInt8]) {
    var bits = mixed(UInt32(number / 3) ^ salts[number % 3])
    func take(_ count: UInt32) -> Int {
      defer { bits >>= count }
      return Int(bits & (1 << count - 1))
    }
    switch number % 3 {
    case 0:
      for i in 0..<4 {
        if i > 0 { bytes.append(UInt8(ascii: ".")) }
        bytes += String(take(8)).utf8
      }
    case 1:
      bytes += Self.words[take(6)] + [UInt8(ascii: ".")] + Self.animals[take(6)]
      bytes += String(take(11)).utf8
      bytes += [UInt8(ascii: "@")] + Self.words[take(6)] + [UInt8(ascii: ".")] + Self.zones[take(3)]
    default:
      bytes += Self.services[take(5)]
      bytes += String(take(12)).utf8
      bytes += [UInt8(ascii: ".")] + Self.words[take(6)] + [UInt8(ascii: "-")] + Self.animals[take(6)]
      bytes += [UInt8(ascii: ".")] + Self.zones[take(3)]
    }
  }

  private static func split(_ list: String) -> [[UInt8]] { list.split(separator: " ").map { [UInt8]($0.utf8) } }
}
