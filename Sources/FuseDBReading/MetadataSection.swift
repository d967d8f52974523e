package import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// The section `META`: a MessagePack map. See spec/extension.md §7.
package enum MetadataSection {
  package static let mostBytes = 1 << 20

  /// The map of names and texts, ordered by name, or nil where there is none. [X13]
  package static func bytes(of metadata: [String: String]) throws(FuseError) -> [UInt8]? {
    guard !metadata.isEmpty else { return nil }
    let packer = MessagePackPacker()
    packer.packMap(count: metadata.count)
    for (name, text) in metadata.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      packer.pack(text: name)
      packer.pack(text: text)
    }
    guard packer.bytes.byteCount <= mostBytes else {
      throw FuseError(
        .limitExceeded, "the metadata has \(packer.bytes.byteCount) bytes and the format allows \(mostBytes)")
    }
    return packer.bytes.array()
  }

  /// The values by their names; those that are no text as JSON.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when the bytes are no map, or one with a key that is no text.
  static func texts(in bytes: RawSpan) throws(FuseError) -> [String: String] {
    let members = try members(of: bytes)
    var texts: [String: String] = [:]
    for (name, value) in zip(members.names, members.values) {
      texts[String(decoding: bytes.extracting(name).array(), as: UTF8.self)] = try text(of: bytes.extracting(value))
    }
    return texts
  }

  /// Throws unless the bytes are one value, a map with names. [X13]
  static func checkNames(in bytes: RawSpan) throws(FuseError) { _ = try members(of: bytes) }

  private static func members(of bytes: RawSpan) throws(FuseError) -> MessagePackMembers {
    var members = MessagePackMembers()
    guard try members.read(bytes) else {
      throw .invalidValue("this is another value, or a name in it is no text", at: 0)
    }
    return members
  }

  private static func text(of value: RawSpan) throws(FuseError) -> String {
    guard case .string(let range) = try MessagePackKind(of: value), value.extracting(range).isUTF8 else {
      return try FuseJSON.text(from: value)
    }
    return String(decoding: value.extracting(range).array(), as: UTF8.self)
  }
}
