/// The kinds of addresses of the internet.
enum AddressFamily {
  case ipv4, ipv6

  /// How many bits an address has.
  var bitCount: Int { self == .ipv4 ? 32 : 128 }
}
