internal import FuseDB

/// `fusedb watch`: says when a file is replaced.
struct Watch: Command {
  static let name = "watch"
  static let summary = "say when a file is replaced, and whether the new one may serve"
  static let operands = "FILE"
  static let options: [Option] = [
    .value("--check", "LEVEL", "how much of a file is checked: nothing, structure (by itself) or full"),
    .flag("--allow-empty", "let a file without keys take the place of one with some"),
    .value("--least-keys", "N", "refuse a file with fewer keys"),
    .value("--greatest-shrink", "PERCENT", "refuse a file that lacks more of the keys than so many in a hundred"),
    .value("--require", "KEY", "refuse a file without KEY; may be repeated", repeats: true),
    .value("--interval", "SECONDS", "how often to look where no event tells of a change; by itself, 2"),
    .flag("--poll", "look only, and use no file events"),
    .flag("--json", "print one JSON object a line, with an \"event\": serving, reloaded or refused"),
  ]
  static let help = """
    Opens FILE as a service does that reloads it, and prints a line when a new file takes its place, and when one is
    refused, once for each file. The last good one then serves on. It ends when it is interrupted.

    A new file may be renamed over FILE or copied over it; links and folders on the way to it may be replaced. With
    '--check structure' all checksums are compared, as by 'fusedb verify --checksums': a file that was cut, half copied or
    changed is refused; one that was written wrong is not, such as one with a key twice, or whose index calls a key absent
    that is there. With 'full' every key and object is looked at, as by 'fusedb verify', and that is refused too: for files
    from a writer that you don't trust. '--greatest-shrink' compares with the file that serves, in whose place a file
    without keys comes only with '--allow-empty'.

    Exit status, where FILE cannot serve from the start: 65 when it is damaged, no database or breaks one of the rules
    given, 66 when it cannot be read.

    Example:
      $ fusedb watch networks.fsdb
      2026-11-21T16:11:12Z serving networks.fsdb: generation 1, 3 keys, 512 bytes
      2026-11-21T17:00:03Z reloaded networks.fsdb: generation 2, 4 keys, 576 bytes
      2026-11-21T18:00:03Z refused networks.fsdb: cannot open the file: No such file or directory
    """

  var path: String
  var serving = ServingOptions()
  var watching = FuseWatcher.Options()
  var printsJSON: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    serving.rules.check =
      try arguments.choice(of: "--check", ["nothing": .nothing, "structure": .structure, "full": .full]) ?? .structure
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
    let store = try FuseReader.reading { () throws(FuseError) in try ReloadableReader(path: path, options: serving) }
    news.add(WatchNews(.serving, store.snapshot()))
    let watcher = try FuseWatcher(
      store, options: watching, onReload: { news.add(WatchNews(.reloaded, $0)) },
      onFailure: { news.add(WatchNews($0, path: path, generation: store.generation)) })
    defer { watcher.stop() }
    while true {
      for piece in try news.next(for: console.out) {
        try console.out.line { writer throws(FuseError) in
          if printsJSON { writer.append(members: piece.members) } else { writer.append(piece.text) }
        }
      }
      try console.out.flush()
    }
  }
}
