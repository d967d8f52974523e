// What JSON text spells. See spec/json.md.
public import FuseDBFormat
public import FuseDBValues

extension FuseJSON {
  /// The MessagePack bytes of the value that `text` spells, each part in its shortest encoding.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when the text is not JSON, a spelling is malformed or the value
  ///   is nested too deeply.
  public static func messagePack(from text: String) throws(FuseError) -> [UInt8] {
    let packer = MessagePackPacker()
    try JSONParser().withNode(of: text.keyBytes) { node throws(FuseError) in try packer.pack(node) }
    return packer.bytes.array()
  }
}

extension FuseValue {
  /// Reads the value that JSON text spells.
  ///
  ///     try FuseValue(json: #"{"asn":15169,"raw":{"$bin":"00ff"}}"#)["raw"]?.bytes   // [0, 255]
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when the text is not JSON, a spelling is malformed or the value
  ///   is nested too deeply.
  public init(json: String) throws(FuseError) {
    let bytes = try FuseJSON.messagePack(from: json)
    self.init(validated: bytes.rawSpan)
  }
}
