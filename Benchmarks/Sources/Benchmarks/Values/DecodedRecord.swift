/// The object as a service would declare it.
struct DecodedRecord: FuseDBDecoded {
  var org: String
  var asn: UInt32
  var country: String
  var lat: Double
  var tags: [String]

  @inline(__always)
  var word: UInt64 {
    var word = Word.text(org) &+ UInt64(asn) &+ Word.text(country) &+ lat.bitPattern
    for tag in tags { word &+= Word.text(tag) }
    return word
  }
}
