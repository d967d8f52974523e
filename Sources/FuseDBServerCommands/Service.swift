internal import CFuseHTTP
internal import FuseDB
internal import FuseDBCommands
internal import FuseDBExplorer
internal import FuseDBWeb
internal import Synchronization

/// What answers requests: the files, and how they are asked for.
final class Service: Sendable {
  let slots: [Slot]
  let keyLimit: Int
  let staleAfter: Double?
  let command: Serve
  /// What pages began, which goes on after a request.
  let works = ExplorerWorks()
  private let running = Mutex<Server?>(nil)
  /// The pages of the files that serve, made anew when another one begins to.
  private let pages = Mutex<Explorer?>(nil)

  init(_ command: Serve, _ slots: [Slot]) {
    self.command = command
    self.slots = slots
    keyLimit = command.keyLimit
    staleAfter = command.staleAfter
  }

  /// Those that serve now.
  var databases: [ServedDatabase] { slots.compactMap { $0.database } }

  /// The pages of the files that serve now.
  var explorer: Explorer {
    let databases = databases
    return pages.withLock { pages in
      if let pages, pages.databases.count == databases.count { return pages }
      let explorer = Explorer(databases: databases, works: works)
      pages = explorer
      return explorer
    }
  }

  /// What was counted so far.
  var counts: fuse_http_counts? { running.withLock { $0?.counts } }

  /// Begins to serve.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput` where threads or descriptors are short.
  func start(_ sockets: [Int32], tokens: [String], log: Int32, connectionLimit: Int) throws(FuseError) -> Server {
    let cacheControl = command.greatestAge.map { "private, max-age=\($0)" } ?? "no-cache"
    let threads = command.threadCount ?? Parallel.processorCount
    var options = unsafe fuse_http_options()
    // SAFETY: texts are copied before the call to start returns; the service is retained until `end`.
    unsafe options.head_limit = command.headLimit
    unsafe options.body_limit = command.bodyLimit
    unsafe options.connection_limit = UInt32(connectionLimit)
    unsafe options.thread_count = UInt32(threads)
    unsafe options.timeout = UInt32(command.timeout)
    unsafe options.slow_thread_count = UInt32(max(2, threads / 2))
    unsafe options.slow_queue_limit = 256
    unsafe options.log = log
    unsafe options.context = Unmanaged.passRetained(self).toOpaque()
    unsafe options.answer = { context, exchange in
      unsafe Unmanaged<Service>.fromOpaque(context!)._withUnsafeGuaranteedRef { unsafe $0.answer(Exchange(exchange)) }
        ? 1 : 0
    }
    unsafe options.answer_slowly = { context, exchange in
      unsafe Unmanaged<Service>.fromOpaque(context!)._withUnsafeGuaranteedRef {
        unsafe $0.answerSlowly(Exchange(exchange))
      }
    }
    unsafe options.refuse = { _, exchange, status, problem in
      unsafe Exchange(exchange).write(Problem(status: Int(status), detail: String(cString: problem)))
    }
    var hosts = ["localhost"] + command.hosts
    if let host = command.address?.host { hosts.append(host) }
    let server = unsafe CStrings.with(hosts) { hosts, hostCount in
      unsafe CStrings.with(tokens) { tokens, tokenCount in
        unsafe cacheControl.withCString { cacheControl in
          unsafe options.hosts = hosts
          unsafe options.host_count = hostCount
          unsafe options.tokens = tokens
          unsafe options.token_count = tokenCount
          unsafe options.cache_control = cacheControl
          return unsafe fuse_http_start(sockets, sockets.count, &options)
        }
      }
    }
    guard let server = unsafe server else { throw .system("start the threads of the server") }
    let made = unsafe Server(server)
    running.withLock { $0 = made }
    return made
  }

  /// Takes no more requests, and waits for those that run, in milliseconds; how many were cut short.
  func end(_ server: Server, patience: UInt32) -> Int {
    let leftCount = server.end(patience: patience)
    running.withLock { $0 = nil }
    // SAFETY: this takes back what `start` retained; no thread of the server is left.
    if leftCount == 0 { unsafe Unmanaged.passUnretained(self).release() }
    return leftCount
  }

  /// Answers what takes no time; false for what does.
  @inline(__always)
  func answer(_ exchange: Exchange) -> Bool {
    switch exchange.verb {
    case FUSE_VERB_GET:
      guard let slot = slot(exchange) else { return true }
      if exchange.method == FUSE_POST {
        BatchAnswer.answer(exchange, slot, keyLimit)
      } else {
        LookupAnswer.answer(exchange, slot)
      }
      return true
    case FUSE_VERB_HEALTH:
      guard exchange.isReading else { return true }
      exchange.answer(200, .json)
      exchange.out.append("{\"status\":\"alive\"}\n")
      return true
    default:
      return false
    }
  }

  /// The file that a request names and that serves; otherwise the answer says why there is none.
  func slot(_ exchange: Exchange) -> Slot? {
    for slot in slots where exchange.isName(slot.nameBytes) {
      // SAFETY: nothing is read.
      if unsafe slot.served != nil { return slot }
      exchange.refuse(
        503, "unavailable",
        "nothing sound was loaded for '\(slot.name)' yet: \(slot.reason?.message ?? "it is being opened"); ask again later",
        headers: [("Retry-After", "1")])
      return nil
    }
    exchange.refuse(404, "unknownName", "no file of this name is served; /v1/ lists those that are")
    return nil
  }
}

/// A server that runs.
@safe
struct Server: Sendable {
  // SAFETY: C's, until `end`.
  private nonisolated(unsafe) let pointer: OpaquePointer

  // SAFETY: the caller has it of the call that starts it.
  @unsafe
  init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

  // SAFETY: the server lives until the process ends.
  var counts: fuse_http_counts { unsafe fuse_http_count(pointer) }

  /// Takes no more requests, and waits for those that run, in milliseconds; how many were cut short.
  func end(patience: UInt32) -> Int {
    // SAFETY: it is called once, at the end.
    Int(unsafe fuse_http_end(pointer, patience))
  }
}

/// Texts for C.
enum CStrings {
  /// Calls `body` with pointers to copies of texts, which end in a zero byte each and go when it returns.
  @unsafe
  static func with<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>>, Int) -> Result
  ) -> Result {
    var bytes: [CChar] = []
    var starts: [Int] = []
    for text in texts {
      starts.append(bytes.count)
      bytes += text.utf8CString
    }
    bytes.append(0)
    // SAFETY: the starts are places in the bytes, which stay where they are during the call.
    return unsafe bytes.withUnsafeBufferPointer { bytes in
      let base = bytes.baseAddress!
      // One more, so that there is an address for none.
      let pointers = unsafe (starts + [0]).map { unsafe base + $0 }
      return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress!, texts.count) }
    }
  }
}
