internal import FuseDBFormat
internal import FuseDBLibc

#if os(Linux)
  /// What the system reports of changes to what is under a path: to the file, and to every folder and link on the way.
  ///
  /// There is no promise that every change is reported: those that another machine makes to a network file system are
  /// not, nor are mounts, nor what happens in folders that may not be read or for which the system has no watches left.
  ///
  /// One thread uses it.
  package final class PathEvents {
    private let descriptor: OwnedDescriptor
    /// The names that matter in each folder, by its watch.
    private var names: [Int32: Set<[UInt8]>] = [:]
    private var file: Int32?
    /// Whether a process has written to the file and not closed it since.
    package private(set) var isBeingWritten = false

    /// Nil where the system has no more to give, or none of this.
    package init?() {
      let number = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
      guard number >= 0 else { return nil }
      descriptor = OwnedDescriptor(number)
    }

    /// Can be read when there are events.
    package var number: Int32 { descriptor.number }

    private static let ofFolder =
      IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
    private static let ofFile = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB

    /// From now on events are about `path`. The way to it may have changed since the last call.
    package func follow(_ path: String) {
      let before = Set(names.keys).union(file.map { [$0] } ?? [])
      let fileBefore = file
      names = [:]
      file = nil
      // A folder is watched before the name in it is looked up, so that no change falls between.
      let end = PathWalk.take(path) { folder, name in
        if let watch = watch(folder, for: Self.ofFolder) { names[watch, default: []].insert(name) }
      }
      if let end { file = watch(end, for: Self.ofFile) }
      if file != fileBefore { isBeingWritten = false }
      for old in before where names[old] == nil && old != file { inotify_rm_watch(number, old) }
    }

    /// The number of the watch, which is the same as long as a file is the same.
    private func watch(_ path: [UInt8], for events: Int32) -> Int32? {
      // SAFETY: the call reads a path that ends in a zero byte, in an array that lives until it returns.
      let watch = unsafe inotify_add_watch(number, PathWalk.cString(path), UInt32(events | IN_DONT_FOLLOW))
      return watch >= 0 ? watch : nil
    }

    /// Takes all events that there are. Returns whether one of them is about the path.
    package func take() -> Bool {
      var isAboutPath = false
      var bytes = [UInt8](repeating: 0, count: 1 << 14)
      while true {
        // SAFETY: as many bytes are written as there is room for.
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
          retrying { unsafe read(number, buffer.baseAddress!, buffer.count) }
        }
        guard count > 0 else { return isAboutPath }
        var rest = bytes.rawSpan.extracting(first: count)
        while rest.byteCount > 0 {
          // Watch, kind, a number that means nothing here, the length of the name; then the name, and zeros.
          // SAFETY: every bit pattern is an integer.
          let watch = unsafe rest.unsafeLoadUnaligned(fromByteOffset: 0, as: Int32.self)
          let kind = unsafe rest.unsafeLoadUnaligned(fromByteOffset: 4, as: Int32.self)
          let end = Int(unsafe rest.unsafeLoadUnaligned(fromByteOffset: 12, as: UInt32.self)) + Self.headByteCount
          let name = rest.extracting(Self.headByteCount..<end).array().prefix { $0 != 0 }
          if note(kind, of: watch, Array(name)) { isAboutPath = true }
          rest = rest.extracting(droppingFirst: end)
        }
      }
    }

    private static let headByteCount = 16

    /// Takes an event. Returns whether it is about the path.
    private func note(_ kind: Int32, of watch: Int32, _ name: [UInt8]) -> Bool {
      // The system had more to say than it had room for.
      if kind & IN_Q_OVERFLOW != 0 {
        isBeingWritten = false
        return true
      }
      if watch == file {
        if kind & (IN_MODIFY | IN_CLOSE_WRITE) != 0 { isBeingWritten = kind & IN_MODIFY != 0 }
        return true
      }
      // Watches that were given up have no names. An event without a name is about the folder itself.
      guard let names = names[watch] else { return false }
      return name.isEmpty || names.contains(name)
    }
  }
#else
  /// Nothing: where the system has no inotify, files are looked at now and then. See ``FuseWatcher/Options/pollInterval``.
  package final class PathEvents {
    package init?() { return nil }
    package var isBeingWritten: Bool { false }
    package var number: Int32 { -1 }
    package func follow(_ path: String) {}
    package func take() -> Bool { false }
  }
#endif
