internal import FuseDB
internal import FuseDBCommands
internal import FuseDBInput
internal import FuseDBStore

/// The entry point of `fusedb-store`: `main` in Sources/FuseDBStoreTool/main.c calls it.
@c(fusedb_store_main)
@unsafe
public func main(argumentCount: Int32, arguments: UnsafePointer<UnsafePointer<CChar>?>) -> Int32 {
  // SAFETY: these are the arguments of C's `main`, as they came, and it is still running.
  unsafe Tool.main(argumentCount, arguments, Console(worker: StoreWork()))
}

/// Does what `fusedb store` says.
struct StoreWork: HelperWorker {
  static let defaultFolder = ".fusedb-store"

  func run(_ request: Store, _ console: Console) throws(FuseError) -> ExitStatus {
    if request.action == .initialise {
      try initialise(request, console)
      return .done
    }
    let job = StoreJob(try open(request), request, console)
    switch request.action {
    case .initialise: break
    case .add: try job.add()
    case .get: try job.get(job.words[0], to: request.output)
    case .cat: try job.cat()
    case .ls: try job.list()
    case .stat: try job.describe()
    case .rm: try job.remove()
    case .gc, .pack: try job.collect(packsAll: request.action == .pack)
    case .verify: return try request.repairs ? job.repair() : job.verify()
    case .status: try job.status()
    case .inspect: try job.inspect()
    case .copy: try job.copy()
    case .export: try job.export()
    case .takeOver: try job.takeOver()
    }
    return .done
  }

  /// The store that `-C` names, or the environment, or the nearest one upwards.
  private func open(_ request: Store) throws(FuseError) -> FuseStore {
    if let path = request.store ?? StoreFiles.variable("FUSEDB_STORE") { return try FuseStore(path: path) }
    var folder = PinnedPath(".").absolute
    while folder.hasSuffix("/.") { folder.removeLast(2) }
    while true {
      let path = folder + "/" + Self.defaultFolder
      if FileStatus(at: path + "/config") != nil { return try FuseStore(path: path) }
      guard let slash = folder.utf8.lastIndex(of: UInt8(ascii: "/")), folder != "/" else { break }
      folder = String(folder.utf8[..<slash]) ?? ""
    }
    throw FuseError(
      .notFound,
      "there is no store here or in a folder above; name one with -C or FUSEDB_STORE, or make one with 'fusedb store init'",
      path: Self.defaultFolder)
  }

  private func initialise(_ request: Store, _ console: Console) throws(FuseError) {
    var configuration = FuseStore.Configuration()
    let settings = try StoreJob.options(request)
    if let chunking = settings.chunking { configuration.chunking = chunking }
    if let compression = settings.compression { configuration.compression = compression }
    if let size = request.packByteCount { configuration.packByteCount = size }
    let path =
      request.operands.first.map { String(path: $0) } ?? request.store ?? StoreFiles.variable("FUSEDB_STORE")
      ?? Self.defaultFolder
    _ = try FuseStore.create(path: path, configuration: configuration)
    guard !request.isQuiet else { return }
    try console.err.sentence("\(path): an empty store")
  }
}

/// One call of `fusedb store`.
struct StoreJob {
  let store: FuseStore
  let request: Store
  let console: Console
  let bar: ProgressBar

  init(_ store: FuseStore, _ request: Store, _ console: Console) {
    self.store = store
    self.request = request
    self.console = console
    bar = ProgressBar(console.err, isQuiet: request.isQuiet)
  }

  var words: [String] { request.operands.map { String(path: $0) } }

  func say(_ text: String) throws(FuseError) {
    bar.clear()
    guard !request.isQuiet else { return }
    try console.err.sentence(text)
  }

  func print(_ members: [(name: String, value: ReportValue)]) throws(FuseError) {
    try console.out.line { writer throws(FuseError) in writer.append(members: members) }
  }

  /// What `--chunk`, `--fixed` and `--compress` say.
  static func options(_ request: Store) throws(FuseError) -> StoreWriter.PutOptions {
    var options = StoreWriter.PutOptions()
    if let text = request.chunking {
      guard let chunking = FuseStore.Chunking(text) else {
        throw FuseError(
          .invalidArgument,
          "--chunk takes three numbers such as 4096,16384,65536 (the middle one a power of two), or fsdb, and not '\(text)'"
        )
      }
      options.chunking = chunking
    }
    if let text = request.compression {
      guard let compression = FuseStore.Compression(text) else {
        throw FuseError(
          .invalidArgument, "--compress takes none, auto, zlib:1 to zlib:9 or zstd:-7 to zstd:19, and not '\(text)'")
      }
      options.compression = compression
    }
    return options
  }
}
