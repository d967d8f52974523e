// For sorting more entries than fit into memory: an entry as one number, and back.
package import FuseDBFormat
internal import FuseDBValues

extension Entry {
  /// Where the entry begins in the file.
  package var indexOffset: Int { entry.offset }
}

extension FuseReader {
  /// The entry that begins at an ``Entry/indexOffset`` of this reader.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  package func entry(atIndexOffset offset: Int) throws(FuseError) -> Entry {
    Entry(reader: self, entry: try entry(at: offset))
  }
}
