/// MessagePack, appended.
extension [UInt8] {
  /// - Precondition: fewer than 256 bytes.
  mutating func packText(_ text: String) {
    if text.utf8.count < 32 {
      append(0xA0 | UInt8(text.utf8.count))
    } else {
      append(0xD9)
      append(UInt8(text.utf8.count))
    }
    self += text.utf8
  }

  /// In the shortest form, as whoever reads it from a table packs it.
  mutating func packInteger(_ number: UInt32) {
    switch number {
    case 0..<0x80: append(UInt8(number))
    case 0..<0x100: self += [0xCC, UInt8(number)]
    case 0..<0x10000:
      append(0xCD)
      Swift.withUnsafeBytes(of: UInt16(number).bigEndian) { self += $0 }
    default:
      append(0xCE)
      Swift.withUnsafeBytes(of: number.bigEndian) { self += $0 }
    }
  }

  mutating func packDouble(_ number: Double) {
    append(0xCB)
    Swift.withUnsafeBytes(of: number.bitPattern.bigEndian) { self += $0 }
  }
}
