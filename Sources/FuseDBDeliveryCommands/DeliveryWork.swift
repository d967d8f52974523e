internal import FuseDB
internal import FuseDBCommands
internal import FuseDBDelivery
internal import FuseDBInput

/// The entry point of `fusedb-delivery`: `main` in Sources/FuseDBDeliveryTool/main.c calls it.
@c(fusedb_delivery_main)
@unsafe
public func main(argumentCount: Int32, arguments: UnsafePointer<UnsafePointer<CChar>?>) -> Int32 {
  // SAFETY: these are the arguments of C's `main`, as they came, and it is still running.
  unsafe Tool.main(argumentCount, arguments, Console(worker: DeliveryWork()))
}

/// Does what the commands of delivery say.
struct DeliveryWork: HelperWorker {
  func run(_ request: DeliveryRequest, _ console: Console) throws(FuseError) -> ExitStatus {
    switch request {
    case .publish(let command): try publish(command, console)
    case .versions(let command): try list(command, console)
    case .announce(let command): try announce(command, console)
    case .expire(let command): try expire(command, console)
    case .fetch(let command): try fetch(command, console)
    case .follow(let command): try follow(command, console)
    case .keygen(let command): try makeKeys(command, console)
    case .sign(let command): try sign(command, console)
    }
    return .done
  }

  // MARK: Publishing

  private func publish(_ command: Publish, _ console: Console) throws(FuseError) {
    var options = FusePublisher.Options()
    options.keys = try keys(command.keyPaths)
    options.metadata = command.metadata
    options.validity = command.validity.map { .seconds($0) }
    options.leastKeyCount = command.leastKeyCount
    options.greatestShrink = command.greatestShrink
    if let distances = command.patchDistances { options.patchDistances = distances }
    let name = try RefName(command.ref)
    let bar = ProgressBar(console.err, isQuiet: command.isQuiet)
    let publisher = try FusePublisher(FuseRemote(command.remote))
    console.willWait()
    let report = try publisher.publish(command.path, as: name, options: options) { bar.show(nil, $0) }
    bar.clear()
    if command.printsJSON {
      try console.out.line { writer throws(FuseError) in
        writer.append(members: [
          ("remote", .text(command.remote)), ("name", .text(command.ref)), ("generation", .count(report.generation)),
          ("manifest", .text(report.manifest.description)), ("new", .flag(report.isNew)),
          ("keys", .count(report.keyCount)), ("bytes", .count(report.byteCount)),
          ("packed_bytes", .count(report.packedByteCount)),
          (
            "patches",
            .list(
              report.patches.map {
                .members([("generation", .count($0.generation)), ("bytes", .count($0.byteCount))])
              })
          ),
        ])
      }
    } else if !command.isQuiet {
      let patches = report.patches.map { "\(Humans.size($0.byteCount)) from \($0.generation)" }
      try console.err.sentence(
        """
        \(command.remote): \(command.ref) is at generation \(report.generation)\(report.isNew ? "" : ", as before"): \
        \(Humans.count(report.keyCount, "key")), \(Humans.size(report.byteCount)), \(Humans.size(report.packedByteCount)) packed\
        \(patches.isEmpty ? "" : "; patches: " + patches.joined(separator: ", "))
        """)
    }
  }

