internal import CFusePublish
package import FuseDBFormat
internal import FuseDBLibc

/// A file that appears under its name complete or not at all. See spec/decisions/0005-atomic-publish.md.
///
/// The bytes go to a file without a name in the same folder, so a process that is killed while it writes leaves nothing
/// after. (Where the file system has no such files, they go to one with a unique name.) ``publish(header:keyCount:)``
/// makes them durable and moves them over the old file in one step.
package final class AtomicFile {
  package let place: OutputPlace
  let rules: ReplacementRules
  let folderDescriptor: OwnedDescriptor
  fileprivate let file: OwnedDescriptor
  /// What was taken over from the file that stands there.
  var rights: FileRights?
  /// The stamp of the file at `path` from which the new one is made: another file there is not replaced.
  package var source: FileStamp?
  /// The name to remove when this object ends without having been published.
  var temporaryPath: String?
  /// For tests: called between the last look at what stands there and the moment that it gives way.
  var beforeNaming: (() -> Void)?
  /// What follows the header.
  /// Where what is written goes.
  package let body: FileStream

  /// The CRC-32 of all bytes written after the first ``Header/byteCount``; flush before.
  package var checksum: Checksum { body.checksum }
  /// The bytes written so far, and the header.
  package var byteCount: UInt64 { UInt64(body.position) }

  /// Begins a file that is to replace whatever stands at `path`, and leaves room for a header at its start.
  ///
  /// Before the first byte is written it has the mode, the owner and the group of the file that stands there, as far as
  /// this process may give them.
  package convenience init(replacing path: PinnedPath, _ rules: ReplacementRules = ReplacementRules()) throws(FuseError)
  {
    try self.init(replacing: try OutputPlace(path, links: rules.links), rules)
  }

  /// The same at a place that was looked at before.
  package convenience init(replacing place: OutputPlace, _ rules: ReplacementRules) throws(FuseError) {
    rules.requireSense()
    try self.init(place, rules, rights: try place.look()?.rights)
  }

  /// Begins a file beside `place` that never gets a name.
  package convenience init(scratchBeside place: OutputPlace) throws(FuseError) {
    try self.init(place, ReplacementRules(), rights: nil, isPrivate: true)
  }

  private init(
    _ place: OutputPlace, _ rules: ReplacementRules, rights: FileRights?, isPrivate: Bool = false
  ) throws(FuseError) {
    // SAFETY: the calls read paths that end in a zero byte and live until they return.
    self.place = place
    self.rules = rules
    self.rights = rights
    let (path, folder) = (place.path, place.folder)
    // Before the work: a folder that cannot be opened could not be made durable after it.
    let openedFolder = retrying { unsafe open(folder.systemPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard openedFolder >= 0 else { throw Self.failed("open the folder \(folder)", path: path) }
    folderDescriptor = OwnedDescriptor(openedFolder)
    let mode: UInt32 = rights == nil && !isPrivate ? 0o666 : 0o600
    var opened = retrying { unsafe fuse_open_unnamed(folder.systemPath, mode) }
    if opened < 0, [EOPNOTSUPP, EISDIR, EINVAL].contains(errno) {
      let temporary = Self.uniqueName(for: place)
      opened = retrying { unsafe fuse_create_unfinished(temporary.systemPath, mode) }
      if opened >= 0 { temporaryPath = temporary }
    }
    guard opened >= 0 else { throw Self.failed("create a file in \(folder)", path: path) }
    file = OwnedDescriptor(opened)
    do throws(FuseError) {
      try rights?.give(to: opened, path: path)
      // The header comes last, when its numbers are known.
      body = try FileStream(to: opened, at: Header.byteCount, path: path)
    } catch {
      if let temporaryPath { unsafe fuse_unlink_unfinished(temporaryPath.systemPath) }
      throw error
    }
  }

  deinit {
    // Where this fails too, nothing is left to try; the first failure is what people read.
    // SAFETY: the call reads a path that ends in a zero byte and lives until it returns.
    if let temporaryPath { unsafe fuse_unlink_unfinished(temporaryPath.systemPath) }
  }

  /// Where it is to appear, as the caller named it.
  package var path: String { place.path }
  package var folder: String { place.folder }
  package var descriptor: Int32 { file.number }

  /// Appends bytes.
  package func write(_ bytes: RawSpan) throws(FuseError) { try body.write(bytes) }

  /// Hands over what is buffered, so that `checksum` covers all bytes written.
  package func flush() throws(FuseError) { try body.flush() }

  /// What was written so far, to be read back; flush before.
  func mapped() throws(FuseError) -> FileMapping {
    try FileMapping(mapping: descriptor, byteCount: Int(byteCount), path: path, access: .mapped)
  }

  /// Hidden, and named after the file, so that a person who finds one knows what it was.
  static func uniqueName(for place: OutputPlace) -> String {
    let name = place.destination.utf8.split(separator: UInt8(ascii: "/")).last.flatMap { String($0) } ?? ""
    // NAME_MAX is 255 bytes; what is added has 23.
    let number = UInt64.random(in: 0 ... .max).hexadecimal.dropFirst(2)
    return "\(place.folder)/.\(name.utf8.count > 200 ? "fsdb" : name).\(number).tmp"
  }

  /// Whatever goes wrong on the writing side is a failure to write, even when a folder is missing.
  static func failed(_ action: String, path: String) -> FuseError {
    let error = FuseError.system(action, path: path)
    return FuseError(.inputOutput, error.message, path: path, errno: error.errno)
  }
}

extension AtomicFile {
  /// The same file, to be read also after this object.
  package func input() -> InputDescriptor { InputDescriptor(file, named: path) }

  /// Throws where the file system says that it has no room for so many bytes, so that it is not filled first. What it
  /// does not say shows when the bytes are written.
  package func checkRoom(forBytes byteCount: Int) throws(FuseError) {
    var system = statvfs()
    // SAFETY: the call fills in a value of the type that it takes.
    guard unsafe fstatvfs(descriptor, &system) == 0, system.f_blocks > 0 else { return }
    let blocks = geteuid() == 0 ? system.f_bfree : system.f_bavail
    let (free, isEnough) = Int(clamping: blocks).multipliedReportingOverflow(by: Int(clamping: system.f_frsize))
    guard !isEnough, free < byteCount else { return }
    throw FuseError(
      .inputOutput, "the file will have \(byteCount) bytes, and the file system of \(folder) has room for \(free)",
      path: path, errno: ENOSPC)
  }

  /// The file as it will be, to be verified before it is published.
  ///
  /// - Parameter byteCount: how long it is, all of which was written.
  package func mapped(header: [UInt8], byteCount: Int) throws(FuseError) -> FileMapping {
    try flush()
    guard writeAll(header.rawSpan, to: descriptor, at: 0) else { throw Self.failed("write the header", path: path) }
    return try FileMapping(mapping: descriptor, byteCount: byteCount, path: path, access: .mapped)
  }
}

extension AtomicFile {
  /// A stream that writes into the file from `position` on, beside other streams at other offsets. It is flushed by the
  /// code that writes it, and used no longer than this object.
  ///
  /// - Parameter isBehind: whether another thread is to write, where the system has one left, while this one goes on.
  package func stream(at position: Int, behind isBehind: Bool = false) throws(FuseError) -> FileStream {
    try FileStream(to: descriptor, at: position, path: path, behind: isBehind ? file : nil)
  }

  /// Fills `bytes` with what stands from `position` on; flush before.
  ///
  /// - Precondition: so much was written there.
  package func read(into bytes: UnsafeMutableRawBufferPointer, at position: Int) throws(FuseError) {
    // SAFETY: the call writes at most as many bytes as `bytes` has, which is the caller's until it returns.
    guard unsafe readWhole(descriptor, into: bytes, at: position) else {
      throw Self.failed("read back what was written", path: path)
    }
  }

  /// Moves bytes towards the start of the file, which then ends with them; flush before.
  package func move(_ range: Range<Int>, to position: Int) throws(FuseError) {
    precondition(position <= range.lowerBound, "bytes are moved towards the start alone")
    guard position < range.lowerBound else { return }
    let memory = try ZeroedMemory(byteCount: 2 << 20, inLargePages: false)
    let stream = try stream(at: position)
    var done = 0
    while done < range.count {
      let count = min(memory.byteCount, range.count - done)
      unsafe try read(
        into: UnsafeMutableRawBufferPointer(start: memory.start, count: count), at: range.lowerBound + done)
      // SAFETY: so many bytes were read. What is written ends before what is still to be read begins.
      let bytes = unsafe RawSpan(_unsafeStart: memory.start, byteCount: count)
      try stream.write(bytes)
      done += count
    }
    try stream.flush()
    try cut(to: position + range.count)
  }

  /// Takes away what was written after `byteCount`.
  package func cut(to byteCount: Int) throws(FuseError) {
    guard retrying({ ftruncate(descriptor, off_t(byteCount)) }) == 0 else {
      throw Self.failed("shorten the file", path: path)
    }
  }
}
