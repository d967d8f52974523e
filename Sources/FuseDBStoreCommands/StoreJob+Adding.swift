internal import FuseDB
internal import FuseDBCommands
internal import FuseDBInput
internal import FuseDBStore

extension StoreJob {
  /// `add`: all of it with one commit.
  func add() throws(FuseError) {
    let options = try Self.options(request)
    let writer = try StoreWriter(store)
    if let count = request.threadCount { writer.threadCount = count }
    var printed: [(id: FuseStore.ObjectID, what: String)] = []
    var counts = (byteCount: 0, newByteCount: 0, count: 0)
    for word in words {
      let stored: FuseStore.Stored
      var name = request.name
      if word == "-" {
        var options = options
        (options.name, options.keepsVersions) = (name, request.keepsVersions ? true : nil)
        stored = try put(writer, options)
      } else if FileStatus(at: word)?.kind == .folder {
        guard !request.keepsVersions else {
          throw FuseError(.invalidArgument, "--versions is for files, and this is a folder", path: word)
        }
        if name == nil { name = Self.lastPart(of: word) }
        stored = try put(folder: word, named: name!, writer, options)
      } else if request.isLoose, name == nil {
        stored = try putLoose(word)
      } else {
        var options = options
        (options.name, options.keepsVersions) = (name, request.keepsVersions ? true : nil)
        let (whole, rate) = (FileStatus(at: word)?.byteCount ?? 0, StoreRate(bar))
        stored = try writer.put(path: word, options) { done in rate.show(done, of: whole, word) }
      }
      printed.append((stored.id, name ?? word))
      counts.byteCount += stored.byteCount
      counts.newByteCount += stored.newByteCount
      counts.count += 1
      if request.printsJSON {
        try print([
          ("id", .text(stored.id.description)), ("input", .text(word)), ("name", name.map { .text($0) } ?? .null),
          ("new", .flag(stored.isNew)), ("bytes", .count(stored.byteCount)), ("new_bytes", .count(stored.newByteCount)),
        ])
      }
    }
    try writer.commit()
    if !request.printsJSON {
      for (id, what) in printed { try console.out.line("\(id)  \(EscapedText.harmless(what))") }
    }
    try say(
      """
      \(store.path): \(Humans.size(counts.byteCount)) added, \(Humans.size(counts.newByteCount)) of it new; \
      at most \(Humans.size(StoreFiles.peakMemory)) of memory
      """)
  }

  private func put(_ writer: StoreWriter, _ options: StoreWriter.PutOptions) throws(FuseError) -> FuseStore.Stored {
    let (input, rate) = (console.input, StoreRate(bar))
    return try writer.put(options, progress: { rate.show($0, of: nil, "standard input") }) {
      () throws(FuseError) in
      var bytes = [UInt8](repeating: 0, count: 1 << 18)
      let count = try input.read(into: &bytes, 0..<bytes.count, name: "standard input")
      guard count > 0 else { return nil }
      bytes.removeLast(bytes.count - count)
      return bytes
    }
  }

  private func put(
    folder path: String, named name: String, _ writer: StoreWriter, _ options: StoreWriter.PutOptions
  ) throws(FuseError) -> FuseStore.Stored {
    let (rate, count) = (StoreRate(bar), FolderCount(path))
    return try writer.putFolder(path: path, named: name, options) { file in
      // What is done sooner needs no forecast.
      if bar.isShown, rate.elapsed > 0.5 { count.begin() }
      rate.show(writer.folderByteCount, of: count.byteCount, file)
    }
  }

  private func putLoose(_ path: String) throws(FuseError) -> FuseStore.Stored {
    let most = 16 << 20
    let bytes = try SmallFile.bytes(at: path, most: most)
    return try store.put(bytes, to: .loose)
  }

  static func lastPart(of path: String) -> String {
    let parts = PinnedPath(path).absolute.split(separator: "/").filter { $0 != "." }
    return parts.last.map { String($0) } ?? "root"
  }

  // MARK: What words stand for

  /// What a word stands for.
  enum Meaning {
    case object(FuseStore.ObjectID)
    case folder(FuseStore.ObjectID, below: String)
  }

