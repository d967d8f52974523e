internal import CFusePublish
package import FuseDBFormat
internal import FuseDBLibc

extension AtomicFile {
  /// How often another file may appear in the moment between a look and its consequence.
  private static let mostLooks = 100

  /// Writes the header, makes the file durable and moves it to its name, if the rules allow that.
  ///
  /// - Parameter keyCount: of a database, for the rules.
  /// - Returns: what gave way; nil where nothing stood there.
  @discardableResult
  package func publish(header: [UInt8], keyCount: Int? = nil) throws(FuseError) -> ReplacedFile? {
    try flush()
    guard writeAll(header.rawSpan, to: descriptor, at: 0) else {
      throw Self.failed("write the header", path: path)
    }
    // Not repeated when it fails: the system may have dropped what it could not write, and would say yes.
    guard retrying({ fuse_make_durable(descriptor) }) == 0 else {
      throw Self.failed("make the file durable", path: path)
    }
    let replaced = try moveToName(keyCount)
    // A name lasts when its folder has been written. Some file systems cannot sync a folder and say EINVAL; they have
    // nothing to sync then.
    if retrying({ fuse_make_durable(folderDescriptor.number) }) != 0, errno != EINVAL {
      throw Self.failed("make the folder durable (the new file is in place)", path: path)
    }
    return replaced
  }

  /// Gives the file its name, in place of what was looked at: that had to be the file that was read, or was compared with
  /// the rules.
  private func moveToName(_ keyCount: Int?) throws(FuseError) -> ReplacedFile? {
    for _ in 0..<Self.mostLooks {
      let standing = try place.look()
      if let source, standing?.content != source { throw hasChanged(standing == nil ? "was removed" : "changed") }
      let replaced =
        standing == nil ? nil : try ReplacedFile(at: place.destination, mustTell: rules.greatestShrink != nil)
      if let replaced { try rules.check(replaced, path: path) }
      if let keyCount { try rules.check(keyCount: keyCount, before: replaced?.keyCount, path: path) }
      if let now = standing?.rights, now != rights {
        try now.give(to: descriptor, path: path)
        rights = now
      }
      beforeNaming?()
      if try takeName(insteadOf: standing) { return replaced }
    }
    throw hasChanged("changed again and again")
  }

  private func hasChanged(_ change: String) -> FuseError {
    FuseError(
      .outputChanged, "the file here \(change) while its successor was made; it is as others left it: try again",
      path: path)
  }

  /// Takes the name from what has it. Returns false where that is something else by now.
  private func takeName(insteadOf standing: OutputPlace.Standing?) throws(FuseError) -> Bool {
    // SAFETY: the calls read strings that end in a zero byte, and a stamp; all live until they return.
    let destination = place.destination
    if temporaryPath == nil {
      if standing == nil {
        if unsafe fuse_link_finished(descriptor, destination.systemPath) == 0 { return true }
        guard errno == EEXIST else { throw Self.failed("name the new file", path: path) }
        return false
      }
      let temporary = Self.uniqueName(for: place)
      guard unsafe fuse_link_unfinished(descriptor, temporary.systemPath) == 0 else {
        throw Self.failed("name the new file", path: path)
      }
      temporaryPath = temporary
    }
    let unfinished = temporaryPath!
    // Whichever of two files that know nothing of each other comes last is the one that stays.
    guard source != nil || rules.greatestShrink != nil else {
      guard unsafe fuse_rename_finished(unfinished.systemPath, destination.systemPath) == 0 else {
        throw Self.failed("move the new file to its name", path: path)
      }
      temporaryPath = nil
      return true
    }
    let result: Int32
    if var stamp = standing?.stamp.forSystem {
      result = unsafe fuse_replace_finished(
        descriptor, unfinished.systemPath, destination.systemPath, &stamp)
    } else {
      result = unsafe fuse_replace_finished(descriptor, unfinished.systemPath, destination.systemPath, nil)
    }
    guard result >= 0 else {
      guard errno == ESTALE || errno == EEXIST else { throw Self.failed("move the new file to its name", path: path) }
      return false
    }
    temporaryPath = nil
    switch Int(result) {
    case FUSE_REPLACED: return true
    case FUSE_LEFT_OLD:
      throw Self.failed("remove the file of before from \(unfinished) (the new file is in place)", path: path)
    default:
      throw FuseError(
        .outputChanged,
        "others replaced the file here while its successor took its place; one of theirs is at \(unfinished)",
        path: path)
    }
  }
}

extension ReplacedFile {
  /// What a look at the file shows; nil where it cannot be looked at.
  ///
  /// - Parameter mustTell: whether that, unless there is no file any more, is an error, and a database that does not tell
  ///   how many keys it has, too: a rule compares them.
  fileprivate init?(at path: String, mustTell: Bool) throws(FuseError) {
    func unknown(_ error: FuseError) throws(FuseError) {
      guard mustTell, error.errno != ENOENT else { return }
      throw FuseError(
        .inputOutput,
        "\(error.message), and the keys of this file are to be compared (rule 'greatestShrink'); nothing has changed",
        path: path, errno: error.errno)
    }
    let file: OwnedDescriptor
    do throws(FuseError) { file = try OwnedDescriptor(reading: path) } catch {
      try unknown(error)
      return nil
    }
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else {
      try unknown(.system("look at the file", path: path))
      return nil
    }
    byteCount = Int(status.st_size)
    var bytes = [UInt8](repeating: 0, count: Header.byteCount)
    // SAFETY: as many bytes are read as there is room for.
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe readAll(file.number, into: $0, at: 0) }
    if count < 0 { try unknown(.system("read the file", path: path)) }
    kind = FileKind(of: bytes.rawSpan.extracting(first: max(0, count)))
    if count == bytes.count, let header = try? Header(parsing: bytes.rawSpan),
      header.faults(fileByteCount: byteCount).isEmpty
    {
      keyCount = Int(header.keyCount)
    } else if kind == .database, mustTell {
      throw FuseError(
        .refused,
        """
        rule 'greatestShrink' compares with the keys of the database here, which is damaged or of a later version; \
        nothing has changed: remove it, or leave out the rule
        """, path: path)
    }
  }
}
