import Foundation

extension Workload {
  /// Writes the data as a table with tabs: a row for each key, with the key and the seven columns of its object.
  /// When this returns the file is durable, so that nothing of it is still being written while others are timed.
  func writeTable(to path: String) throws {
    guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
    else { throw PeerFailure("\(path) cannot be written") }
    var bytes = [UInt8]((["key"] + Record.columns).joined(separator: "\t").utf8)
    for i in 0..<keyCount {
      bytes.append(UInt8(ascii: "\n"))
      bytes += keys[i]
      bytes += cells[Int(objectOfKey[i])]
      guard bytes.count >= 1 << 20 else { continue }
      try file.write(contentsOf: bytes)
      bytes.removeAll(keepingCapacity: true)
    }
    bytes.append(UInt8(ascii: "\n"))
    try file.write(contentsOf: bytes)
    try file.synchronize()
    try file.close()
  }
}
