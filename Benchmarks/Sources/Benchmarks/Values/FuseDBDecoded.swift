/// A struct into which this library decodes.
protocol FuseDBDecoded: Decodable {
  /// What is summed of it.
  var word: UInt64 { get }
}
