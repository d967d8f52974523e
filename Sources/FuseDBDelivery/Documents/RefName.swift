public import FuseDBFormat

/// The name of a database in a remote, and of one of its channels: `geo`, `geo@canary`. [Z1]
public struct RefName: Sendable, Hashable, CustomStringConvertible {
  /// The database.
  public let name: String
  /// The channel; nil for the one that has none.
  public let channel: String?

  /// Takes a text apart.
  ///
  /// - Throws: ``FuseError`` with code `invalidArgument` where it is no name.
  public init(_ text: String) throws(FuseError) {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.allSatisfy(Self.isName) else {
      throw FuseError(
        .invalidArgument,
        "'\(EscapedText.harmless(text))' is no name: it needs 1 to 100 of the characters A-Z a-z 0-9 . _ -, with a letter or a digit first, and '@' before a channel"
      )
    }
    name = String(parts[0])
    channel = parts.count == 2 ? String(parts[1]) : nil
  }

  private static func isName(_ text: Substring) -> Bool {
    let bytes = Array(text.utf8)
    func isPlain(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "a")...UInt8(ascii: "z")) ~= byte | 0x20 || (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= byte
    }
    return (1...100).contains(bytes.count) && isPlain(bytes[0])
      && bytes.allSatisfy { isPlain($0) || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains($0) }
  }

  /// `geo@canary`.
  public var description: String { name + (channel.map { "@" + $0 } ?? "") }
}
