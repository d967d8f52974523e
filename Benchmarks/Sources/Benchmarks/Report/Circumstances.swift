import CLMDB
import CSQLite
import CTinyCDB
import Foundation

/// Where and how a run was made.
struct Circumstances: Codable {
  var processor: String
  var processors: Int
  var memoryGigabytes: Int
  var system: String
  var kernel: String
  var swift: String
  var optimization: String
  var versions: [String: String]
  var seed: UInt64
  var rounds: Int
  /// Programs that wanted a processor, on average over the minute before the end, this one included.
  var load: Double
  /// How quiet the machine was; nil in results from before that was looked at.
  var quiet: Quiet?

  /// The peers that are databases.
  static let storeVersions = [
    "LMDB": "\(MDB_VERSION_MAJOR).\(MDB_VERSION_MINOR).\(MDB_VERSION_PATCH)", "SQLite": SQLITE_VERSION,
    "tinycdb": String(TINYCDB_VERSION),
  ]

  /// The peers whose values are read.
  static let valueVersions = ["libmaxminddb": MaxMindDatabase.version, "msgpack-c": MsgpackTree.version]

  static func here(_ plan: Plan, versions: [String: String]) throws -> Circumstances {
    var name = utsname()
    uname(&name)
    let kernel = withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return Circumstances(
      processor: field("model name", of: "/proc/cpuinfo", separator: ":"),
      processors: ProcessInfo.processInfo.activeProcessorCount,
      memoryGigabytes: Int((Double(ProcessInfo.processInfo.physicalMemory) / 1e9).rounded()),
      system: field("PRETTY_NAME", of: "/etc/os-release", separator: "=").replacing("\"", with: ""),
      kernel: kernel,
      swift: try swiftVersion(),
      optimization: optimization,
      versions: versions,
      seed: Workload.seed,
      rounds: plan.rounds,
      load: load)
  }

  /// Programs that want a processor, on average over the last minute.
  static var load: Double { Double(field("", of: "/proc/loadavg", separator: "").prefix { $0 != " " }) ?? 0 }

  private static var optimization: String {
    #if DEBUG
      "none (debug build: the times mean nothing)"
    #else
      "release"
    #endif
  }

  /// What follows `name` and the separator in the first line of a file that begins so.
  private static func field(_ name: String, of path: String, separator: String) -> String {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return "unknown" }
    guard let place = line.range(of: separator), !separator.isEmpty else { return String(line) }
    return line[place.upperBound...].trimmingCharacters(in: .whitespaces)
  }

  private static func swiftVersion() throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["swift", "--version"]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.firstMatch(of: /Swift version ([0-9.]+)/).map { String($0.output.1) } ?? "unknown"
  }
}
