internal import FuseDB
internal import FuseDBInput

/// `fusedb serve`: answers over HTTP. It is done by a program of its own, `fusedb-serve`, since it links libmicrohttpd.
/// See spec/serve.md and spec/decisions/0045-serve.md.
package struct Serve: HelpedCommand {
  static let helper = Helper.serve
  static let name = "serve"
  static let summary = "answer look-ups over HTTP, with pages to look at"
  static let operands = "FILE..."
  static let isEnding = false
  static let options: [Option] = [
    .value(
      "--listen", "ADDRESS:PORT",
      "where to listen: a numeric address, and 0 for a free port (default: 127.0.0.1:8080)"),
    .value("--unix", "SOCKET", "listen at this path as well, or alone where --listen is not given"),
    .value("--mode", "MODE", "the rights of SOCKET, in octal digits (default: 600)"),
    .flag("--public", "listen at an address that others reach, without --token-file"),
    .value("--host", "HOST", "a name of this server in requests; may be repeated (localhost is one)", repeats: true),
    .value("--token-file", "INPUT", "ask for one of the tokens in INPUT, one a line, in every request"),
    .value("--threads", "N", "how many threads answer (default: one for each processor)"),
    .value("--max-connections", "N", "how many connections may be open; then idle ones are closed (default: 16384)"),
    .value("--max-head", "SIZE", "how long a request's head may be, with its address (default: 16K)"),
    .value("--max-body", "SIZE", "how long its body may be (default: 4M)"),
    .value("--max-keys", "N", "how many keys a request may ask for or be given (default: 10000)"),
    .value("--timeout", "TIME", "how long to wait for a request, and for its body (default: 30s)"),
    .value("--max-age", "TIME", "how long clients may keep an answer without asking (default: they ask each time)"),
    .value("--stale-after", "TIME", "let /readyz fail when the data are older than this (default: never)"),
    .value("--keep", "N", "how many replaced files stay open to go back to (default: 1)"),
    .value("--access-log", "OUTPUT", "append a line of JSON for each request to OUTPUT; - is standard output"),
    .flag("--json", "print one JSON object for each event"),
  ]
  static let help = """
    Serves each FILE under its name without the ending, or as NAME=FILE says.
    Open http://127.0.0.1:8080/ in a browser, or ask:

      GET  /v1/NAME/get?key=KEY      the value under a key
      GET  /v1/NAME/keys/KEY         the same
      POST /v1/NAME/get              many keys: a JSON array, or a key a line
      GET  /v1/NAME/prefix?prefix=P  keys that begin with P, page by page
      GET  /v1/NAME/stats, aliases, diff; /v1/ lists the names
      GET  /metrics, /healthz, /readyz, /openapi.json

    &match=network, domain, email or prefix finds the key that covers the one
    asked for; &field=PATH answers with a part of the value. 'Accept:
    application/msgpack' gets the value as it is stored.

    A file that changes is taken when it is sound; until then the old one
    answers. A file that is not there yet is waited for: its addresses answer
    503. SIGTERM ends the server when requests are answered, after 10 seconds at
    the latest.

    Without --token-file only this machine can ask; --public says that others
    may. There is no TLS: put nginx or another proxy in front for that.

    Example:
      $ fusedb serve networks.fsdb
      2026-11-29T16:11:12Z serving networks.fsdb: generation 1, 3 keys, 2.1 kB
      2026-11-29T16:11:12Z listening http://127.0.0.1:8080/
      $ curl 'http://127.0.0.1:8080/v1/networks/get?key=8.8.8.8&match=network'
      {"key":"8.8.8.8","match":"8.8.8.0/24","value":{"asn":15169,"org":"Google LLC"}}
    """

  /// A file, and the name that it has in addresses.
  package struct File: Sendable {
    package var name: String
    package var path: String
  }

  package var files: [File] = []
  package var address: ListenAddress?
  package var socketPath: String?
  package var socketMode = 0o600
  package var hosts: [String]
  package var tokenPath: String?
  package var threadCount: Int?
  package var connectionLimit: Int
  package var headLimit: Int
  package var bodyLimit: Int
  package var keyLimit: Int
  package var timeout: Int
  package var greatestAge: Int?
  package var staleAfter: Double?
  package var keptFileCount: Int
  package var logPath: String?
  package var printsJSON: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    let isPublic = arguments.has("--public")
    tokenPath = try arguments.path(of: "--token-file", "INPUT")
    socketPath = try arguments.path(of: "--unix", "SOCKET")
    if let word = arguments.text(of: "--mode") {
      guard socketPath != nil else { throw arguments.error("--mode is for --unix") }
      guard let mode = Int(word, radix: 8), (0...0o777).contains(mode), word.utf8.first != UInt8(ascii: "+") else {
        throw arguments.error("--mode takes octal digits such as 660, and not '\(word)'")
      }
      socketMode = mode
    }
    hosts = arguments.values(of: "--host").map { String(decoding: $0, as: UTF8.self).lowercased() }
    for host in hosts where host.isEmpty || host.utf8.contains(where: { !Self.isOfHost($0) }) {
      throw arguments.error("--host takes a name alone, such as data.example.com, and got '\(host)'")
    }
    threadCount = try arguments.count(of: "--threads", in: 1...256)
    connectionLimit = try arguments.count(of: "--max-connections", in: 1...1_000_000) ?? 16_384
    headLimit = try Self.size(of: "--max-head", in: 2048...(16 << 20), arguments) ?? 16 << 10
    bodyLimit = try Self.size(of: "--max-body", in: 0...(1 << 30), arguments) ?? 4 << 20
    keyLimit = try arguments.count(of: "--max-keys", in: 1...10_000_000) ?? 10_000
    timeout = Int(max(1, try arguments.seconds(of: "--timeout") ?? 30).rounded(.up))
    guard timeout <= 86_400 else { throw arguments.error("--timeout is at most 1d") }
    greatestAge = try arguments.seconds(of: "--max-age").map { Int($0) }
    staleAfter = try arguments.seconds(of: "--stale-after")
    keptFileCount = try arguments.count(of: "--keep", in: 0...1000) ?? 1
    logPath = try arguments.path(of: "--access-log", "OUTPUT")
    printsJSON = arguments.has("--json")
    if let word = arguments.text(of: "--listen") {
      guard let address = ListenAddress(word) else {
        throw arguments.error(
          "--listen takes a numeric address and a port, such as 127.0.0.1:8080 or [::1]:8080, and got '\(word)'")
      }
      guard isPublic || tokenPath != nil || address.isLoopback else {
        throw arguments.error(
          """
          others reach \(word); let --token-file say what they have to know, or --public that all of them may ask
          """)
      }
      self.address = address
    } else if socketPath == nil {
      address = ListenAddress(host: "127.0.0.1", port: 8080)
    }
    files = try Self.files(try [arguments.path("FILE")] + arguments.remainingPaths("FILE"), arguments)
  }

  var request: Serve { self }

  private static func size(
    of option: String, in range: ClosedRange<Int>, _ arguments: borrowing Arguments
  ) throws(UsageError) -> Int? {
    guard let size = try arguments.size(of: option) else { return nil }
    guard range.contains(size) else {
      throw arguments.error("\(option) is from \(range.lowerBound) to \(range.upperBound) bytes, and not \(size)")
    }
    return size
  }

  /// What the operands name: `NAME=FILE`, or a file that is served under its name without the ending.
  private static func files(
    _ words: [String], _ arguments: borrowing Arguments
  ) throws(UsageError) -> [File] {
    var files: [File] = []
    for word in words {
      let bytes = Array(word.utf8)
      var file: File
      if let equals = bytes.firstIndex(of: UInt8(ascii: "=")), isName(bytes[..<equals]) {
        file = File(
          name: String(decoding: bytes[..<equals], as: UTF8.self),
          path: String(decoding: bytes[(equals + 1)...], as: UTF8.self))
      } else {
        var name = bytes[(bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0)...]
        if name.count > 5, name.suffix(5).elementsEqual(".fsdb".utf8) { name = name.dropLast(5) }
        guard isName(name) else {
          throw arguments.error(
            "'\(word)' makes no name for addresses; give it one of letters, digits, '.', '_' and '-', as in geo=\(word)"
          )
        }
        file = File(name: String(decoding: name, as: UTF8.self), path: word)
      }
      guard !file.path.isEmpty else { throw arguments.error("'\(word)' names no file after the '='") }
      guard !files.contains(where: { $0.name == file.name }) else {
        throw arguments.error("two files have the name '\(file.name)'; give one another, as in other=\(file.path)")
      }
      files.append(file)
    }
    return files
  }

  /// Whether a byte is one of a host's name: no port, path or user is one.
  private static func isOfHost(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
      UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, first != UInt8(ascii: ".") else { return false }
    return bytes.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
  }
}
