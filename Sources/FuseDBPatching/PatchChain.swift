internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Patches of which each begins from the file that the one before it makes. See spec/patch.md §9.
///
/// The files in between are never made: of them is known alone where their records and keys come from. A single patch is a
/// chain of one.
struct PatchChain {
  /// A patch, and where it stands in the chain.
  private struct Link {
    let patch: FileMapping
    let head: PatchHead
    let place: PatchPlace
  }

  private let links: [Link]

  /// The head of the last patch, which is about the file that is made.
  var last: PatchHead { links[links.count - 1].head }

  /// Opens the patches, and compares all that their heads say. [U1] [U2] [U3] [U7] [U19] [U20] [U21]
  ///
  /// - Parameter mostBytes: how long a file may be that is made; nil for the usual.
  init(_ paths: [String], from old: FuseReader, mostBytes: Int?) throws(FuseError) {
    try self.init(paths.map { (path: $0, patch: nil) }, from: old, mostBytes: mostBytes)
  }

  /// The same with patches that are open already, some or all.
  init(_ patches: [(path: String, patch: FileMapping?)], from old: FuseReader, mostBytes: Int?) throws(FuseError) {
    precondition(!patches.isEmpty, "a chain has a patch at least")
    var links: [Link] = []
    var patchByteCount = 0
    for (number, (path, given)) in patches.enumerated() {
      let place = PatchPlace(path: path, number: number + 1, count: patches.count)
      let patch = if let given { given } else { try FileMapping(path: path) }
      let head: PatchHead
      do throws(FuseError) {
        head = try PatchHead(parsing: patch.bytes)
      } catch {
        try patch.checkNotShrunk()
        throw place.naming(error)
      }
      if let before = links.last {
        try head.checkFollows(before.head, at: place)
      } else {
        try head.checkBelongs(to: old, at: place)
      }
      patchByteCount += patch.byteCount
      let usual = FusePatch.usualGreatestByteCount(oldByteCount: old.byteCount, patchByteCount: patchByteCount)
      try head.check(mostBytes: mostBytes ?? usual, at: place)
      links.append(Link(patch: patch, head: head, place: place))
    }
    self.links = links
  }

  /// The error of what the last patch makes, and should not.
  func bad(_ what: String) -> FuseError { links[links.count - 1].place.naming(FuseError(.corrupted, what)) }

  /// Makes the file of the last patch, up to its header, and proves it.
  ///
  /// - Returns: what is to be made of that file, where the new one is compact.
  func write(from old: FuseReader, to file: AtomicFile) throws(FuseError) -> CompactPlan? {
    do throws(FuseError) { return try writeAll(from: old, to: file) } catch {
      // What was read of a file that shrank is no fault of a patch.
      try old.checkNotShrunk()
      throw error
    }
  }

  private func writeAll(from old: FuseReader, to file: AtomicFile) throws(FuseError) -> CompactPlan? {
    // Of a compact file, that is what it was expanded to.
    let first = links[0]
    guard first.head.oldHeader == old.header, first.head.oldByteCount == old.byteCount else {
      throw first.place.naming(
        FuseError(.patchMismatch, "the compact file is expanded to another one than the patch was made from"))
    }
    let material = PatchMaterial(try PatchEnd(old), in: file.folder)
    var level = PatchLevel(material.old)
    for link in links.dropLast() {
      try Cancellation.check()
      level = try Self.next(after: level, of: material, link)
    }
    let link = links[links.count - 1]
    var patcher = try Patcher(
      link.head, from: level, of: material, to: file,
      body: try PatchBodyReader(of: link.patch, from: link.head.bodyStart, at: link.place))
    level = .empty
    try patcher.apply()
    try old.checkNotShrunk()
    try patcher.proveResult(file)
    return patcher.compactPlan
  }

  /// What a patch makes of a file, if that is not the last one. [U22] [U23]
  private static func next(
    after level: PatchLevel, of material: PatchMaterial, _ link: Link
  ) throws(FuseError) -> PatchLevel {
    var patcher = try Patcher(
      link.head, from: level, of: material, to: nil,
      body: try PatchBodyReader(of: link.patch, from: link.head.bodyStart, at: link.place))
    try patcher.apply()
    return try patcher.level()
  }
}

/// A patch among others, for errors.
struct PatchPlace {
  let path: String
  /// Counted from 1.
  let number: Int
  let count: Int

  init(path: String, number: Int = 1, count: Int = 1) {
    self.path = path
    self.number = number
    self.count = count
  }

  /// Such as " (patch 2 of 3)"; nothing where there is but one.
  var note: String { count == 1 ? "" : " (patch \(number) of \(count))" }

  /// The error with the path and the place.
  func naming(_ error: FuseError) -> FuseError {
    FuseError(error.code, error.message + note, offset: error.offset, path: path, errno: error.errno)
  }
}
