internal import FuseDB
internal import FuseDBCommands
internal import FuseDBInput
internal import Synchronization

/// One event that `fusedb serve` prints.
struct ServeEvent: Sendable {
  var kind: String
  var name: String?
  var path: String?
  var generation = 0
  var keyCount: Int?
  var byteCount: Int?
  var error: FuseError?
  var url: String?
  var time = WallClock.now

  init(kind: String, url: String? = nil) {
    self.kind = kind
    self.url = url
  }

  /// A file serves.
  init(kind: String, name: String, _ reader: FuseReader) {
    self.kind = kind
    self.name = name
    path = reader.path
    generation = reader.generation
    keyCount = reader.keyCount
    byteCount = reader.byteCount
  }

  /// A file was refused, or is not there.
  init(kind: String, name: String, path: String, generation: Int, _ error: FuseError) {
    self.kind = kind
    self.name = name
    self.path = path
    self.generation = generation
    self.error = error
  }

  func print(to console: Console, _ printsJSON: Bool) throws(FuseError) {
    guard printsJSON else {
      var text = url ?? error?.description ?? path ?? ""
      if let keyCount, let byteCount {
        text += ": generation \(generation), \(Humans.count(keyCount, "key")), \(Humans.size(byteCount))"
      }
      try console.out.sentence("\(UTCTime.text(of: time)) \(kind)\(text.isEmpty ? "" : " ")\(text)")
      return
    }
    var members: [(name: String, value: ReportValue)] = [
      ("event", .text(kind)), ("time", .text(UTCTime.text(of: time))),
    ]
    if let url { members.append(("url", .text(url))) }
    if let name { members.append(("name", .text(name))) }
    if let path { members.append(("path", .text(path))) }
    if generation > 0 { members.append(("generation", .count(generation))) }
    if let keyCount { members.append(("keys", .count(keyCount))) }
    if let byteCount { members.append(("bytes", .count(byteCount))) }
    if let error { members += [("code", .text(error.code.rawValue)), ("message", .text(error.message))] }
    try console.out.line { writer throws(FuseError) in writer.append(members: members) }
  }
}

/// Takes events from any thread to the one that prints them.
final class EventQueue: Sendable {
  private let waiting = Mutex<[ServeEvent]>([])

  func add(_ event: ServeEvent) { waiting.withLock { $0.append(event) } }

  func take() -> [ServeEvent] {
    waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
  }
}
