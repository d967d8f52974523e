internal import CFusePublish
internal import FuseDBFormat
internal import FuseDBLibc

/// What tells a file from another one, and from what it was before somebody wrote to it: where it is, its length and the
/// time of its last change. Unlike ``FileIdentity`` it costs no look into the file.
///
/// Other names and other rights leave it as it is. Whoever compares it keeps the file open: the system may give the number
/// of a file that is gone to a new one.
package struct FileStamp: Equatable, Sendable {
  private let device: UInt64
  private let inode: UInt64
  /// The file's length.
  package let byteCount: Int64
  private let modified: (seconds: Int64, nanoseconds: Int64)

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    byteCount = Int64(status.st_size)
    modified = (Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec))
  }

  /// That of an open file; nil where the system does not say, and `errno` why.
  init?(of descriptor: Int32) {
    var status = stat()
    // SAFETY: the call fills in a value of the type that it takes.
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  /// Whether the file was written to so short a time ago that writing since then can have left the same time: the kernel's
  /// clock advances every 10 ms at least.
  var isRecent: Bool { abs(WallClock.now - Double(modified.seconds) - Double(modified.nanoseconds) / 1e9) < 0.1 }

  /// The same for C.
  var forSystem: fuse_stamp {
    fuse_stamp(
      device: device, inode: inode, byte_count: byteCount, modified_seconds: modified.seconds,
      modified_nanoseconds: modified.nanoseconds)
  }

  package static func == (left: FileStamp, right: FileStamp) -> Bool {
    left.isSameFile(as: right) && left.byteCount == right.byteCount && left.modified == right.modified
  }

  /// Whether both are of one file, which may have been written to.
  func isSameFile(as other: FileStamp) -> Bool { device == other.device && inode == other.inode }
}
