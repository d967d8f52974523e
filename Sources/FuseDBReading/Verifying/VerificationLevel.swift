internal import FuseDBSystem

/// How much verification looks at.
public enum VerificationLevel: Sendable, Hashable, CaseIterable {
  /// Everything: the header, all checksums, every object, every key and where it points, and every way that leads to it. A
  /// sound file keeps all rules of the format: no look-up of it goes wrong.
  case full
  /// The header, the file's checksum, each record's bounds and checksum, how many records there are, and the footer and
  /// directory of the block.
  ///
  /// It proves that the file is as it was written: no copy that was cut, no disk that changed a bit. It does not prove that
  /// it was written right. A file made by a faulty program or by an attacker passes under right checksums: with keys twice
  /// or out of order, keys that point nowhere, an index that calls keys absent that are there, or objects that are no
  /// MessagePack. Keys are not counted.
  case checksums
}
