import CMalloc
import Foundation

/// Bytes of this process's memory that belong to no file, after what is free was given back to the system.
func privateMemory() throws -> Int {
  malloc_trim(0)
  let summary = try String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)
  for line in summary.split(separator: "\n") where line.hasPrefix("Anonymous:") {
    if let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) { return kilobytes * 1024 }
  }
  throw PeerFailure("/proc/self/smaps_rollup has no line \"Anonymous:\"")
}
