extension Checksum {
  private static let polynomial: UInt32 = 0xEDB8_8320

  /// The four bytes that, put between bytes of checksum `start` and `suffix`, make the checksum of all three `end`.
  ///
  /// The step of a CRC over one bit can be undone. So the register is taken back from the end over the suffix and over
  /// the four bytes; what it has to differ by are the bytes. See spec/extension.md §3, note.
  static func balance(from start: UInt32, to end: UInt32, before suffix: [UInt8]) -> [UInt8] {
    var register = ~end
    for byte in suffix.reversed() {
      register = undoing(8, from: register) ^ UInt32(byte)
    }
    let bytes = undoing(32, from: register) ^ ~start
    // The register takes the first byte in at its low end.
    return (0..<4).map { UInt8(truncatingIfNeeded: bytes >> (8 * $0)) }
  }

  private static func undoing(_ steps: Int, from register: UInt32) -> UInt32 {
    var register = register
    for _ in 0..<steps {
      register = register >> 31 == 1 ? (register ^ polynomial) << 1 | 1 : register << 1
    }
    return register
  }
}
