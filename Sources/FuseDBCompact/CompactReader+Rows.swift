package import FuseDBFormat
internal import FuseDBSystem

// Rows by where they begin in the file, which is what other readers know objects by.

extension CompactReader {
  /// Whether a file says that it is of the compact form.
  package static func isCompact(_ file: RawSpan) -> Bool {
    file.byteCount >= Header.byteCount && file.loadInside(at: Header.Field.magic, as: UInt32.self) == Header.magic
      && file.loadInside(at: Header.Field.version, as: UInt8.self) == CompactForm.version
  }

  /// The header.
  package var header: Header {
    let mapping = mapping
    return Header(fieldsOf: mapping.bytes)
  }

  /// Whether keys are coded by symbols.
  package var hasCodedKeys: Bool { layout.blocks.isCoded }

  /// Where the rows end.
  package var rowsEnd: Int { layout.rowsEnd }

  /// Where the row of a reference begins.
  @inline(__always)
  package func rowOffset(ofReference reference: UInt64) -> UInt64 {
    // A reference has eight bytes at most, and may say anything: what wraps around is refused when the row is read.
    UInt64(Header.byteCount) &+ reference &<< layout.blocks.shift
  }

  /// Puts the MessagePack of the object whose row begins at an offset into a buffer, in the place of what is there.
  ///
  /// - Throws: as ``reference(forKey:)``.
  package func expand(rowAt offset: UInt64, into out: inout [UInt8]) throws(FuseError) {
    let mapping = mapping
    let file = mapping.bytes
    out.removeAll(keepingCapacity: true)
    do throws(FuseError) {
      try layout.expand(try row(at: offset, in: file), of: file, into: &out)
    } catch { throw whatIsTrue(error) }
    try mapping.checkNotShrunk()
  }

  /// Where the row after that at an offset begins.
  ///
  /// - Throws: as ``reference(forKey:)``.
  package func end(ofRowAt offset: UInt64) throws(FuseError) -> UInt64 {
    let mapping = mapping
    let end: Int
    do throws(FuseError) { end = try row(at: offset, in: mapping.bytes).upperBound } catch { throw whatIsTrue(error) }
    try mapping.checkNotShrunk()
    let step = 1 << Int(layout.blocks.shift)
    return UInt64(Header.byteCount + (end - Header.byteCount + step - 1) & ~(step - 1))
  }

  private func row(at offset: UInt64, in file: RawSpan) throws(FuseError) -> Range<Int> {
    guard offset >= UInt64(Header.byteCount), offset < UInt64(layout.rowsEnd) else {
      throw .corrupted("a reference leads out of the rows", at: offset)
    }
    return try layout.row(at: Int(offset), in: file)
  }

  /// All sections, in the order of the file.
  package var sections: [(name: String, byteCount: Int)] {
    directory.sections.map { (String(decoding: $0.kind, as: UTF8.self), $0.section.range.count) }
  }

  /// A section by its kind, where the file has it.
  package func section(_ kind: [UInt8]) -> ExtensionDirectory.Section? { directory[kind] }
}
