/// What an object says, and the two ways of writing it down: as MessagePack, which the library and the peers get, and
/// as the cells of a table, of which `fusedb build` makes the same bytes.
struct Record {
  static let columns = ["id", "network", "asn", "organization", "country", "lat", "lon"]
  /// The columns whose cells are not text.
  static let types = ["id=int", "asn=int", "lat=float", "lon=float"]

  var id: UInt32
  var network: String
  var asn: UInt32
  var organization: String
  var country: String
  var lat: Double
  var lon: Double

  func appendMessagePack(to bytes: inout [UInt8]) {
    bytes.append(0x87)
    // First, so that the first eight bytes of an object tell much about which one it is.
    bytes.packText("id")
    bytes.packInteger(id)
    bytes.packText("network")
    bytes.packText(network)
    bytes.packText("asn")
    bytes.packInteger(asn)
    bytes.packText("organization")
    bytes.packText(organization)
    bytes.packText("country")
    bytes.packText(country)
    bytes.packText("lat")
    bytes.packDouble(lat)
    bytes.packText("lon")
    bytes.packDouble(lon)
  }

  /// Appends the cells with a tab before each. Numbers have as many digits as give the same number again.
  func appendCells(to bytes: inout [UInt8]) {
    for cell in ["\(id)", network, "\(asn)", organization, country, "\(lat)", "\(lon)"] {
      bytes.append(UInt8(ascii: "\t"))
      bytes += cell.utf8
    }
  }
}
