import Glibc

import FuseDB

/// What the system says of the memory that holds a file's bytes.
struct MemoryUse {
  private(set) var residentByteCount = 0
  private(set) var lockedByteCount = 0
  /// The flags that all its areas have, as the system's smaps abbreviates them: "rr" reads no pages ahead, "lo" is locked.
  private(set) var flags: Set<Substring> = []

  static func of(_ mapping: FileMapping) throws -> MemoryUse {
    // SAFETY: the address is a number here, nothing is read at it.
    let start = unsafe mapping.bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    var use = MemoryUse()
    var areaCount = 0
    var isInside = false
    for line in String(decoding: procFile("smaps"), as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      if !words[0].hasSuffix(":") {
        let bounds = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
        isInside = bounds[0] < start + UInt(mapping.byteCount) && bounds[1] > start
      } else if isInside {
        switch words[0] {
        case "Rss:": use.residentByteCount += 1024 * (Int(words[1]) ?? 0)
        case "Locked:": use.lockedByteCount += 1024 * (Int(words[1]) ?? 0)
        case "VmFlags:":
          use.flags = areaCount == 0 ? Set(words.dropFirst()) : use.flags.intersection(words.dropFirst())
          areaCount += 1
        default: break
        }
      }
    }
    return use
  }

  /// How much data this process has, on the heap and beside it.
  static var dataByteCount: Int {
    let status = String(decoding: procFile("status"), as: UTF8.self)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmData:") }
    return 1024 * (line?.split { " \t".contains($0) }.dropFirst().first.flatMap { Int($0) } ?? 0)
  }

  /// Allows so many bytes of data beside those that there are; for a process that soon ends.
  static func limitData(toMore byteCount: Int) {
    let most = rlim_t(dataByteCount + byteCount)
    // SAFETY: the call reads the structure it is given.
    unsafe withUnsafePointer(to: rlimit(rlim_cur: most, rlim_max: .max)) {
      _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), $0)
    }
  }
}

/// All of a file that the system keeps on this process. Such files come in small portions, and what reads a file in one
/// piece, `Data(contentsOf:)` among them, takes the first for all.
func procFile(_ name: String) -> [UInt8] {
  let descriptor = unsafe open("/proc/thread-self/" + name, O_RDONLY)
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var portion = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = unsafe read(descriptor, &portion, portion.count)
    guard count > 0 else { return bytes }
    bytes += portion[..<count]
  }
}

extension FileMapping {
  /// The file's length in whole pages.
  var pagesByteCount: Int { (byteCount + 4095) / 4096 * 4096 }
}
