public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import Synchronization

/// A store of objects by their contents: each is there once, in packs, and is found by its SHA-256 or by a name.
///
///     let store = try FuseStore(path: "store")
///     let stored = try store.put(Array("hello".utf8))      // stored.id: 2cf24dba5fb0…, stored.isNew: true
///     try store.bytes(of: stored.id)                       // what was put, compared with its digest
///
/// Any number of threads and processes may read and write at the same time. Readers take no lock and write nothing. What is put is durable
/// once the call, or ``StoreWriter/commit()``, has returned. Every read compares a digest: what is damaged is an error that names object and
/// pack, and putting the object again heals it. See spec/store.md.
public final class FuseStore: Sendable {
  /// Where its files are.
  package let backend: any StoreBackend
  let config: StoreConfig
  private let state = Mutex(StoreView())
  private let frames = FrameCache(mostByteCount: 1 << 20)
  /// What is read in order, and what its bases are made of, is asked for again and again.
  let deepFrames = FrameCache(mostByteCount: 24 << 20)
  let lastRebuilt = Mutex<Rebuilt?>(nil)
  let dictionaries = FrameDictionaries()

  static let folders = ["packs", "loose", "refs", "tmp", "condemned"]

  /// Makes a store in a folder that is empty or not there.
  ///
  /// - Throws: ``FuseError`` with code `refused` where there is something already, `invalidArgument` where the configuration is none,
  ///   `inputOutput`.
  public static func create(
    path: String, configuration: Configuration = Configuration()
  ) throws(FuseError) -> FuseStore {
    try create(FolderBackend(path: path), configuration: configuration)
  }

  /// Makes a store in a backend.
  ///
  /// - Throws: as ``create(path:configuration:)``, and `invalidArgument` where the configuration is none.
  public static func create(
    _ backend: any StoreBackend, configuration: Configuration = Configuration()
  ) throws(FuseError) -> FuseStore {
    if let fault = configuration.fault { throw FuseError(.invalidArgument, fault, path: backend.path) }
    try backend.make(folders)
    let config = StoreConfig(configuration)
    // Last: with it, the folder is a store.
    guard try backend.write(Array(config.text.utf8), to: StoreConfig.name, replacing: false) else {
      throw FuseError(.refused, "there is a store here already", path: backend.path)
    }
    return try FuseStore(backend)
  }

  /// Opens the store in a folder.
  ///
  /// - Throws: ``FuseError`` with code `notFound` where there is none, `corrupted` or `unsupportedVersion` as its configuration says.
  public convenience init(path: String) throws(FuseError) { try self.init(FolderBackend(path: path)) }

  /// Opens the store of a backend.
  ///
  /// - Throws: as ``init(path:)``.
  public init(_ backend: any StoreBackend) throws(FuseError) {
    self.backend = backend
    guard let file = try backend.file(StoreConfig.name) else {
      throw FuseError(
        .notFound, "there is no store here: it has no file 'config'; 'fusedb store init' makes one", path: backend.path)
    }
    config = try StoreConfig(
      text: String(decoding: file.bytes.array(), as: UTF8.self), path: "\(backend.path)/\(StoreConfig.name)")
    _ = try refresh()
  }

  /// What the store is like.
  public var configuration: Configuration { config.configuration }
  /// What errors call it.
  public var path: String { backend.path }

  // MARK: The packs that there are

  /// The packs as they were when somebody looked last.
  var view: StoreView { state.withLock { $0 } }

  /// Looks at the list of packs once more.
  ///
  /// A listing is no snapshot: where a pack comes and another goes meanwhile, it may have neither. So it counts once it came twice. Nor does it
  /// count where a pack that it has is gone when it is opened: what was copied from it stands in one that came later. [SS4]
  func refresh() throws(FuseError) -> StoreView {
    var before: [String]?
    var absent: Set<String> = []
    while true {
      let (generation, condemned) = try CondemnedList.newest(in: backend)
      let files = try backend.names(in: "packs")
      guard files == before else {
        before = files
        continue
      }
      if let view = try open(files, generation: generation, condemned: condemned, &absent) { return view }
      before = nil
    }
  }

  /// nil where a pack went since it was listed, for the first time.
  private func open(
    _ files: [String], generation: Int, condemned: Set<String>, _ absent: inout Set<String>
  ) throws(FuseError) -> StoreView? {
    let known = view
    var isOutOfDate = false
    var open: [String: PackView] = [:]
    for pack in known.all { open[pack.name] = pack }
    var view = StoreView(generation: generation)
    let marks = Set(files.filter { $0.hasSuffix(".gone") })
    for file in files where file.hasSuffix(".fsdb") {
      let name = String(file.dropLast(5))
      do throws(FuseError) {
        var pack = open[name]
        if pack == nil { pack = try PackView.open(name, backend, store: config.identity) }
        guard var pack else {
          if absent.insert(name).inserted { isOutOfDate = true }
          continue
        }
        if marks.contains("\(name).gone") { pack = try GoneMarks.updated(pack, backend) }
        if condemned.contains(name) { view.condemned.append(pack) } else { view.packs.append(pack) }
      } catch {
        view.damaged[name] = error
      }
    }
    guard !isOutOfDate else { return nil }
    let result = view
    state.withLock { $0 = result }
    return result
  }

