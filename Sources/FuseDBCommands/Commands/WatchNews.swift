internal import FuseDB
internal import FuseDBInput

/// One thing that `fusedb watch` has to say.
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
  /// Of the file that serves now.
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
    details = .error(error)
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
