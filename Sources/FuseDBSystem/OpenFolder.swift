package import FuseDBFormat
internal import FuseDBLibc

/// A folder that is open, so that its files are opened by their names alone.
@safe
package final class OpenFolder {
  /// What stands in a folder, in the order of the paths that begin there: a folder's name counts with the slash after it.
  package struct Names {
    package struct Name {
      // Its first sixteen bytes, as numbers: most comparisons need no more.
      fileprivate var first: UInt64 = 0
      fileprivate var second: UInt64 = 0
      fileprivate var start: Int
      fileprivate var count: Int
      package var isFolder: Bool
    }

    /// One after the other, with the slash or a zero byte after each.
    fileprivate var bytes: [UInt8] = []
    package fileprivate(set) var all: [Name] = []

    /// The bytes of a name.
    package func bytes(of name: Name) -> ArraySlice<UInt8> { bytes[name.start..<name.start + name.count] }

    fileprivate mutating func add(_ name: UnsafeRawBufferPointer, isFolder: Bool) {
      var entry = Name(start: bytes.count, count: name.count, isFolder: isFolder)
      // SAFETY: the array copies the bytes of the name.
      unsafe bytes.append(contentsOf: name)
      bytes.append(isFolder ? UInt8(ascii: "/") : 0)
      for place in 0..<16 {
        let byte = place <= name.count ? UInt64(bytes[entry.start + place]) : 0
        if place < 8 { entry.first = entry.first << 8 | byte } else { entry.second = entry.second << 8 | byte }
      }
      all.append(entry)
    }

    fileprivate mutating func sort() {
      let bytes = bytes
      all.sort { left, right in
        if left.first != right.first { return left.first < right.first }
        if left.second != right.second { return left.second < right.second }
        return bytes[left.start...left.start + left.count].lexicographicallyPrecedes(
          bytes[right.start...right.start + right.count])
      }
    }
  }

  /// A file as it was read.
  package struct Read {
    package var mode: UInt32
    /// Whether all of it came: it has no more bytes than were asked for.
    package var isWhole: Bool
  }

  package let path: String
  // SAFETY: opened in init, closed in deinit; one thread at a time has this object.
  private nonisolated(unsafe) let folder: OpaquePointer

  /// Opens the folder at `path`.
  package init(_ path: String) throws(FuseError) {
    self.path = path
    // SAFETY: the path ends in a zero byte.
    guard let folder = unsafe opendir(path.systemPath) else { throw .system("list the folder", path: path) }
    unsafe self.folder = folder
  }

  // SAFETY: nobody has the folder any more.
  deinit { unsafe closedir(folder) }

  /// Its files and folders; links and devices are left out.
  package func names() throws(FuseError) -> Names {
    var names = Names()
    unsafe rewinddir(folder)
    while true {
      errno = 0
      guard let entry = unsafe readdir(folder) else {
        guard errno == 0 else { throw .system("list the folder", path: path) }
        names.sort()
        return names
      }
      var kind = unsafe Int32(entry.pointee.d_type)
      if kind == DT_UNKNOWN {
        var status = stat()
        // SAFETY: the entry stays as it is until the folder is read again, and its name ends in a zero byte.
        let isThere = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
          unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { name in
            unsafe fstatat(dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) == 0
          }
        }
        // One that is gone by now.
        guard isThere else { continue }
        kind =
          status.st_mode & S_IFMT == S_IFDIR ? Int32(DT_DIR) : status.st_mode & S_IFMT == S_IFREG ? Int32(DT_REG) : kind
      }
      guard kind == DT_DIR || kind == DT_REG else { continue }
      // SAFETY: as above.
      unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        let name = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.firstIndex(of: 0) ?? bytes.count)])
        if unsafe kind == DT_DIR && (name.elementsEqual([46]) || name.elementsEqual([46, 46])) { return }
        unsafe names.add(name, isFolder: kind == DT_DIR)
      }
    }
  }

  /// How many bytes a file has; nil where there is no regular file of this name by now.
  package func byteCount(of name: ArraySlice<UInt8>) -> Int? {
    var status = stat()
    // SAFETY: the name ends in a zero byte and lives until the call returns, which fills in a value of the type that it takes.
    guard unsafe fstatat(dirfd(folder), PathWalk.cString(Array(name)), &status, AT_SYMLINK_NOFOLLOW) == 0,
      status.st_mode & S_IFMT == S_IFREG
    else { return nil }
    return Int(status.st_size)
  }

  /// Appends the contents of a file, unless it has more than `most` bytes. Nil where there is no regular file of this name by now.
  package func read(
    _ name: ArraySlice<UInt8>, most: Int, to bytes: inout [UInt8]
  ) throws(FuseError) -> Read? {
    let text = PathWalk.cString(Array(name))
    // SAFETY: the name ends in a zero byte and lives until the call returns. A pipe that took the place of a file would be waited for.
    let opened = retrying {
      unsafe openat(dirfd(folder), text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    }
    guard opened >= 0 else {
      if errno == ENOENT || errno == ELOOP { return nil }
      throw .system("open the file", path: path + "/" + String(path: Array(name)))
    }
    defer { close(opened) }
    var status = stat()
    // SAFETY: the call fills in a value of the type that it takes.
    guard unsafe fstat(opened, &status) == 0 else {
      throw .system("look at the file", path: path + "/" + String(path: Array(name)))
    }
    guard status.st_mode & S_IFMT == S_IFREG else { return nil }
    var read = Read(mode: UInt32(status.st_mode) & 0o7777, isWhole: false)
    guard Int(status.st_size) <= most else { return read }
    // One byte more says whether that was all.
    let count = Int(status.st_size) + 1
    var failure: Int32 = 0
    let before = bytes.count
    bytes.append(addingCapacity: count) { room in
      // SAFETY: as many bytes are read as there is room for, and as many are said to be there.
      unsafe room.withUnsafeMutableBufferPointer { room, done in
        while done < count {
          let result = retrying { unsafe FuseDBLibc.read(opened, room.baseAddress! + done, count - done) }
          if result < 0 { failure = errno }
          guard result > 0 else { return }
          done += result
          // Less than was asked for is the end of a regular file.
          if done < count { return }
        }
      }
    }
    guard failure == 0 else {
      errno = failure
      throw .system("read the file", path: path + "/" + String(path: Array(name)))
    }
    read.isWhole = bytes.count - before < count
    if !read.isWhole { bytes.removeLast(bytes.count - before) }
    return read
  }
}
