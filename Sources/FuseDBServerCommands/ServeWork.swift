internal import CFuseHTTP
internal import FuseDB
internal import FuseDBCommands
internal import FuseDBInput
internal import FuseDBWeb

/// The entry point of `fusedb-serve`: `main` in Sources/FuseDBServerTool/main.c calls it.
@c(fusedb_serve_main)
@unsafe
public func main(argumentCount: Int32, arguments: UnsafePointer<UnsafePointer<CChar>?>) -> Int32 {
  // SAFETY: these are the arguments of C's `main`, as they came, and it is still running.
  unsafe Tool.main(argumentCount, arguments, Console(worker: ServeWork()))
}

/// Does what `fusedb serve` says.
struct ServeWork: HelperWorker {
  func run(_ command: Serve, _ console: Console) throws(FuseError) -> ExitStatus {
    // Before there are other threads, which then have them blocked, too.
    fuse_block_signals()
    let descriptors = fuse_descriptor_limit()
    let tokens = try command.tokenPath.map { path throws(FuseError) in try Self.tokens(at: path) } ?? []
    let log = try command.logPath.map { path throws(FuseError) in try Self.openLog(path) } ?? -1
    let news = EventQueue()
    var slots: [Slot] = []
    for file in command.files { slots.append(Slot(file, keeping: command.keptFileCount) { news.add($0) }) }
    for slot in slots { try slot.start() }
    let service = Service(command, slots)
    var sockets: [Int32] = []
    if var address = command.address {
      // SAFETY: the call reads a text that ends in a zero byte.
      let socket = unsafe fuse_listen(address.host, &address.port, 4096)
      guard socket >= 0 else { throw .system("listen at \(address)") }
      sockets.append(socket)
      news.add(ServeEvent(kind: "listening", url: "http://\(address)/"))
    }
    if let path = command.socketPath {
      // SAFETY: the call reads a text that ends in a zero byte.
      let socket = unsafe fuse_listen_at_path(path, UInt32(command.socketMode), 4096)
      guard socket >= 0 else { throw .system("listen at the path", path: path) }
      sockets.append(socket)
      news.add(ServeEvent(kind: "listening", url: "unix:\(path)"))
    }
    // Some are for files, logs and the system.
    let connectionLimit = max(1, min(command.connectionLimit, descriptors - min(descriptors / 2, 128)))
    if connectionLimit < command.connectionLimit {
      console.note(
        "the system allows \(descriptors) open files, so connections are \(connectionLimit) at most; 'ulimit -n' raises it"
      )
    }
    let server = try service.start(sockets, tokens: tokens, log: log, connectionLimit: connectionLimit)
    var isEnding = false
    while !isEnding {
      for event in news.take() { try event.print(to: console, command.printsJSON) }
      try console.out.flush()
      isEnding = fuse_wait_for_signal(200) != 0
    }
    let leftCount = service.end(server, patience: 10_000)
    for slot in slots { slot.stop() }
    if leftCount > 0 {
      console.note("\(Humans.count(leftCount, "request")) took longer than 10 seconds, and got no answer")
    }
    if let path = command.socketPath { SocketFile.remove(path) }
    try ServeEvent(kind: "ended").print(to: console, command.printsJSON)
    return .done
  }

  /// The tokens in a file: its lines, without those that are empty or begin with `#`.
  private static func tokens(at path: String) throws(FuseError) -> [String] {
    let bytes = try SmallFile.bytes(at: path, most: 1 << 20)
    var tokens: [String] = []
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let token = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      guard let first = token.first, first != UInt8(ascii: "#") else { continue }
      guard token.count >= 16, token.count <= 256, token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw FuseError(
          .invalidValue, "a token is 16 to 256 characters of ASCII without spaces; 'openssl rand -hex 32' makes one",
          path: path)
      }
      tokens.append(String(decoding: token, as: UTF8.self))
    }
    guard !tokens.isEmpty else {
      throw FuseError(.invalidValue, "the file has no token; 'openssl rand -hex 32' makes one", path: path)
    }
    return tokens
  }

  private static func openLog(_ path: String) throws(FuseError) -> Int32 {
    guard path != "-" else { return 1 }
    // SAFETY: the call reads a text that ends in a zero byte.
    let descriptor = unsafe fuse_open_log(path)
    guard descriptor >= 0 else { throw .system("open the log", path: path) }
    return descriptor
  }
}

/// The file of a socket.
enum SocketFile {
  static func remove(_ path: String) {
    // SAFETY: the call reads a text that ends in a zero byte.
    unsafe fuse_remove_socket(path)
  }
}
