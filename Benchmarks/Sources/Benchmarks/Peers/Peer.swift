/// Who is measured.
enum Subject: String, Codable, CaseIterable {
  case fuseDB = "FuseDB"
  case fuseDBSkipped = "FuseDB, checksums skipped"
  case reloadable = "ReloadableReader"
  case counting = "ReloadableReader, counting"
  case pool = "FusePool"
  case snapshots = "a snapshot a look-up"
  case tinyCDB = "tinycdb"
  case lmdb = "LMDB"
  case sqlite = "SQLite"
  case maxMind = "libmaxminddb"
  case maxMindPaths = "libmaxminddb, MMDB_aget_value"
  case msgpackC = "msgpack-c"
  case wheel = "fusedb 0.3.0 from Python"
  case pythonMsgpack = "msgpack from Python"
  case cReader = "C, same layout"
  case cReaderSkipped = "C, same layout, checksums skipped"
  case floor = "floor"
}

extension Subject {
  /// Whether the picture may show it.
  var isPictured: Bool { self != .cReader && self != .cReaderSkipped }

  /// Whether it is this library.
  var isOurs: Bool {
    switch self {
    case .fuseDB, .fuseDBSkipped, .reloadable, .counting, .pool, .snapshots: true
    case .tinyCDB, .lmdb, .sqlite, .maxMind, .maxMindPaths, .msgpackC, .wheel, .pythonMsgpack, .cReader,
      .cReaderSkipped, .floor:
      false
    }
  }
}

/// What is asked of an open database.
enum Job: Hashable {
  /// Look-ups of keys that are there, in random order.
  case hit
  /// Look-ups of keys that are not there.
  case miss
  /// Look-ups of keys that are there, so many in a call.
  case batch(Int)
  /// Look-ups of keys that are there, half of them by one thread and half by another at the same time.
  case twoThreads
  /// Look-ups of keys that are there, by one thread or two, while the file is swapped a hundred times a second.
  case swaps(threads: Int)
  /// A walk over all keys and objects.
  case scan
  /// Walks over the keys that begin with a prefix; an operation is one prefix.
  case prefix

  /// The name in results.
  var name: String {
    switch self {
    case .hit: "get-hit"
    case .miss: "get-miss"
    case .batch(let size): "get-batch-\(size)"
    case .twoThreads: "get-hit-two-threads"
    case .swaps(threads: 1): "get-hit-swaps"
    case .swaps: "get-hit-two-threads-swaps"
    case .scan: "scan"
    case .prefix: "prefix"
    }
  }
}

extension Job {
  /// How much is timed at once: threads are started once a turn, and swaps come every few milliseconds.
  var piece: TimedLoop.Piece {
    switch self {
    case .twoThreads, .swaps: .turn
    case .scan: .everything
    default: .slice
    }
  }
}

/// How long a job took.
struct Outcome {
  var nanoseconds: Double
  var found: Int
  /// The sum of what was touched, where the subject tells.
  var sum: UInt64?
}

/// A way to make database files and to open them.
protocol Peer: AnyObject {
  var subject: Subject { get }
  /// Makes the file from keys and objects in memory, in the order in which the workload has them. When this returns
  /// the file is durable. The time counts, also that of sorting where a peer wants its keys sorted.
  ///
  /// - Returns: nanoseconds.
  func build(_ workload: Workload, at path: String) throws -> Double
  /// Opens the file until the first key can be asked.
  func open(_ path: String, _ workload: Workload) throws -> any Database
  /// How long opening takes, in nanoseconds. Closing is not counted.
  func measureOpen(_ path: String, _ workload: Workload) throws -> Double
  /// How many bytes of private memory an open file takes.
  func measureMemory(_ path: String, _ workload: Workload) throws -> Int
  /// How long checking the whole file takes, in nanoseconds; nil where there is no such thing.
  func verify(_ path: String) throws -> Double?
}

extension Peer {
  func measureOpen(_ path: String, _ workload: Workload) throws -> Double {
    var database: (any Database)?
    let nanoseconds = try timed { database = try open(path, workload) }
    return withExtendedLifetime(database) { nanoseconds }
  }

  func measureMemory(_ path: String, _ workload: Workload) throws -> Int {
    let before = try privateMemory()
    let database = try open(path, workload)
    let after = try privateMemory()
    return withExtendedLifetime(database) { max(0, after - before) }
  }

  func verify(_ path: String) throws -> Double? { nil }
}

/// An open database.
protocol Database: AnyObject {
  /// Asks for every key of the workload's questions and compares each answer with what it must be.
  func check(_ workload: Workload) throws
  /// Does a job for the questions in `range`; nil where the database has no such thing.
  func run(_ job: Job, _ range: Range<Int>, _ workload: Workload) throws -> Outcome?
}

/// A subject gave a wrong answer, so that its times mean nothing.
struct WrongAnswer: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}

/// A call of a library failed.
struct PeerFailure: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}
