internal import CFuseIntrinsics
internal import FuseDBFormat

/// A copy of the section `SYMB`: what codes of keys stand for. What is changed in the file later changes no answer.
@safe
final class CompactSymbols: Sendable {
  // SAFETY: made and filled in init, read alone from then on, freed in deinit.
  nonisolated(unsafe) let table: UnsafeMutablePointer<fuse_symbols>

  /// No symbols: for keys that are not coded.
  init() {
    unsafe table = .allocate(capacity: 1)
    // SAFETY: the table has just been made, and no section is read for no symbols.
    unsafe fuse_set_symbols(table, nil, 0)
  }

  /// Copies the symbols of a section, and compares them with its checksum.
  convenience init(_ section: ExtensionDirectory.Section, of file: RawSpan) throws(FuseError) {
    let start = section.range.lowerBound
    let byteCount = section.range.count
    guard byteCount % CompactBlocks.symbolByteCount == 0,
      byteCount <= CompactBlocks.symbolByteCount * CompactForm.mostSymbols
    else { throw .corrupted("the section SYMB has no length that it can have", at: start) }
    let bytes = file.extracting(section.range).array()
    guard Checksum.of(bytes.rawSpan) == section.checksum else {
      throw .corrupted("the symbols differ from their checksum", at: start)
    }
    for at in stride(from: 0, to: byteCount, by: CompactBlocks.symbolByteCount) {
      guard 1...CompactForm.mostSymbolBytes ~= Int(bytes[at]) else {
        throw .corrupted("a symbol has no length that it can have", at: start + at)
      }
    }
    self.init()
    // SAFETY: the array holds so many symbols, and nothing else has the table yet.
    unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe fuse_set_symbols(table, bytes.baseAddress, byteCount / CompactBlocks.symbolByteCount)
    }
  }

  // SAFETY: whoever has the address keeps this object.
  deinit { unsafe table.deallocate() }
}
