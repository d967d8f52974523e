package import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

extension FuseReader {
  /// The metadata of the file, such as its source or when it was built; empty where it says nothing.
  ///
  ///     try reader.metadata["source"]   // "registry of 2026-05-01"
  ///
  /// A value that is no text, which other writers may store, is given as its JSON.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` when the metadata differ from their checksum, or break the format;
  ///   `truncated` when the file shrank. See spec/extension.md §7.
  /// - Complexity: O(bytes of the metadata), at most a megabyte.
  public var metadata: [String: String] {
    get throws(FuseError) {
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
