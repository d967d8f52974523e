import Foundation

/// The Python packages `fusedb` and `msgpack`, in a child process that runs `values.py` and takes its own times.
final class PythonValues {
  private let child: WheelPeer

  init(python: String, script: String, folder: String) throws {
    child = try WheelPeer(python: python, script: script, folder: folder)
  }

  func versions() throws -> [String: String] { try child.versions() }

  /// Writes the objects under their networks into a file for libmaxminddb.
  func writeMaxMind(_ path: String, _ workload: ValueWorkload) throws {
    try child.write(workload.keys, "keys")
    try child.write(workload.objects, "objects")
    try workload.objectOfKey.withUnsafeBytes { try child.write($0, "object-of-key") }
    _ = try child.ask("write_mmdb", child.folder, path)
  }

  /// Opens a file of FuseDB and compares every answer.
  ///
  /// - Precondition: ``writeMaxMind(_:_:)`` has handed the objects over.
  func open(_ path: String, _ workload: ValueWorkload) throws {
    try child.write(workload.hits, "hits")
    try workload.objectOfHit.withUnsafeBytes { try child.write($0, "object-of-hit") }
    _ = try child.ask("load", child.folder, path)
    _ = try child.ask("check")
  }

  func loops() -> [ValueLoop] {
    func loop(_ subject: Subject, _ wanted: Wanted, start: Start, _ job: String) -> ValueLoop {
      ValueLoop(subject: subject, wanted: wanted, start: start) { range in
        let answer = try self.child.ask(job, range.lowerBound, range.upperBound)
        guard let nanoseconds = answer.nanoseconds, let found = answer.found else {
          throw PeerFailure("values.py gave no time")
        }
        return Outcome(nanoseconds: nanoseconds, found: found)
      }
    }
    return [
      loop(.wheel, .text, start: .key, "get_text"), loop(.wheel, .value, start: .key, "get_value"),
      loop(.pythonMsgpack, .value, start: .found, "value"),
    ]
  }
}
