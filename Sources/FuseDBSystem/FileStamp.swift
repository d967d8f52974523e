internal import CFusePublish
package import FuseDBFormat
internal import FuseDBLibc

/// Differs between two files, and between a file before and after a write: where it is, its length and the
/// time of its last change. Unlike ``FileIdentity`` it costs no look into the file.
///
/// Other names and other rights leave it as it is. Keep the file open to compare it: the system may give the number
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

/// What tells a file from the one that was under its path before: where it is, its times, and its header, which holds the
/// checksum of all the rest.
///
/// The times alone would not do: they advance with the kernel's clock, some 4 ms at a time, so that two files written in
/// one tick can have the same. Nor would the header: two files may differ in it alone, or not at all.
package struct FileIdentity: Hashable, Sendable {
  private var device: UInt64 = 0
  private var inode: UInt64 = 0
  private var kind: UInt32 = 0
  private var byteCount: Int64 = 0
  private var modified: [Int] = []
  private var changed: [Int] = []
  private var header: [UInt8] = []
  /// Why the file cannot be looked at; 0 where it can.
  private(set) var errno: Int32 = 0

  /// Nothing that can be opened, for the reason that `error` gives.
  package init(lacking error: FuseError) { errno = error.errno ?? ENOENT }

  /// What is under `path` now, which may be nothing.
  package init(path: String) {
    do { self.init(of: try OwnedDescriptor(reading: path)) } catch { self.init(lacking: error) }
  }

  /// The open file.
  package init(of descriptor: OwnedDescriptor) {
    var status = stat()
    guard unsafe fstat(descriptor.number, &status) == 0 else {
      errno = FuseDBLibc.errno
      return
    }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    kind = UInt32(status.st_mode & S_IFMT)
    // A folder or a device is none, whatever becomes of it; reading from a device might be more than a look.
    guard kind == S_IFREG else { return }
    byteCount = Int64(status.st_size)
    modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    var header = [UInt8](repeating: 0, count: Header.byteCount)
    // SAFETY: as many bytes are read as there is room for.
    let count = unsafe header.withUnsafeMutableBytes { unsafe readAll(descriptor.number, into: $0, at: 0) }
    self.header = Array(header.prefix(max(0, count)))
  }

  /// Whether a process wrote to the file between this look at it and a later one. Another name, or none any more, or other
  /// rights are no reason to give it up: that changes only the time of its last change.
  package func isSameContent(as later: FileIdentity) -> Bool {
    var same = self
    same.changed = later.changed
    return same == later
  }

  /// Whether the file was changed so shortly before `time`, in seconds since 1970, that a change after it can leave the
  /// same times. The kernel's clock advances every 10 ms at least.
  package func mayHaveChanged(after time: Double) -> Bool {
    guard changed.count == 2 else { return false }
    return abs(time - Double(changed[0]) - Double(changed[1]) / 1e9) < 0.1
  }
}
