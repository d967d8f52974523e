package import FuseDBFormat
package import FuseDBReading
package import FuseDBSystem
internal import FuseDBWriting

// Patches and files without names, for the store.
extension FusePatch {
  private static func place(in folder: String) throws(FuseError) -> OutputPlace {
    try OutputPlace(PinnedPath(folder + "/.fusedb-scratch"), links: .replaced)
  }

  /// The patch that makes `new` of `old`, in a file without a name in `folder`.
  ///
  /// - Throws: as ``make(from:to:at:outputLink:)``.
  package static func make(
    from old: FuseReader, to new: FuseReader, in folder: String
  ) throws(FuseError) -> FileMapping {
    let place = try place(in: folder)
    let file = try AtomicFile(scratchBeside: place)
    let (head, _) = try write(from: old, to: new, into: file, beside: place)
    return try file.mapped(
      header: head.prologue(byteCount: file.byteCount, restChecksum: file.checksum.value),
      byteCount: Int(file.byteCount))
  }

  /// What patches make of `old`, one after the other, in a file without a name in `folder`.
  ///
  /// - Parameter mostBytes: how long it may be.
  /// - Throws: as ``apply(_:to:output:options:)-([String],_,_,_)``.
  package static func made(
    of old: FuseReader, by patches: [FileMapping], in folder: String, mostBytes: Int
  ) throws(FuseError) -> FileMapping {
    let place = try place(in: folder)
    let chain = try PatchChain(patches.map { (path: $0.path, patch: $0) }, from: old, mostBytes: nil)
    guard Int(chain.last.newEnd.byteCount) <= mostBytes else {
      throw FuseError(.corrupted, "the patches make a longer file", path: place.path)
    }
    let file = try AtomicFile(scratchBeside: place)
    try fill(file, by: chain, of: old, beside: place)
    return try file.mapped(header: chain.last.newEnd.header, byteCount: Int(chain.last.newEnd.byteCount))
  }
}
