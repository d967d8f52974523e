internal import CFuseSystem
internal import FuseDBFormat
internal import FuseDBLibc
internal import Synchronization

/// How much memory there is, and how much this process takes.
package enum MachineMemory {
  /// How many bytes this process may take without pushing others out: what the system says is available, or less where a
  /// control group or a limit of the process (`ulimit -v`, `ulimit -d`) allows less.
  package static var availableByteCount: Int {
    // Where the system does not say what is available, half of what there is.
    let system =
      number(in: "/proc/meminfo", after: "MemAvailable:").map { $0 * 1024 } ?? Int(clamping: fuse_memory_size() / 2)
    let limits = [("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current")] + ownGroups
    let allowed = limits.compactMap { limit, used -> Int? in
      // "max", and in version 1 a number beyond all memory, say that there is no limit.
      number(in: limit).map { max(0, $0 - (number(in: used) ?? 0)) }
    }
    return min(system, allowed.min() ?? Int.max, ownLimit ?? Int.max, 1 << 46)
  }

  /// How many bytes the process's own limits leave it.
  private static var ownLimit: Int? {
    let limited = [(FUSE_LIMITED_ADDRESSES, "VmSize:"), (FUSE_LIMITED_DATA, "VmData:")]
    let limits = limited.compactMap { what, name -> Int? in
      guard let limit = Int(exactly: fuse_limit(what)) else { return nil }
      let used = number(in: "/proc/self/status", after: name).map { $0 * 1024 } ?? 0
      return max(0, limit - used)
    }
    return limits.min()
  }

  /// Files with the limit and the use of the control groups that this process is in.
  private static var ownGroups: [(limit: String, used: String)] {
    guard let groups = text(of: "/proc/self/cgroup") else { return [] }
    return groups.split(separator: "\n").flatMap { line -> [(limit: String, used: String)] in
      // Number, controllers, path; version 2 has no controllers.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return [] }
      if parts[1].isEmpty {
        let folder = "/sys/fs/cgroup" + (parts[2] == "/" ? "" : String(parts[2]))
        return [(folder + "/memory.max", folder + "/memory.current")]
      }
      guard parts[1].split(separator: ",").contains("memory") else { return [] }
      // In a container the group's own folder is the root.
      return ["", parts[2] == "/" ? "" : String(parts[2])].map { path in
        let folder = "/sys/fs/cgroup/memory" + path
        return (folder + "/memory.limit_in_bytes", folder + "/memory.usage_in_bytes")
      }
    }
  }

  /// How many bytes of this process are in memory now.
  package static var residentByteCount: Int? { number(in: "/proc/self/status", after: "VmRSS:").map { $0 * 1024 } }

  /// How many there were at most.
  package static var peakByteCount: Int? { number(in: "/proc/self/status", after: "VmHWM:").map { $0 * 1024 } }

  /// The first number in a file, or on the line that begins with `name`.
  static func number(in path: String, after name: String = "") -> Int? {
    guard let text = text(of: path) else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix(name) {
      let digits = line.dropFirst(name.count).drop { $0 == " " || $0 == "\t" }.prefix { $0.isNumber }
      return Int(digits)
    }
    return nil
  }

  /// The text of a small file that the system makes up.
  private static func text(of path: String) -> String? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 14)
    // SAFETY: read writes at most as many bytes as the array has.
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
      retrying { unsafe read(descriptor, bytes.baseAddress, bytes.count) }
    }
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }
}

/// How much memory several threads may still take together.
package final class MemoryAllowance: Sendable {
  private let left: Atomic<Int>

  /// - Parameter byteCount: how many bytes may be taken.
  package init(_ byteCount: Int) { left = Atomic(byteCount) }

  /// Takes `byteCount` bytes; false when there are not so many left.
  package func reserve(_ byteCount: Int) -> Bool {
    guard left.wrappingSubtract(byteCount, ordering: .relaxed).newValue >= 0 else {
      release(byteCount)
      return false
    }
    return true
  }

  /// Gives bytes back.
  package func release(_ byteCount: Int) { left.wrappingAdd(byteCount, ordering: .relaxed) }
}
