import Foundation

/// The Python package `fusedb`, in a child process that runs `wheel.py` and takes its own times. What it looks up goes
/// through the interpreter.
final class WheelPeer: Peer {
  private let child: LineProcess
  /// Where questions and data lie for the child.
  let folder: String

  init(python: String, script: String, folder: String) throws {
    self.folder = folder
    child = try LineProcess([python, "-B", script])
  }

  var subject: Subject { .wheel }

  func versions() throws -> [String: String] {
    try JSONDecoder().decode([String: String].self, from: child.ask(request("versions")))
  }

  /// Writes the workload where the child finds it.
  func hand(over workload: Workload) throws {
    try write(workload.keys, "keys")
    try write(workload.objects, "objects")
    try write(workload.hits, "hits")
    try write(workload.misses, "misses")
    try write(workload.prefixes, "prefixes")
    try workload.objectOfKey.withUnsafeBytes { try write($0, "object-of-key") }
    try workload.keyOfHit.withUnsafeBytes { try write($0, "key-of-hit") }
  }

  func build(_ workload: Workload, at path: String) throws -> Double { try time(ask("build", folder, path)) }

  /// Makes one file of several.
  ///
  /// - Returns: nanoseconds.
  func merge(_ output: String, of inputs: [String]) throws -> Double { try time(ask("merge", inputs, output)) }

  func measureOpen(_ path: String, _ workload: Workload) throws -> Double { try time(ask("open", path)) }

  func measureMemory(_ path: String, _ workload: Workload) throws -> Int {
    max(0, try ask("measure_memory", path).bytes ?? 0)
  }

  func open(_ path: String, _ workload: Workload) throws -> any Database {
    _ = try ask("open", path)
    _ = try ask("load", folder)
    return WheelDatabase(self)
  }

  func verify(_ path: String) throws -> Double? { try time(ask("verify", path)) }

  func write(_ list: ByteList, _ name: String) throws {
    try write(list.content.bytes, name + ".bytes")
    try write(list.content.offsets, name + ".offsets")
  }

  func write(_ bytes: UnsafeRawBufferPointer, _ name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: folder).appendingPathComponent(name))
  }

  private func time(_ answer: Answer) throws -> Double {
    guard let nanoseconds = answer.nanoseconds else { throw PeerFailure("wheel.py gave no time") }
    return nanoseconds
  }

  struct Answer: Decodable {
    var nanoseconds: Double?
    var found: Int?
    var bytes: Int?
    var wrong: String?
    var failed: String?
  }

  func ask(_ arguments: any Encodable & Sendable...) throws -> Answer {
    let answer = try JSONDecoder().decode(Answer.self, from: child.ask(request(arguments)))
    if let failed = answer.failed { throw PeerFailure("wheel.py: \(failed)") }
    if let wrong = answer.wrong { throw WrongAnswer("fusedb 0.3.0 has not the right object under \(wrong)") }
    return answer
  }

  private func request(_ arguments: any Encodable & Sendable...) throws -> String { try request(arguments) }

  private func request(_ arguments: [any Encodable & Sendable]) throws -> String {
    String(
      decoding: try JSONSerialization.data(withJSONObject: arguments, options: .withoutEscapingSlashes), as: UTF8.self)
  }
}

/// The reader that is open in the child.
final class WheelDatabase: Database {
  private let peer: WheelPeer

  init(_ peer: WheelPeer) { self.peer = peer }

  func check(_ workload: Workload) throws { _ = try peer.ask("check") }

  func run(_ job: Job, _ range: Range<Int>, _ workload: Workload) throws -> Outcome? {
    let answer =
      switch job {
      case .hit: try peer.ask("get", "hits", range.lowerBound, range.upperBound)
      case .miss: try peer.ask("get", "misses", range.lowerBound, range.upperBound)
      case .scan: try peer.ask("scan")
      case .prefix: try peer.ask("prefix", range.lowerBound, range.upperBound)
      // No batches; and one interpreter runs one thread at a time.
      case .batch, .twoThreads, .swaps: WheelPeer.Answer()
      }
    guard let nanoseconds = answer.nanoseconds, let found = answer.found else { return nil }
    return Outcome(nanoseconds: nanoseconds, found: found)
  }
}
