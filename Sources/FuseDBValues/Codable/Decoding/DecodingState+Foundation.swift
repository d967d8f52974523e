// Types of Foundation, from what they decode themselves.
internal import FuseDBFormat

extension DecodingState {
  /// A `Date`, from the one float64 that it decodes itself.
  func date<T: Decodable>(_ type: T.Type, at offset: Int) throws -> T {
    let seconds: Double
    switch decoder.dates {
    case .own: return try T(from: ValueDecoder(state: self, offset: offset))
    case .timestamp: seconds = FuseDateStrategy.referenceSeconds(of: try timestamp(at: offset))
    case .secondsSince1970: seconds = try double(at: offset) - FuseDateStrategy.reference
    case .text:
      guard let time = FuseTimestamp(try string(at: offset)) else {
        throw corrupted("this is no time by RFC 3339, such as 2026-11-21T16:11:12Z", at: offset)
      }
      seconds = FuseDateStrategy.referenceSeconds(of: time)
    }
    let packer = MessagePackPacker()
    packer.pack(float64: seconds.bitPattern)
    return try FuseDecoder(dates: .own).decode(type, fromValid: packer.bytes)
  }

  /// A `URL`, from the map that it decodes itself, in which a text stands for the URL.
  func url<T: Decodable>(_ type: T.Type, at offset: Int) throws -> T {
    let head = head(at: offset)
    if head.kind == .map { return try T(from: ValueDecoder(state: self, offset: offset)) }
    guard let text = text(head) else { throw mismatch(type, at: offset, expected: "the text of a URL") }
    let packer = MessagePackPacker()
    packer.packMap(count: 1)
    packer.pack(text: "relative")
    packer.pack(text: text)
    guard let url = try? decoder.decode(type, fromValid: packer.bytes) else {
      throw corrupted("the text \(quoted(text.keyBytes)) is no URL", at: offset)
    }
    return url
  }
}
