/// How much verification looks at.
public enum VerificationLevel: Sendable, Hashable, CaseIterable {
  /// Everything: the header, all checksums, every object, every key and where it points.
  case full
  /// The header, the file's checksum, and each record's bounds and checksum. Whether objects are MessagePack, keys in
  /// order and their targets records is not looked at; keys are not counted.
  case checksums
}
