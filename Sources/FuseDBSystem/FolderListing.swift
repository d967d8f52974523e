internal import FuseDBLibc

/// What a folder holds.
package enum FolderListing {
  /// The names in the folder at `path`, without `.` and `..`, in no order; none where it can't be read.
  ///
  /// - Parameter most: how many names to read at most.
  package static func names(at path: String, most: Int) -> [String] {
    // SAFETY: the path ends in a zero byte. The folder is open until it is closed below.
    guard let folder = unsafe opendir(path.systemPath) else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while names.count < most, let entry = unsafe readdir(folder) {
      // SAFETY: the entry stays as it is until the folder is read again, and its name ends in a zero byte.
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in unsafe Array(bytes.prefix { $0 != 0 }) }
      if name != Array(".".utf8), name != Array("..".utf8) { names.append(String(path: name)) }
    }
    return names
  }
}
