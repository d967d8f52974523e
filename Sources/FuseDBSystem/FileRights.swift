internal import CFusePublish
internal import FuseDBFormat
internal import FuseDBLibc

/// Who may do what with a file: what a new file takes over from the one that it replaces.
struct FileRights: Equatable, Sendable {
  private let mode: mode_t
  private let owner: uid_t
  private let group: gid_t
  /// The access control list that says more, as the system keeps it; empty where there is none.
  private let list: [UInt8]

  /// Of the file at `path`.
  init(_ status: stat, path: String) {
    // A database is no program: set-user-ID and set-group-ID bits are not taken over.
    mode = status.st_mode & 0o777
    owner = status.st_uid
    group = status.st_gid
    list = Self.list(of: path)
  }

  /// Gives an open file these rights, as far as this process may, and never more to anybody.
  ///
  /// An owner or a group that cannot be given is left as it is. The group's rights would then be another group's; so both,
  /// group and others, keep what both had. Where a list cannot be given, it is unknown whom it kept out: the owner alone
  /// has rights then.
  func give(to descriptor: Int32, path: String) throws(FuseError) {
    // The folder's default list would give rights that the mode does not tell.
    fuse_drop_access_list(descriptor)
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw AtomicFile.failed("look at the new file", path: path) }
    var isGroupKept = status.st_gid == group
    if status.st_uid != owner || !isGroupKept {
      if fchown(descriptor, owner, group) == 0 {
        isGroupKept = true
      } else {
        try Self.passUnlessForbidden(path)
        if !isGroupKept {
          isGroupKept = fchown(descriptor, uid_t.max, group) == 0
          if !isGroupKept { try Self.passUnlessForbidden(path) }
        }
      }
    }
    var mode = mode
    if !list.isEmpty {
      // SAFETY: the system reads the bytes of the array.
      let isGiven =
        unsafe isGroupKept
        && list.withUnsafeBytes { unsafe fuse_give_access_list(descriptor, $0.baseAddress!, $0.count) == 0 }
      guard !isGiven else { return }
      mode &= 0o700
    } else if !isGroupKept {
      let both = mode >> 3 & mode & 0o7
      mode = mode & 0o700 | both << 3 | both
    }
    guard status.st_mode & 0o777 != mode else { return }
    guard fchmod(descriptor, mode) == 0 else {
      throw AtomicFile.failed("give the new file the mode of the old one", path: path)
    }
  }

  private static func list(of path: String) -> [UInt8] {
    let count = unsafe fuse_read_access_list(path.systemPath, nil, 0)
    guard count > 0 else { return [] }
    var list = [UInt8](repeating: 0, count: count)
    // SAFETY: as many bytes are read as there is room for. What is left of a list that changed meanwhile cannot be given.
    _ = unsafe list.withUnsafeMutableBytes { unsafe fuse_read_access_list(path.systemPath, $0.baseAddress, $0.count) }
    return list
  }

  /// Throws, unless this process may not give files away, or the file system knows no owners.
  private static func passUnlessForbidden(_ path: String) throws(FuseError) {
    guard ![EPERM, EINVAL, ENOSYS, EOPNOTSUPP].contains(errno) else { return }
    throw AtomicFile.failed("give the new file the owner of the old one", path: path)
  }
}
