public import FuseDBFormat
public import FuseDBReading
public import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Patches: files that make a new database of an old one, where sending the whole would be too much.
///
///     let old = try FuseReader(path: "monday.fsdb")
///     let new = try FuseReader(path: "tuesday.fsdb")
///     try FusePatch.make(from: old, to: new, at: "tuesday.patch").byteCount     // 1,660
///
///     // Elsewhere:
///     try FusePatch.apply("tuesday.patch", to: old, output: "tuesday.fsdb")     // the same bytes
///
/// Any two databases have a patch, and it is small when they are alike: objects that stay cost next to nothing, wherever
/// they move, and neither do their keys. See spec/patch.md.
public enum FusePatch {
  /// What the file that a patch makes may take the place of.
  public struct Options: Sendable {
    /// The fewest keys that the file may have, as for ``FuseWriter/Options/leastKeyCount``.
    public var leastKeyCount = 0
    /// How many of its keys the file that is replaced may lose, as for ``FuseWriter/Options/greatestShrink``.
    public var greatestShrink: Double?
    /// How long the file may be; nil for four times the old file and 64 times the patch, plus 256 MiB
    /// (``usualGreatestByteCount(oldByteCount:patchByteCount:)``).
    public var greatestByteCount: Int?
    /// What happens to a symbolic link where the file is to appear.
    public var outputLink = OutputLink.refused
    /// Whether a file that is neither a database nor empty stays.
    package var keepsOtherFiles = false

    /// Any file may take the place of any other, and a link of none.
    public init() {}
  }

  /// Writes the patch that makes `new` of `old` as the file at `path`, which appears complete or not at all.
  ///
  /// Both files are read whole and verified, however they were opened.
  ///
  /// - Parameter outputLink: what happens to a symbolic link at `path`.
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when ``FuseReader/verify(level:progress:)`` finds damage
  ///   in one of the files; `inputOutput` when the patch cannot be written, or when `path` is that of one of the files. What
  ///   stood at `path` stands there still then, unless the very last step failed, as
  ///   in ``FuseWriter/build(to:progress:)``.
  /// - Complexity: O(keys log objects + bytes of both files); some 35 bytes of memory an object, one for each 64 of the
  ///   data while a file is verified, and for the places at which a long object changed six times its length at most.
  ///   While the extension block is compared, the memory of building it and a file as long as `new` that has no name.
  @discardableResult
  public static func make(
    from old: FuseReader, to new: FuseReader, at path: String, outputLink: OutputLink = .refused
  ) throws(FuseError) -> PatchReport {
    for reader in [old, new] where reader.shards != nil { throw Self.isSet(reader) }
    let place = try OutputPlace(PinnedPath(path), links: outputLink)
    guard try place.source(among: [old, new]) == nil else {
      throw FuseError(
        .inputOutput, "this is one of the files that are compared; give the patch another name", path: path)
    }
    let file = try AtomicFile(replacing: place, ReplacementRules(links: outputLink, kind: .patch))
    let (head, made) = try write(from: old, to: new, into: file, beside: place)
    let replaced = try file.publish(
      header: head.prologue(byteCount: file.byteCount, restChecksum: file.checksum.value))
    var report = made
    report.replacedByteCount = replaced?.byteCount
    report.byteCount = Int(file.byteCount)
    return report
  }

  /// Writes a patch, up to what comes before its headers.
  static func write(
    from old: FuseReader, to new: FuseReader, into file: AtomicFile, beside place: OutputPlace
  ) throws(FuseError) -> (head: PatchHead, report: PatchReport) {
    // Of compact files, what they are expanded to is compared.
    let (oldForm, newForm) = (try PatchForm(old, beside: place), try PatchForm(new, beside: place))
    let (oldEnd, newEnd) = (try PatchEnd(oldForm.reader), try PatchEnd(newForm.reader))
    let block: PatchBlock.Description
    if let plan = try newForm.plan(beside: place) {
      block = .compact(plan)
    } else {
      block = try PatchBlock.description(of: new, beside: place)
    }
    let isFamily = !old.isCompact && !new.isCompact
    let head = PatchHead(
      from: oldForm.reader, to: newForm.reader,
      ends: isFamily ? nil : (PatchHead.FileEnd(of: old), PatchHead.FileEnd(of: new)))
    try file.write(head.oldHeader.bytes.rawSpan)
    try file.write(head.newHeader.bytes.rawSpan)
    if let ends = head.ends {
      try file.write(ends.old.bytes.rawSpan)
      try file.write(ends.new.bytes.rawSpan)
    }
    let body = try PatchBodyWriter(appendingTo: file)
    var maker = try PatchMaker(from: oldEnd, to: newEnd, body: body)
    try maker.writeRecords()
    try maker.writeEntries()
    try maker.write(block)
    try body.finish()
    try file.flush()
    // What was read while a file shrank is no part of it.
    try old.checkNotShrunk()
    try new.checkNotShrunk()
    return (head, maker.report)
  }

