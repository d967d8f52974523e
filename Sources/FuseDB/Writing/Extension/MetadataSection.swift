/// The section `META`: a MessagePack map. See spec/extension.md §7.
enum MetadataSection {
  static let mostBytes = 1 << 20

  /// The map of names and texts, ordered by name, or nil where there is none. [X13]
  static func bytes(of metadata: [String: String]) throws(FuseError) -> [UInt8]? {
    guard !metadata.isEmpty else { return nil }
    let packer = MessagePackPacker()
    packer.packMap(count: metadata.count)
    for (name, text) in metadata.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      packer.pack(string: name.keyBytes)
      packer.pack(string: text.keyBytes)
    }
    guard packer.bytes.byteCount <= mostBytes else {
      throw FuseError(
        .limitExceeded, "the metadata has \(packer.bytes.byteCount) bytes and the format allows \(mostBytes)")
    }
    return packer.bytes.array()
  }
}
