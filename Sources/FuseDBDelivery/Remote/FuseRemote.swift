public import FuseDBFormat
internal import FuseDBSystem

/// Where versions of databases are: a folder, or a web server that hands out the files of one. See spec/delivery.md §3.
///
///     let remote = try FuseRemote("https://data.example.com/fuse")
///     let folder = try FuseRemote("/srv/fuse")
///
/// It is a value: it holds what it was made of, and no connection. Any thread may use it.
public struct FuseRemote: Sendable, CustomStringConvertible {
  /// How a transfer over HTTP goes.
  public struct Options: Sendable {
    /// How long a connection may take to be made.
    public var connectTimeout = Duration.seconds(10)
    /// How long no byte may come before a transfer is given up.
    public var stallTimeout = Duration.seconds(30)
    /// How long a transfer may take in all; nil for any time.
    public var deadline: Duration? = .seconds(3600)
    /// How many bytes a second may come at most; nil for any number.
    public var greatestRate: Int?
    /// How often a transfer that failed is tried again, after a random time that doubles at most, from a second on.
    public var retryCount = 4
    /// The longest time between two attempts, also where a server asks for a longer one.
    public var longestPause = Duration.seconds(60)

    /// The default options.
    public init() {}
  }

  enum Place: Sendable {
    case folder(String)
    case web(String)
  }

  let place: Place
  let options: Options

  /// A remote at the path of a folder, or at a URL that begins with `http://` or `https://`.
  ///
  /// - Throws: ``FuseError`` with code `invalidArgument` where it is neither.
  public init(_ location: String, options: Options = Options()) throws(FuseError) {
    self.options = options
    let location = location.last == "/" && location.utf8.count > 1 ? String(location.dropLast()) : location
    if location.hasPrefix("http://") || location.hasPrefix("https://") {
      guard location.utf8.allSatisfy({ (0x21...0x7E) ~= $0 }), !location.utf8.contains(UInt8(ascii: "?")),
        !location.utf8.contains(UInt8(ascii: "#"))
      else {
        throw FuseError(
          .invalidArgument,
          "'\(EscapedText.harmless(location))' is no URL of a remote: it has to be ASCII without '?' and '#'")
      }
      place = .web(location)
    } else {
      guard !location.isEmpty, location.range(of: "://") == nil else {
        throw FuseError(
          .invalidArgument,
          "'\(EscapedText.harmless(location))' is no remote: it has to be the path of a folder, or begin with http:// or https://"
        )
      }
      place = .folder(location)
    }
  }

  /// The path or the URL, without a password.
  public var description: String {
    switch place {
    case .folder(let path): path
    case .web(let url): Self.shown(url)
    }
  }

  /// A URL without a password.
  static func shown(_ url: String) -> String {
    let scheme = url.hasPrefix("https://") ? "https://" : "http://"
    let rest = url.dropFirst(scheme.utf8.count)
    guard let at = rest.prefix(while: { $0 != "/" }).lastIndex(of: "@") else { return url }
    return scheme + rest[rest.index(after: at)...]
  }

  /// What errors call a file of the remote.
  func path(of name: String) -> String { "\(self)/\(name)" }
}

extension String {
  /// Where a text begins in this one, if it does.
  fileprivate func range(of text: String) -> Range<Int>? {
    let (bytes, wanted) = (Array(utf8), Array(text.utf8))
    guard bytes.count >= wanted.count else { return nil }
    for start in 0...(bytes.count - wanted.count) where bytes[start..<start + wanted.count].elementsEqual(wanted) {
      return start..<start + wanted.count
    }
    return nil
  }
}

/// Takes files from a remote, and counts what that costs. One thread at a time.
final class RemoteSession {
  /// What came of asking for a document.
  enum Document {
    /// Its bytes, and what tells it from later ones; empty where the remote says nothing.
    case bytes([UInt8], tag: String)
    /// It has the tag that was given.
    case notModified
  }

  let remote: FuseRemote
  private let web: WebTransfers?
  /// How many requests were made, and how many bytes came and went, heads included.
  private(set) var requestCount = 0
  private(set) var byteCount = 0

  init(_ remote: FuseRemote) throws(FuseError) {
    self.remote = remote
    if case .web(let url) = remote.place { web = try WebTransfers(url, remote.options) } else { web = nil }
  }

