internal import FuseDBCompact
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBWriting

/// A file at an end of a patch, as records and entries: a compact one is expanded, into a file without a name. See spec/patch.md §10.
struct PatchForm {
  /// The file as it is.
  private let file: FuseReader
  /// What is compared, or what a patch is applied to.
  let reader: FuseReader

  init(_ file: FuseReader, beside place: OutputPlace) throws(FuseError) {
    self.file = file
    guard let compact = file.compact else {
      reader = file
      return
    }
    try Verifier.requireSound(file.mapping)
    let expanded = try CompactExpansion.plainFile(of: file, compact, beside: place).mapping
    reader = try FuseReader(expanded, checksums: .skipped, expecting: .few)
  }

  /// How the compact file is made of its keys and objects; nil for a file that is none.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` where this library would make another one of them.
  func plan(beside place: OutputPlace) throws(FuseError) -> CompactPlan? {
    guard let compact = file.compact else { return nil }
    let metadata = try file.index.metadata.map { section throws(FuseError) in
      try file.metadataBytes(of: section).array()
    }
    var sections = SectionRequest(exactly: file.index.sections)
    sections.aliases = file.networkAliases
    let plan = CompactPlan(keysAreRaw: !compact.hasCodedKeys, metadata: metadata, sections: sections)
    let made = try AtomicFile(scratchBeside: place)
    let (header, byteCount) = try CompactWriter.write(reader, to: made, plan)
    guard PatchHead.FileEnd(header: header, byteCount: UInt64(byteCount)) == PatchHead.FileEnd(of: file) else {
      throw FuseError(
        .invalidValue,
        "the compact file is not the one that this library makes of its keys and objects; convert it first ('fusedb convert')",
        path: file.path)
    }
    return plan
  }
}
