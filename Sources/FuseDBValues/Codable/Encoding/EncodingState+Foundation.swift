// What types of Foundation encode is intercepted, because that library is not there to ask.
internal import FuseDBFormat

extension EncodingState {
  /// A `Date`, which encodes one float64. [W17]
  func appendDate(_ value: some Encodable) throws {
    let packer = packer
    let start = packer.byteCount
    try appendOwn(value)
    if case .own = encoder.dates { return }
    let head = MessagePackHead(at: start, in: packer.bytes)
    precondition(head.kind == .float64, "a Date encodes a Double")
    packer.truncate(to: start)
    try append(referenceSeconds: Double(bitPattern: head.bits), of: value)
  }

  private func append(referenceSeconds seconds: Double, of value: Any) throws {
    if case .secondsSince1970 = encoder.dates {
      return packer.pack(float64: (seconds + FuseDateStrategy.reference).bitPattern)
    }
    guard let time = FuseDateStrategy.timestamp(ofReferenceSeconds: seconds) else {
      throw refusal(value, "\(seconds) seconds since the beginning of 2001 are no moment that can be written")
    }
    guard case .text = encoder.dates else { return append(time) }
    guard UTCTime.range.contains(Double(time.seconds)) else {
      throw refusal(value, "a moment outside the years 1 to 9999 has no text by RFC 3339; write it as a timestamp")
    }
    packer.pack(text: time.description)
  }

  /// A `URL`, which encodes a map with its text, and with the URL that this is relative to, if there is one: then it stays that
  /// map. [W7]
  func appendURL(_ value: some Encodable) throws {
    let packer = packer
    let start = packer.byteCount
    try appendOwn(value)
    let map = FuseView(validated: packer.bytes.extracting(droppingFirst: start))
    guard map.count == 1, let text = map["relative"]?.string else { return }
    packer.truncate(to: start)
    packer.pack(text: text)
  }
}