  /// Takes a pack that was sealed by this process into the view.
  func add(_ pack: PackView) {
    state.withLock { view in
      guard !view.all.contains(where: { $0.name == pack.name }) else { return }
      view.packs.append(pack)
    }
  }

  /// Opens every pack anew when it is looked for next.
  func forgetPacks() { state.withLock { $0 = StoreView() } }

  /// Makes the next version that is kept as patches anew.
  func forgetRebuilt() { lastRebuilt.withLock { $0 = nil } }

  // MARK: Finding

  /// Where an object is.
  struct Place: Sendable {
    let file: StoreFile
    let entry: PackEntry
    private let folder: String
    private let pack: PackView?

    init(file: StoreFile, entry: PackEntry, path: String) {
      (self.file, self.entry, folder, pack) = (file, entry, path, nil)
    }

    /// In a pack of the store at `folder`.
    init(_ pack: PackView, _ entry: PackEntry, in folder: String) {
      (file, self.entry, self.folder, self.pack) = (pack.file, entry, folder, pack)
    }

    /// For errors alone: to spell it takes longer than to find the object.
    var path: String { pack.map { "\(folder)/\(PackView.packName($0.name))" } ?? folder }
  }

  /// What was found.
  enum Found {
    case chunk(ChunkBytes)
    case recipe(Recipe, byteCount: Int)
    case patched(PatchedRecipe)
  }

  static func looseName(_ id: ObjectID) -> String {
    let text = id.description
    return "loose/\(text.prefix(2))/\(text.dropFirst(2))"
  }

  func packPath(_ pack: PackView) -> String { "\(backend.path)/\(PackView.packName(pack.name))" }

  /// A loose object; nil where there is none, or where it is damaged so that its head can't be read.
  func loosePlace(_ id: ObjectID) throws(FuseError) -> Place? {
    let name = Self.looseName(id)
    guard let file = try backend.file(name) else { return nil }
    guard let record = PackRecord(file.bytes, at: 0), record.digest == id, record.kind == .data,
      file.byteCount == PackRecord.byteCount + record.storedByteCount
    else {
      throw FuseError(
        .corrupted, "the loose object \(id) is damaged; put it again", offset: 0, path: "\(backend.path)/\(name)")
    }
    return Place(
      file: file,
      entry: PackEntry(
        kind: .data, codec: record.codec, isKept: true, offset: 0, storedByteCount: record.storedByteCount,
        byteCount: record.byteCount), path: "\(backend.path)/\(name)")
  }

  /// Compared with its digest; nil where nothing has it. The first copy that is sound counts: of those that need the fewest others.
  ///
  /// - Parameter mostDepth: deep frames that are deeper don't count. [SD4]
  func find(
    _ id: ObjectID, _ tools: StoreTools, mostDepth: Int = DeepFrame.mostDepth
  ) throws(FuseError) -> Found? {
    var failure: FuseError?
    if let found = try find(id, in: view, tools, mostDepth, &failure) { return found }
    // Others may have sealed it, or moved it to another pack, since the list was read.
    let view = try refresh()
    failure = nil
    if let found = try find(id, in: view, tools, mostDepth, &failure) { return found }
    if let failure { throw failure }
    if let (name, error) = view.damaged.first {
      throw FuseError(
        error.isDamage ? .corrupted : error.code,
        "\(id) may be in the pack \(name), which can't be read: \(error.message)", path: error.path,
        errno: error.errno)
    }
    return nil
  }

  private func find(
    _ id: ObjectID, in view: StoreView, _ tools: StoreTools, _ mostDepth: Int, _ failure: inout FuseError?
  ) throws(FuseError) -> Found? {
    // What needs others is read where nothing else is there.
    var others: [(pack: PackView, entry: PackEntry)] = []
    for number in 0..<view.packs.count + view.condemned.count {
      let pack = number < view.packs.count ? view.packs[number] : view.condemned[number - view.packs.count]
      do throws(FuseError) {
        guard let entry = try pack.entry(of: id), entry.hasPayload else { continue }
        guard entry.kind != .deep, entry.kind != .patched else {
          others.append((pack, entry))
          continue
        }
        let found = try read(id, Place(pack, entry, in: backend.path), tools)
        // A list of chunks that are gone, as when an object is kept as patches since, is none.
        if case .recipe(let recipe, _) = found, view.hasPatched(id), try !isWhole(recipe, id, in: view, tools) {
          continue
        }
        return found
      } catch {
        guard error.code != .cancelled else { throw error }
        failure = error
      }
    }
    do throws(FuseError) {
      if let place = try loosePlace(id) { return try read(id, place, tools) }
    } catch { failure = error }
    for (pack, entry) in others {
      do throws(FuseError) {
        if entry.kind == .deep, let depth = pack.depth(of: entry), depth > mostDepth { continue }
        return try read(id, Place(pack, entry, in: backend.path), tools, mostDepth: mostDepth)
      } catch {
        guard error.code != .cancelled else { throw error }
        failure = error
      }
    }
    return nil
  }

