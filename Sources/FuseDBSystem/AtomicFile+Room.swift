package import FuseDBFormat
internal import FuseDBLibc

extension AtomicFile {
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
