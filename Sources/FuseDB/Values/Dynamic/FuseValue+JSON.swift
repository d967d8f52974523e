// Values as JSON text, exactly. See spec/json.md.

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

  /// The value as JSON text on one line, which ``init(json:)`` makes the same value of.
  ///
  /// - Throws: as ``messagePack``.
  public var json: String {
    get throws(FuseError) { try FuseJSON.text(from: try messagePack) }
  }
}

extension FuseValue: CustomStringConvertible {
  /// The value as JSON text; of a value that has none, what is wrong with it.
  public var description: String {
    do { return try json } catch { return error.message }
  }
}
