/// The object in its flat form.
struct DecodedFlatRecord: FuseDBDecoded {
  var org: String
  var asn: UInt32
  var country: String
  var lat: Double
  var lon: Double

  @inline(__always)
  var word: UInt64 { Word.text(org) &+ UInt64(asn) &+ Word.text(country) &+ lat.bitPattern &+ lon.bitPattern }
}