  private func list(_ command: Versions, _ console: Console) throws(FuseError) {
    let versions = try FuseRemote(command.remote).versions(of: try RefName(command.name), most: command.limit ?? .max)
    let now = versions.map { version in
      [
        "\(version.generation)", UTCTime.text(of: Double(version.time)), Humans.size(version.byteCount),
        Humans.count(version.keyCount, "key"), Humans.count(version.patchCount, "patch", plural: "patches"),
        String(version.manifest.description.prefix(12)),
        version.refs.map(\.description).sorted().joined(separator: " "),
      ]
    }
    if command.printsJSON {
      for version in versions {
        try console.out.line { writer throws(FuseError) in
          writer.append(members: [
            ("generation", .count(version.generation)), ("time", .text(UTCTime.text(of: Double(version.time)))),
            ("manifest", .text(version.manifest.description)), ("sha256", .text(version.file.description)),
            ("bytes", .count(version.byteCount)), ("packed_bytes", .count(version.packedByteCount)),
            ("keys", .count(version.keyCount)), ("patches", .count(version.patchCount)),
            ("refs", .list(version.refs.map(\.description).sorted().map { .text($0) })),
            ("meta", .members(version.metadata.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) })),
          ])
        }
      }
      return
    }
    let widths = (0..<7).map { column in now.map { $0[column].count }.max() ?? 0 }
    for row in now {
      let cells = row.enumerated().map { $1 + String(repeating: " ", count: widths[$0] - $1.count) }
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      try console.out.line(line)
    }
  }

  private func announce(_ command: Announce, _ console: Console) throws(FuseError) {
    let generation = try FusePublisher(FuseRemote(command.remote)).announce(
      command.version, as: try RefName(command.ref), keys: try keys(command.keyPaths),
      validity: command.validity.map { .seconds($0) })
    guard !command.isQuiet else { return }
    try console.err.sentence("\(command.remote): \(command.ref) is at generation \(generation)")
  }

  private func expire(_ command: Expire, _ console: Console) throws(FuseError) {
    _ = try RefName(command.name)
    let report = try FusePublisher(FuseRemote(command.remote)).expire(
      command.name, keeping: command.keptCount, grace: .seconds(command.grace))
    if command.printsJSON {
      try console.out.line { writer throws(FuseError) in
        writer.append(members: [
          ("removed", .count(report.removedCount)), ("removed_bytes", .count(report.removedByteCount)),
          ("condemned", .count(report.condemnedCount)), ("condemned_bytes", .count(report.condemnedByteCount)),
        ])
      }
    } else if !command.isQuiet {
      try console.err.sentence(
        """
        \(command.remote): \(Humans.count(report.removedCount, "file")) removed, \(Humans.size(report.removedByteCount)); \
        \(Humans.count(report.condemnedCount, "file")) condemned, \(Humans.size(report.condemnedByteCount))
        """)
    }
  }

  private func keys(_ paths: [String]) throws(FuseError) -> [SigningKey] {
    var keys: [SigningKey] = []
    for path in paths { keys.append(try SigningKey(path: path)) }
    return keys
  }

  private func makeKeys(_ command: Keygen, _ console: Console) throws(FuseError) {
    let key = try SigningKey()
    let publicKey = try key.publicKey()
    let publicPath = command.path + ".pub"
    guard FileStatus(atLink: publicPath) == nil else {
      throw FuseError(.inputOutput, "there is a file here already; choose another name for the key", path: publicPath)
    }
    try SmallFile.write(Array(key.fileText.utf8), to: command.path, isSecret: true)
    try SmallFile.write(Array(publicKey.fileText.utf8), to: publicPath)
    if !command.isQuiet {
      try console.err.sentence("\(command.path): a secret key; \(publicPath) is its public key")
    }
    try console.out.line(publicKey.description)
  }

  private func sign(_ command: Sign, _ console: Console) throws(FuseError) {
    if let keyPath = command.keyPath {
      let key = try SigningKey(path: keyPath)
      try FileSignature.sign(command.path, with: key, to: command.signaturePath, comment: command.comment)
      guard !command.isQuiet else { return }
      try console.err.sentence(
        "\(command.signaturePath): a signature of \(command.path) by the key \(try key.publicKey().identifier)")
    } else {
      let comment = try FileSignature.check(
        command.path, signature: command.signaturePath, by: try trusted(command.trusted))
      guard !command.isQuiet else { return }
      try console.err.sentence("\(command.path): the signature holds; it says: \(comment)")
    }
  }

  // MARK: Fetching

  /// Keys that are the paths of files, or their texts.
  private func trusted(_ words: [String]) throws(FuseError) -> [TrustedKey] {
    var keys: [TrustedKey] = []
    for word in words { keys.append(try TrustedKey(textOrPath: word)) }
    return keys
  }

  private func fetcher(_ arguments: FetchArguments) throws(FuseError) -> FuseFetcher {
    var remote = FuseRemote.Options()
    remote.greatestRate = arguments.greatestRate
    if let deadline = arguments.deadline { remote.deadline = .seconds(deadline) }
    if let count = arguments.retryCount { remote.retryCount = count }
    var options = FuseFetcher.Options()
    options.trustedKeys = try trusted(arguments.trusted)
    options.rules = arguments.rules
    options.keptFileCount = arguments.keptFileCount
    return FuseFetcher(
      try FuseRemote(arguments.remote, options: remote), try RefName(arguments.ref), path: arguments.path,
      options: options)
  }

  private func fetch(_ command: Fetch, _ console: Console) throws(FuseError) {
    let path = command.arguments.path
    let fetcher = try fetcher(command.arguments)
    let bar = ProgressBar(console.err, isQuiet: command.isQuiet)
    console.willReplace(path)
    let report = try fetcher.fetch(isTrial: command.isTrial) { done, total in
      bar.show(Double(done) / Double(max(total, 1)), "\(Humans.size(done)) of \(Humans.size(total))")
    }
    bar.clear()
    if command.printsJSON {
      try console.out.line { writer throws(FuseError) in writer.append(members: Self.members(of: report, path)) }
    } else if !command.isQuiet {
      if let error = report.fallback {
        try console.err.sentence("\(path): the patches were of no use, so the whole file came: \(error)")
      }
      try console.err.sentence(Self.text(of: report, path, isTrial: command.isTrial))
    }
  }

  private static func text(of report: FuseFetcher.Report, _ path: String, isTrial: Bool = false) -> String {
    let cost = "\(Humans.size(report.byteCount)) in \(Humans.count(report.requestCount, "request"))"
    if isTrial, report.way != .none {
      return
        "\(path): generation \(report.generation) would come \(words(for: report.way)): \(Humans.size(report.plannedByteCount))"
    }
    return switch report.way {
    case .none: "\(path): generation \(report.generation), as before: \(cost)"
    default: "\(path): generation \(report.generation) \(words(for: report.way)): \(cost)"
    }
  }

  private static func words(for way: FuseFetcher.Way) -> String {
    switch way {
    case .none: "as before"
    case .patches(let count): "by \(Humans.count(count, "patch", plural: "patches"))"
    case .whole: "as a whole"
    }
  }

  private static func members(
    of report: FuseFetcher.Report, _ path: String
  ) -> [(name: String, value: ReportValue)] {
    let (way, patches) =
      switch report.way {
      case .none: ("none", 0)
      case .patches(let count): ("patches", count)
      case .whole: ("whole", 0)
      }
    return [
      ("path", .text(path)), ("generation", .count(report.generation)),
      ("manifest", report.manifest.map { .text($0.description) } ?? .null), ("way", .text(way)),
      ("patches", .count(patches)), ("file_bytes", .count(report.fileByteCount)),
      ("planned_bytes", .count(report.plannedByteCount)), ("bytes", .count(report.byteCount)),
      ("requests", .count(report.requestCount)),
      ("seconds_asking", .number(report.timeAsking.inSeconds)),
      ("seconds_transferring", .number(report.timeTransferring.inSeconds)),
      ("seconds_making", .number(report.timeMaking.inSeconds)),
      ("fallback", report.fallback.map { .text($0.description) } ?? .null),
    ]
  }

  private func follow(_ command: Follow, _ console: Console) throws(FuseError) {
    let path = command.arguments.path
    let fetcher = try fetcher(command.arguments)
    console.willReplace(path)
    var options = FuseSubscription.Options()
    options.fetch = fetcher.options
    options.interval = .seconds(command.interval)
    // What was proved before it got its name is not proved again.
    options.serving.rules.check = nil
    options.serving.rules.allowsEmpty = true
    let metrics = try Metrics(command.arguments.ref, path: command.metricsPath, listening: command.listensAt)
    if let url = metrics.url {
      try News(event: "listening", path: path, url: url).print(to: console, command.printsJSON)
      try console.out.flush()
    }
    let news = try NewsQueue<News>()
    var told: FuseError?
    var pause = command.interval
    while true {
      do throws(FuseError) {
        let subscription = try FuseSubscription(
          fetcher.remote, fetcher.name, path: path, options: options,
          onEvent: { event in
            switch event {
            case .unchanged: news.add(News(event: "", path: path))
            case .updated(let report): news.add(News(event: "updated", path: path, report: report))
            case .failed(let error): news.add(News(event: "failed", path: path, error: error))
            }
          })
        news.add(News(event: "serving", path: path, generation: subscription.status.generation))
        try show(news, subscription, metrics, command, console)
      } catch {
        // There is nothing to serve yet.
        guard [.unavailable, .notFound, .refused, .corrupted, .truncated].contains(error.code) else { throw error }
        if error != told { try News(event: "failed", path: path, error: error).print(to: console, command.printsJSON) }
        told = error
        try console.out.flush()
        try metrics.fail()
        Sleep.seconds(pause * Double.random(in: 0.8...1.2))
        pause = min(pause * 2, 600)
      }
    }
  }

  private func show(
    _ news: NewsQueue<News>, _ subscription: FuseSubscription, _ metrics: Metrics, _ command: Follow,
    _ console: Console
  ) throws(FuseError) -> Never {
    while true {
      let pieces = try news.next(for: console.out)
      for piece in pieces where !piece.event.isEmpty { try piece.print(to: console, command.printsJSON) }
      try console.out.flush()
      try metrics.set(subscription.status)
    }
  }

  /// One event that `fusedb follow` prints.
  private struct News: Sendable {
    /// Empty for what is counted and not printed.
    var event: String
    var path: String
    var report: FuseFetcher.Report?
    var error: FuseError?
    var generation = 0
    var url: String?
    var time = WallClock.now

    func print(to console: Console, _ printsJSON: Bool) throws(FuseError) {
      if printsJSON {
        var members: [(name: String, value: ReportValue)] = [
          ("event", .text(event)), ("time", .text(UTCTime.text(of: time))),
        ]
        if let report {
          members += DeliveryWork.members(of: report, path)
        } else {
          members.append(("path", .text(path)))
        }
        if let url { members.append(("url", .text(url))) }
        if let error { members += [("code", .text(error.code.rawValue)), ("message", .text(error.description))] }
        try console.out.line { writer throws(FuseError) in writer.append(members: members) }
        return
      }
      let text =
        if let report { DeliveryWork.text(of: report, path) } else if let error { error.description } else if let url {
          url
        } else {
          path + (generation > 0 ? ": generation \(generation)" : "")
        }
      try console.out.line("\(UTCTime.text(of: time)) \(event) \(EscapedText.harmless(text))")
    }
  }
}