  /// Reads what stands in one place, and compares it with its digest. [SR4]
  func read(
    _ id: ObjectID, _ place: Place, _ tools: StoreTools, mostDepth: Int = DeepFrame.mostDepth
  ) throws(FuseError) -> Found {
    let entry = place.entry
    func damaged(_ what: String) -> FuseError {
      FuseError(
        .corrupted, "\(what) \(id) is damaged; put it again, or take it from another store",
        offset: UInt64(entry.offset), path: place.path)
    }
    switch entry.kind {
    case .mark: throw damaged("the mark of")
    case .recipe:
      // SAFETY: the entry was compared with the length of the file.
      let stored = place.file.bytes.extracting(entry.payload)
      guard let contents = try tools.unpacked(stored, entry.codec, byteCount: entry.byteCount),
        let recipe = try Recipe(contents.rawSpan, tools)
      else {
        try place.file.check()
        throw damaged("the recipe of")
      }
      // Its head says whose recipe it is.
      guard let record = PackRecord(place.file.bytes, at: entry.offset), record.digest == id, record.kind == .recipe
      else { throw damaged("the head of the recipe of") }
      return .recipe(recipe, byteCount: recipe.byteCount)
    case .data:
      let stored = place.file.bytes.extracting(entry.payload)
      if entry.codec == .raw {
        guard entry.storedByteCount == entry.byteCount, try tools.digest(of: stored) == id else {
          try place.file.check()
          throw damaged("the object")
        }
        place.file.noteRead(entry.payload)
        return .chunk(ChunkBytes(place.file, entry.payload))
      }
      guard let contents = try tools.unpacked(stored, entry.codec, byteCount: entry.byteCount),
        try tools.digest(of: contents.rawSpan) == id
      else {
        try place.file.check()
        throw damaged("the object")
      }
      return .chunk(ChunkBytes(contents, 0..<contents.count))
    case .patched:
      guard let record = PackRecord(place.file.bytes, at: entry.offset), record.digest == id, record.kind == .patched,
        let recipe = try PatchedRecipe(place.file.bytes.extracting(entry.payload), tools)
      else {
        try place.file.check()
        throw damaged("the list of patches of")
      }
      return .patched(recipe)
    case .deep:
      guard let frame = try deepFrame(at: place, of: id, mostDepth: mostDepth, tools) else {
        try place.file.check()
        throw damaged("the frame of")
      }
      let range = entry.inner..<entry.inner + entry.byteCount
      guard range.upperBound <= frame.count, try tools.digest(of: frame.rawSpan.extracting(range)) == id else {
        throw damaged("the object")
      }
      return .chunk(ChunkBytes(frame, range))
    case .frame:
      guard let frame = try frame(at: place, tools) else {
        try place.file.check()
        throw damaged("the frame of")
      }
      let range = entry.inner..<entry.inner + entry.byteCount
      guard range.upperBound <= frame.count, try tools.digest(of: frame.rawSpan.extracting(range)) == id else {
        throw damaged("the object")
      }
      return .chunk(ChunkBytes(frame, range))
    }
  }

  private func frame(at place: Place, _ tools: StoreTools) throws(FuseError) -> [UInt8]? {
    let entry = place.entry
    if let known = frames.contents(place.file, at: entry.offset) { return known }
    place.file.noteRead(entry.payload)
    let contents = try dictionaries.contents(
      of: place.file.bytes.extracting(entry.payload), codec: entry.codec, byteCount: entry.frameByteCount,
      in: place.file, tools)
    guard let contents else { return nil }
    frames.add(contents, place.file, at: entry.offset)
    return contents
  }
}

extension FuseError {
  /// Whether it says something of a file's contents, and not of the system or of the call.
  var isDamage: Bool {
    [.corrupted, .truncated, .notADatabase, .unsupportedVersion, .notFound, .invalidValue, .limitExceeded].contains(
      code)
  }
}

/// The bytes of a chunk: in the pack, or unpacked.
struct ChunkBytes: Sendable {
  private let file: StoreFile?
  private let memory: [UInt8]
  private let range: Range<Int>

  init(_ file: StoreFile, _ range: Range<Int>) {
    self.file = file
    self.range = range
    memory = []
  }

  init(_ memory: [UInt8], _ range: Range<Int>) {
    file = nil
    self.memory = memory
    self.range = range
  }

  var byteCount: Int { range.count }
  /// Whether they are used in place.
  var isInPlace: Bool { file != nil }

  var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: this value keeps the file, or the array, and the range lies inside of it.
      if let file { return unsafe _overrideLifetime(file.bytes.extracting(range), borrowing: self) }
      return unsafe _overrideLifetime(memory.rawSpan.extracting(range), borrowing: self)
    }
  }

  /// Throws where the file became shorter since the bytes were compared.
  func check() throws(FuseError) { try file?.check() }
}