  /// Makes the new file of `old` and the patch at `path`, as the file at `output`, which appears complete or not at all.
  ///
  /// Both files are verified, the result before it gets its name: a patch makes no file that
  /// ``FuseReader/verify(path:level:progress:)`` would call damaged. `output` may be the path of `old`, whose readers keep
  /// what they have open, unless that file was replaced in the meantime.
  ///
  /// A few bytes can say how to make a file that fills a disk. So the length of the result has a limit, which the patch's
  /// head is compared with before anything is written.
  ///
  /// - Throws: ``FuseError`` with code `patchMismatch` when the patch was made from another file than `old`;
  ///   `corrupted`, `truncated` or `unsupportedVersion`, with its path, when the patch is damaged or no patch, makes a
  ///   damaged file, or when `old` is damaged; `limitExceeded` when the result would be too long; `refused` when it has
  ///   fewer keys than the options allow; `notFound` when there is no patch; `outputChanged` when `output` is the path of
  ///   `old` and no longer has what `old` reads; `inputOutput` when the file cannot be written, or the file system has no
  ///   room for it. What stood at `output` stands there still then, unless the very last step failed, as in
  ///   ``FuseWriter/build(to:progress:)``.
  /// - Complexity: O(bytes of both files + keys log objects); some 12 bytes of memory an old object and 8 a new one (an
  ///   object has 9 bytes of the file at least); one object that the patch brings or changes at a time; 8 MiB to unpack
  ///   the patch, and the memory of building the extension block and of verifying.
  @discardableResult
  public static func apply(
    _ path: String, to old: FuseReader, output: String, options: Options = Options()
  ) throws(FuseError) -> PatchedFile {
    try apply([path], to: old, output: output, options: options)
  }

  /// Makes the file of the last of several patches, each of which was made from the file that the one before it makes, in one pass.
  ///
  ///     try FusePatch.apply(["9h.patch", "10h.patch"], to: old, output: "10h.fsdb")     // the file of 9 o'clock is not made
  ///
  /// It is as if the patches were applied one after the other, and costs little more than one of them: the files in between are
  /// never made. So their checksums are not compared; that of the result is, and the result is verified.
  ///
  /// - Parameter paths: at least one, in the order in which the patches were made.
  /// - Throws: ``FuseError`` as ``apply(_:to:output:options:)-(String,_,_,_)``, with the path of the patch and where it stands among
  ///   them; with code `patchMismatch` also when a patch was made from another file than the one before it makes, and with code
  ///   `limitExceeded` also when a file in between would be too long.
  /// - Complexity: O(bytes of the old and of the new file + keys and objects of each file in between). Memory as for one patch, and 12
  ///   bytes an object and 16 a key, however many patches there are. What patches bring and the last one still
  ///   needs waits in memory, and from 4 MiB on in a file beside `output` that has no name.
  @discardableResult
  public static func apply(
    _ paths: [String], to old: FuseReader, output: String, options: Options = Options()
  ) throws(FuseError) -> PatchedFile {
    try apply(paths, to: old, output: output, options: options) { _ in }
  }

  /// The same; `proving` is given the result before that gets its name, and may refuse it.
  @discardableResult
  package static func apply(
    _ paths: [String], to old: FuseReader, output: String, options: Options,
    proving: (FileMapping) throws(FuseError) -> Void
  ) throws(FuseError) -> PatchedFile {
    if old.shards != nil { throw isSet(old) }
    let place = try OutputPlace(PinnedPath(output), links: options.outputLink)
    let source = try place.source(among: [old])
    let chain = try PatchChain(paths, from: old, mostBytes: options.greatestByteCount)
    let file = try AtomicFile(
      replacing: place,
      ReplacementRules(
        links: options.outputLink, leastKeyCount: options.leastKeyCount, greatestShrink: options.greatestShrink,
        kind: options.keepsOtherFiles ? .database : nil))
    file.source = source
    let head = chain.last
    try file.checkRoom(forBytes: head.newByteCount)
    let byteCount = Int(head.newEnd.byteCount)
    try fill(file, by: chain, of: old, beside: place)
    try proving(try file.mapped(header: head.newEnd.header, byteCount: byteCount))
    let keyCount = Int(head.newHeader.keyCount)
    let replaced = try file.publish(header: head.newEnd.header, keyCount: keyCount)
    return PatchedFile(
      keyCount: keyCount, objectCount: Int(head.newHeader.objectCount), byteCount: byteCount,
      replacedKeyCount: replaced?.keyCount)
  }

  /// Writes the file that a chain makes, up to its header.
  static func fill(
    _ file: AtomicFile, by chain: PatchChain, of old: FuseReader, beside place: OutputPlace
  ) throws(FuseError) {
    let head = chain.last
    let form = try PatchForm(old, beside: place)
    let byteCount = Int(head.newEnd.byteCount)
    if head.newEnd.isCompact {
      let expanded = try AtomicFile(scratchBeside: place)
      let plan = try chain.write(from: form.reader, to: expanded)
      guard let plan else { throw chain.bad("the patch does not say how its compact file is made") }
      let mapping = try expanded.mapped(header: head.newHeader.bytes, byteCount: head.newByteCount)
      let made = try CompactWriter.write(
        try FuseReader(mapping, checksums: .skipped, expecting: .few), to: file, plan)
      guard made.header == head.newEnd.header, made.byteCount == byteCount else {
        throw chain.bad("the patch makes another compact file than it says; make the patch again")
      }
    } else {
      guard try chain.write(from: form.reader, to: file) == nil else {
        throw chain.bad("the patch makes a compact file, and says another")
      }
    }
  }

  private static func isSet(_ reader: FuseReader) -> FuseError {
    FuseError(
      .notFound,
      "this is a set of shards, and a patch is of one file: make patches of its shards, or merge them into one file",
      path: reader.path)
  }

  /// How long a file ``apply(_:to:output:options:)-(String,_,_,_)`` makes at most, unless it is told.
  ///
  /// What stays comes from the old file, and seldom more than once; what is new comes from the patch, where it is packed. Of
  /// several patches, each is limited by the length of all up to it.
  public static func usualGreatestByteCount(oldByteCount: Int, patchByteCount: Int) -> Int {
    4 * oldByteCount + 64 * patchByteCount + (256 << 20)
  }
}
