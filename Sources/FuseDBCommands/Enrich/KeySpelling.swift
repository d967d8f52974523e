internal import FuseDB

/// Keys that are no text, in JSON.
enum KeySpelling {
  /// The bytes that `{"$bin": "hexadecimal digits"}` spells; nil for any other object.
  static func binary(_ object: [UInt8]) -> [UInt8]? {
    guard let packed = try? FuseJSON.messagePack(from: String(decoding: object, as: UTF8.self)),
      let view = try? FuseView(validating: packed.rawSpan)
    else { return nil }
    return view.bytes?.array()
  }
}
