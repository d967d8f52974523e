public import FuseDBFormat

/// Values as JSON text: the same reversible spelling that the command reads and writes. See spec/json.md.
///
///     let bytes = try FuseJSON.messagePack(from: #"{"org": "Google LLC", "asn": 15169}"#)
///     try FuseJSON.text(from: bytes)   // {"org":"Google LLC","asn":15169}
public enum FuseJSON {
  /// The JSON text of a MessagePack value, on one line.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when the bytes are not exactly one MessagePack value.
  public static func text(from messagePack: RawSpan) throws(FuseError) -> String {
    var writer = JSONWriter()
    try writer.append(messagePack: messagePack)
    return String(decoding: writer.out, as: UTF8.self)
  }

  /// The JSON text of a MessagePack value, on one line.
  ///
  /// - Throws: as ``text(from:)-(RawSpan)``.
  public static func text(from messagePack: [UInt8]) throws(FuseError) -> String {
    try text(from: messagePack.rawSpan)
  }
}
