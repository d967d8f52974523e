/// What a file is, as far as its first bytes tell: for messages about files that are something else than they should be.
package enum FileKind: Equatable {
  case database
  case patch
  /// With the name of the program that packs so, and of the one that unpacks.
  case packed(by: String, unpack: String)
  case json
  case text
  case unknown

  /// The first bytes of a patch.
  package static let patchMagic = Array("FSDPAT".utf8)

  /// How many bytes are enough.
  package static let headByteCount = 256

  private static let packings: [(magic: [UInt8], packer: String, unpacker: String)] = [
    ([0x1F, 0x8B], "gzip", "gunzip"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd", "unzstd"),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz", "unxz"), (Array("BZh".utf8), "bzip2", "bunzip2"),
    ([0x04, 0x22, 0x4D, 0x18], "lz4", "unlz4"), ([0x50, 0x4B, 0x03, 0x04], "zip", "unzip"),
  ]

  /// Looks at the first bytes of a file, or at all of it.
  package init(of file: RawSpan) {
    let head = file.extracting(first: min(file.byteCount, Self.headByteCount))
    let bytes = head.array()
    if head.load(at: 0, as: UInt32.self) == Header.magic {
      self = .database
    } else if bytes.starts(with: Self.patchMagic) {
      self = .patch
    } else if let packing = Self.packings.first(where: { bytes.starts(with: $0.magic) }) {
      self = .packed(by: packing.packer, unpack: packing.unpacker)
    } else if Self.isText(head, endsEarly: head.byteCount < file.byteCount) {
      let spaces = Array(" \t\r\n".utf8)
      let first = bytes.first { !spaces.contains($0) }
      self = first == UInt8(ascii: "{") || first == UInt8(ascii: "[") ? .json : .text
    } else {
      self = .unknown
    }
  }

  /// Whether the bytes are UTF-8 without control characters; the last character may be cut.
  private static func isText(_ head: RawSpan, endsEarly: Bool) -> Bool {
    let valid = head.validUTF8Prefix
    guard head.byteCount > 0, valid == head.byteCount || (endsEarly && head.byteCount - valid < 4) else { return false }
    return head.extracting(first: valid).array().allSatisfy { $0 >= 0x20 && $0 != 0x7F || (0x09...0x0D).contains($0) }
  }

  /// What it is instead of a database and what to do, to stand at the end of a sentence; nil when nothing is known.
  package var advice: String? {
    switch self {
    case .database, .unknown: nil
    case .patch: "it is a patch; 'fusedb patch' makes a database of it and of the file that it was made from"
    case .packed(let packer, let unpacker): "it is packed by \(packer); unpack it first, with \(unpacker)"
    case .json: "it is JSON; 'fusedb build' makes a database of it"
    case .text: "it is text; 'fusedb build' makes databases of JSON and tables"
    }
  }
}
