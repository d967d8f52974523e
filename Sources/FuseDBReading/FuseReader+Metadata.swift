public import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

extension FuseReader {
  /// The metadata of the file, such as its source or when it was built; empty where it says nothing.
  ///
  ///     try reader.metadata["source"]   // "registry of 2026-05-01"
  ///
  /// Of a set, that of its first shard: all have the same.
  ///
  /// A value that is no text, which other writers may store, is given as its JSON.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` when the metadata differ from their checksum, or break the format;
  ///   `truncated` when the file shrank. See spec/extension.md §7.
  /// - Complexity: O(bytes of the metadata), at most a megabyte.
  public var metadata: [String: String] {
    get throws(FuseError) {
      if let set = shardSet { return try set.shard(at: 0).metadata }
      guard let section = index.metadata else { return [:] }
      let mapping = mapping
      let bytes = try metadataBytes(of: section)
      let copy = bytes.array()
      try mapping.checkNotShrunk()
      do {
        return try MetadataSection.texts(in: copy.rawSpan)
      } catch {
        throw metadataFault("are no map with names: \(error.message)")
      }
    }
  }

  /// The rule by which the keys of the file were written, and by which a question is to be written before it is asked; nil
  /// where there is none, or none that this library knows.
  ///
  ///     let rule = try reader.normalisation                       // .domain
  ///     let key = rule?.apply(to: "Example.COM.") ?? []           // the bytes of "example.com"
  ///
  /// `fusedb get` applies it. Look-ups of this library take keys as they are.
  ///
  /// - Throws: as ``metadata``.
  /// - Complexity: as ``metadata``: ask once for each file.
  public var normalisation: KeyNormalisation? {
    get throws(FuseError) { try metadata[KeyNormalisation.metadataName].flatMap { KeyNormalisation(rawValue: $0) } }
  }

  /// The bytes of the section `META`, whatever they are, its checksum compared. [X13]
  @_lifetime(borrow self)
  package func metadataBytes(of section: ExtensionDirectory.Section) throws(FuseError) -> RawSpan {
    let mapping = mapping
    guard section.range.count <= MetadataSection.mostBytes else {
      throw metadataFault("have \(section.range.count) bytes, and the format allows \(MetadataSection.mostBytes)")
    }
    let bytes = mapping.bytes.extracting(section.range)
    let checksum = Checksum.of(bytes)
    guard checksum == section.checksum else {
      throw metadataFault(
        "have checksum \(checksum.hexadecimal) and the directory says \(section.checksum.hexadecimal)")
    }
    // SAFETY: the mapping lives as long as this reader.
    return unsafe _overrideLifetime(bytes, borrowing: self)
  }

  private func metadataFault(_ what: String) -> FuseError {
    unlessShrunk(
      .corrupted(
        "the metadata here \(what); 'fusedb verify' lists the damage", at: index.metadata?.range.lowerBound ?? 0))
  }
}

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
