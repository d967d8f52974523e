/// The order of the texts of IPv4 addresses: at each of four levels that of an octet's text with a byte after it that comes before all digits.
enum OctetOrder {
  /// The octets, in the order of their texts.
  static let octets: [UInt8] = (0...255).sorted { texts[$0].lexicographicallyPrecedes(texts[$1]) }.map { UInt8($0) }
  /// Where each octet stands in that order.
  static let places: [UInt8] = {
    var places = [UInt8](repeating: 0, count: 256)
    for (place, octet) in octets.enumerated() { places[Int(octet)] = UInt8(place) }
    return places
  }()
  /// Each octet's text, and the point after it.
  static let texts: [[UInt8]] = (0...255).map { Array("\($0).".utf8) }
}