  /// A small file.
  ///
  /// - Parameters:
  ///   - name: below the remote: `refs/geo`.
  ///   - most: how many bytes it may have.
  ///   - tag: of the one that is known already.
  /// - Throws: ``FuseError`` with code `notFound`, `unavailable` or `limitExceeded`.
  func document(_ name: String, most: Int, tag: String = "") throws(FuseError) -> Document {
    switch remote.place {
    case .folder(let folder):
      count(0)
      let bytes = try SmallFile.bytes(at: "\(folder)/\(name)", most: most)
      count(bytes.count, requests: 0)
      return .bytes(bytes, tag: "")
    case .web:
      let sink = MemorySink()
      let answer = try web!.get(name, most: most, tag: tag, from: 0, into: sink, counting: count)
      return answer.isNotModified ? .notModified : .bytes(sink.bytes, tag: answer.tag)
    }
  }

  /// Brings a blob into a file, which may have the first of its bytes from before.
  ///
  /// - Throws: ``FuseError`` with code `notFound`, `unavailable`, or `corrupted` where it has another length or digest. [Z17]
  func blob(
    _ blob: Manifest.Blob, into part: PartFile, progress: ((_ byteCount: Int) -> Void)? = nil
  ) throws(FuseError) -> FileMapping {
    let name = "blobs/\(blob.digest)"
    if part.byteCount > blob.byteCount { try part.clear() }
    for isAgain in [false, true] {
      if part.byteCount < blob.byteCount {
        switch remote.place {
        case .folder(let folder):
          try copy("\(folder)/\(name)", into: part, most: blob.byteCount, progress)
        case .web:
          let sink = PartSink(part, progress)
          _ = try web!.get(name, most: blob.byteCount, tag: "", from: part.byteCount, into: sink, counting: count)
        }
      }
      guard part.byteCount == blob.byteCount else {
        let found = part.byteCount
        try part.clear()
        throw FuseError(
          .corrupted, "the file has \(found) bytes, and its manifest says \(blob.byteCount)",
          path: remote.path(of: name))
      }
      let file = try part.mapped()
      if try FuseDigest.of(file) == blob.digest { return file }
      // What was there from before may be of no use.
      try part.clear()
      if isAgain { break }
    }
    throw FuseError(.corrupted, "the file's SHA-256 is another than its name says", path: remote.path(of: name))
  }

  private func count(_ byteCount: Int, requests: Int = 1) {
    requestCount += requests
    self.byteCount += byteCount
  }

  private func copy(
    _ path: String, into part: PartFile, most: Int, _ progress: ((Int) -> Void)?
  ) throws(FuseError) {
    count(0)
    let file = try InputDescriptor(PinnedPath(path))
    try part.clear()
    var bytes: [UInt8] = []
    while true {
      try Cancellation.check()
      bytes.removeAll(keepingCapacity: true)
      try file.append(1 << 20, at: part.byteCount, to: &bytes)
      guard !bytes.isEmpty, part.byteCount + bytes.count <= most else { break }
      try part.append(bytes.rawSpan)
      count(bytes.count, requests: 0)
      progress?(part.byteCount)
    }
  }
}

/// Takes the bytes of an answer.
protocol TransferSink: AnyObject {
  /// How many bytes there are.
  var byteCount: Int { get }
  func take(_ bytes: RawSpan) throws(FuseError)
  /// What came before is not the beginning of what comes.
  func beginAnew() throws(FuseError)
}

private final class MemorySink: TransferSink {
  private(set) var bytes: [UInt8] = []
  var byteCount: Int { bytes.count }
  func take(_ bytes: RawSpan) { self.bytes += bytes.array() }
  func beginAnew() { bytes = [] }
}

private final class PartSink: TransferSink {
  private let part: PartFile
  private let progress: ((Int) -> Void)?
  var byteCount: Int { part.byteCount }

  init(_ part: PartFile, _ progress: ((Int) -> Void)?) {
    self.part = part
    self.progress = progress
  }

  func take(_ bytes: RawSpan) throws(FuseError) {
    try part.append(bytes)
    progress?(part.byteCount)
  }

  func beginAnew() throws(FuseError) { try part.clear() }
}