  /// An ID, the first digits of one that is kept, a name, or a path below the name of a folder.
  func meaning(of word: String) throws(FuseError) -> Meaning {
    if let (id, isFolder) = try store.entry(named: word) { return isFolder ? .folder(id, below: "") : .object(id) }
    if let id = FuseStore.ObjectID(word) { return .object(id) }
    if let id = try version(word) { return .object(id) }
    // The longest part of it that is a name.
    var end = word.utf8.endIndex
    while let slash = word.utf8[..<end].lastIndex(of: UInt8(ascii: "/")) {
      end = slash
      let name = String(word[..<slash])
      guard !name.isEmpty, let (id, isFolder) = try store.entry(named: name), isFolder else { continue }
      let path = String(word[word.utf8.index(after: slash)...])
      let files = try store.files(of: id)
      if let file = files.first(where: { $0.path == path }) { return .object(file.id) }
      if files.contains(where: { $0.path.hasPrefix(path + "/") }) { return .folder(id, below: path + "/") }
      throw FuseError(
        .notFound, "the folder '\(name)' has no '\(path)'; 'fusedb store ls \(name)' lists it", path: store.path)
    }
    throw FuseError(
      .notFound, "there is no name '\(word)', and it is no ID of 64 digits; 'fusedb store ls' lists names",
      path: store.path)
  }

  /// What `NAME@N` stands for; nil where it is none.
  private func version(_ word: String) throws(FuseError) -> FuseStore.ObjectID? {
    guard let (name, number, versions) = try versions(of: word) else { return nil }
    guard let version = versions.first(where: { $0.number == number }) else { throw noVersion(number, of: name) }
    return version.id
  }

  /// The parts of `NAME@N`, where the name has versions.
  func versions(
    of word: String
  ) throws(FuseError) -> (name: String, number: Int, versions: [FuseStore.Version])? {
    guard let sign = word.utf8.lastIndex(of: UInt8(ascii: "@")), sign > word.startIndex,
      let number = Int(word[word.utf8.index(after: sign)...])
    else { return nil }
    let name = String(word[..<sign])
    return try store.versions(named: name).map { (name, number, $0) }
  }

  func noVersion(_ number: Int, of name: String) -> FuseError {
    FuseError(.notFound, "'\(name)' has no version \(number); 'fusedb store ls \(name)' lists them", path: store.path)
  }

  func missing(_ id: FuseStore.ObjectID) -> FuseError {
    FuseError(.notFound, "the store has no object \(id)", path: store.path)
  }

  // MARK: Getting

  /// `get`: to a file or a folder.
  func get(_ word: String, to output: String?) throws(FuseError) {
    let output = output ?? (FuseStore.ObjectID(word) == nil ? Self.lastPart(of: word) : String(word.prefix(16)))
    switch try meaning(of: word) {
    case .object(let id):
      try write(id, to: output)
      try say("\(output): \(Humans.size(FileStatus(at: output)?.byteCount ?? 0))")
    case .folder(let id, let prefix): try getFolder(id, prefix, to: output)
    }
  }

  private func write(_ id: FuseStore.ObjectID, to output: String) throws(FuseError) {
    if FileStatus(atLink: output) != nil, !request.overwrites {
      throw FuseError(
        .refused, "there is a file here already; '--overwrite' replaces it, or choose another with -o", path: output)
    }
    console.willReplace(output)
    let rate = StoreRate(bar)
    let isDone = try store.write(of: id, to: output) { done, whole in rate.show(done, of: whole, output) }
    guard isDone else { throw missing(id) }
  }

  private func getFolder(_ id: FuseStore.ObjectID, _ prefix: String, to output: String) throws(FuseError) {
    let count = try store.writeFolder(id, to: output, below: prefix, threadCount: request.threadCount) { done, whole in
      bar.show(Double(done) / Double(max(1, whole)), Humans.count(done, "file"))
    }
    try say("\(output): \(Humans.count(count, "file"))")
  }

  /// `cat`: to standard output, or a file.
  func cat() throws(FuseError) {
    if let output = request.output {
      guard words.count == 1 else { throw FuseError(.invalidArgument, "-o is for one object at a time") }
      return try get(words[0], to: output)
    }
    for word in words {
      guard case .object(let id) = try meaning(of: word) else {
        throw FuseError(.invalidArgument, "'\(word)' is a folder; 'fusedb store get' writes it", path: store.path)
      }
      let console = console
      guard try store.read(of: id, { (piece: RawSpan) throws(FuseError) in try console.out.write(piece.array()) })
      else {
        throw missing(id)
      }
    }
  }

  /// `export`: every name to a folder.
  func export() throws(FuseError) {
    for name in try store.names() {
      let parts = name.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }), !name.contains("\0") else {
        throw FuseError(.refused, "the name '\(name)' is no path below a folder; get it with -o", path: store.path)
      }
      let place = words[0] + "/" + name
      try FolderFiles.make(String(place[..<place.lastIndex(of: "/")!]))
      try get(name, to: place)
    }
  }
}
