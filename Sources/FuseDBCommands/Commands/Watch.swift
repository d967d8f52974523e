package import FuseDB
internal import FuseDBInput

/// `fusedb watch`: reports when a file is replaced.
struct Watch: Command {
  static let name = "watch"
  static let summary = "report when a file is replaced, and whether the new one may serve"
  static let operands = "FILE"
  static let isEnding = false
  static let options: [Option] = [
    .value(
      "--check", "LEVEL", choices: ["nothing", "structure", "full"],
      "how much to check: nothing, structure or full (default: structure)"),
    .flag("--allow-empty", "let a file without keys replace one with keys"),
    .value("--least-keys", "N", "refuse a file with fewer keys"),
    .value("--greatest-shrink", "PERCENT", "refuse a file that lacks more than PERCENT % of the keys"),
    .value("--require", "KEY", "refuse a file without KEY; may be repeated", repeats: true),
    .value("--interval", "SECONDS", "how often to look at the file where no event reports changes (default: 2)"),
    .flag("--poll", "look at the file only; use no file events"),
    .flag("--json", "print one JSON object a line, with an \"event\": serving, reloaded or refused"),
  ]
  static let help = """
    Opens FILE as a reloading service does. Prints a line when a new file
    replaces it, and a line, once for each file, when a new file is refused. The
    last good file then serves on. The command runs until it is interrupted.

    A new file may be renamed over FILE or copied over it; links and folders on
    the path may be replaced. '--check structure' compares all checksums, as
    'fusedb verify --checksums' does. It refuses a file that was cut short, half
    copied or changed, but not one that was written wrong, such as one with a
    repeated key or with an index that misses a key. '--check full' examines
    every key and object, as 'fusedb verify' does, and refuses those too: choose
    it for files from a writer that you don't trust. '--greatest-shrink'
    compares with the file that serves. A file without keys replaces one with
    keys only with '--allow-empty'.

    Exit status, where FILE cannot serve from the start: 65 when it is damaged,
    no database or breaks one of the rules given, 66 when it cannot be read.

    Example:
      $ fusedb watch networks.fsdb
      2026-11-21T16:11:12Z serving networks.fsdb: generation 1, 3 keys, 2.1 kB
      2026-11-21T17:00:03Z reloaded networks.fsdb: generation 2, 4 keys, 576 bytes
      2026-11-21T18:00:03Z refused networks.fsdb: cannot open the file: No such file or directory
    """

  var path: String
  var serving = ServingOptions()
  var watching = FuseWatcher.Options()
  var printsJSON: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    let check: VerificationLevel?? = try arguments.choice(
      of: "--check", ["nothing": nil, "structure": .checksums, "full": .full])
    serving.rules.check = check ?? .checksums
    serving.rules.allowsEmpty = arguments.has("--allow-empty")
    serving.rules.leastKeyCount = try arguments.count(of: "--least-keys") ?? 0
    serving.rules.greatestShrink = try arguments.number(of: "--greatest-shrink", in: 0...100).map { $0 / 100 }
    serving.rules.requiredKeys = arguments.values(of: "--require")
    watching.pollInterval = .seconds(try arguments.number(of: "--interval", in: 0.01...86_400) ?? 2)
    watching.usesFileEvents = !arguments.has("--poll")
    printsJSON = arguments.has("--json")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    console.willWait()
    let news = try NewsQueue<WatchNews>()
    let store = try open()
    news.add(WatchNews(.serving, store.snapshot()))
    let watcher = try FuseWatcher(
      store, options: watching, onReload: { news.add(WatchNews(.reloaded, $0)) },
      onFailure: { news.add(WatchNews($0, path: path, generation: store.generation)) })
    defer { watcher.stop() }
    while true {
      for piece in try news.next(for: console.out) {
        try console.out.line { writer throws(FuseError) in
          if printsJSON {
            writer.append(members: piece.members)
          } else {
            writer.append(EscapedText.harmless(piece.text))
          }
        }
      }
      try console.out.flush()
    }
  }

  private func open() throws(FuseError) -> ReloadableReader {
    do throws(FuseError) {
      return try FuseReader.reading { () throws(FuseError) in try ReloadableReader(path: path, options: serving) }
    } catch {
      throw error.withOptionNames
    }
  }
}

/// One event that `fusedb watch` prints.
struct WatchNews: Sendable {
  enum Event: String, Sendable {
    case serving, reloaded, refused
  }

  private enum Details: Sendable {
    case file(keyCount: Int, byteCount: Int, checksum: UInt32)
    case error(FuseError)
  }

  private let event: Event
  private let path: String
  /// The generation of the file that serves now.
  private let generation: Int
  private let details: Details
  private let time = WallClock.now

  /// A file serves.
  init(_ event: Event, _ reader: FuseReader) {
    self.event = event
    path = reader.path
    generation = reader.generation
    details = .file(keyCount: reader.keyCount, byteCount: reader.byteCount, checksum: reader.checksum)
  }

  /// A file was refused.
  init(_ error: FuseError, path: String, generation: Int) {
    event = .refused
    self.path = path
    self.generation = generation
    details = .error(error.withOptionNames)
  }

  /// For people: a line.
  var text: String {
    let start = "\(UTCTime.text(of: time)) \(event.rawValue) "
    switch details {
    case .file(let keyCount, let byteCount, _):
      let counts = "\(Humans.count(keyCount, "key")), \(Humans.size(byteCount))"
      return start + "\(path): generation \(generation), \(counts)"
    case .error(let error): return start + error.description
    }
  }

  /// For programs.
  var members: [(name: String, value: ReportValue)] {
    let all: [(name: String, value: ReportValue)] = [
      ("event", .text(event.rawValue)), ("time", .text(UTCTime.text(of: time))), ("path", .text(path)),
      ("generation", .count(generation)),
    ]
    switch details {
    case .file(let keyCount, let byteCount, let checksum):
      return all + [
        ("keys", .count(keyCount)), ("bytes", .count(byteCount)), ("checksum", .text(checksum.hexadecimal)),
      ]
    case .error(let error):
      let offset = error.offset.map { [(name: "offset", value: ReportValue.offset($0))] } ?? []
      return all + [("code", .text(error.code.rawValue)), ("message", .text(error.message))] + offset
    }
  }
}

/// Takes news from any thread to the one that prints them.
package final class NewsQueue<News: Sendable>: Sendable {
  private let waiting = Monitor<[News]>([])
  private let waker: Waker

  /// - Throws: ``FuseError`` with code `inputOutput` where the process has no descriptor left.
  package init() throws(FuseError) { waker = try Waker() }

  package func add(_ news: News) {
    waiting.change { $0.append(news) }
    waker.wake()
  }

  /// Waits for news, and takes all that there are.
  ///
  /// - Throws: as ``Output/wait(for:)``, so that this does not wait for news when the output is closed.
  package func next(for out: Output) throws(FuseError) -> [News] {
    try out.wait(for: waker)
    waker.reset()
    return waiting.change { waiting in
      defer { waiting = [] }
      return waiting
    }
  }
}
