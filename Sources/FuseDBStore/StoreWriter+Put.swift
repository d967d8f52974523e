internal import CFuseCuts
public import FuseDBFormat
internal import FuseDBSystem

extension StoreWriter {
  /// How an object is put.
  public struct PutOptions: Sendable {
    /// How it is cut; nil as the store says.
    public var chunking: FuseStore.Chunking?
    /// How its chunks are packed; nil as the store says.
    public var compression: FuseStore.Compression?
    /// A name for it, from the commit on.
    public var name: String?
    /// Whether it stays until it is removed. Without, it stays while a name leads to it; a name that is given leads to it.
    public var isKept: Bool?
    /// Whether the name keeps what it led to before as older versions, which ``FuseStore/versions(named:)`` lists; nil where it does so when it
    /// did before. Versions of a look-up file are kept as patches: the newest whole, and one of 24.
    public var keepsVersions: Bool?

    /// As the store says; kept unless there is a name.
    public init(
      chunking: FuseStore.Chunking? = nil, compression: FuseStore.Compression? = nil, name: String? = nil,
      isKept: Bool? = nil, keepsVersions: Bool? = nil
    ) {
      self.chunking = chunking
      self.compression = compression
      self.name = name
      self.isKept = isKept
      self.keepsVersions = keepsVersions
    }
  }

  /// Puts bytes.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput`, `cancelled`, or `invalidArgument` where the options are none. After
  ///   a failure to write, the commit throws the same: nothing is acknowledged by halves.
  @discardableResult
  public func put(
    _ bytes: [UInt8], _ options: PutOptions = PutOptions()
  ) throws(FuseError) -> FuseStore.Stored {
    let settings = try Settings(options, self)
    if bytes.count <= settings.chunking.whole {
      return try finish(
        putChunk(bytes.rawSpan, try tools.digest(of: bytes.rawSpan), settings, isKept: settings.isKept), settings)
    }
    var done = 0
    return try putPieces(settings, nil) { buffer, count throws(FuseError) in
      let end = min(bytes.count, done + count)
      buffer.append(contentsOf: bytes[done..<end])
      done = end
    }
  }

  /// Puts bytes that need not be in an array. They are copied where there are many.
  @discardableResult
  public func put(_ bytes: RawSpan, _ options: PutOptions = PutOptions()) throws(FuseError) -> FuseStore.Stored {
    let settings = try Settings(options, self)
    if bytes.byteCount <= settings.chunking.whole {
      return try finish(putChunk(bytes, try tools.digest(of: bytes), settings, isKept: settings.isKept), settings)
    }
    return try put(bytes.array(), options)
  }

  /// Puts the file at `path`, which is read once, piece by piece.
  ///
  /// - Parameter progress: called now and then with the bytes that were read.
  /// - Throws: as ``put(_:_:)``; `notFound` where there is no regular file.
  @discardableResult
  public func put(
    path: String, _ options: PutOptions = PutOptions(), progress: ((Int) -> Void)? = nil
  ) throws(FuseError) -> FuseStore.Stored {
    guard let status = FileStatus(at: path) else { throw .system("open the file", path: path) }
    guard status.kind == .regular else {
      throw FuseError(.notFound, "only regular files and folders can be put; this is neither", path: path)
    }
    return try put(regularFile: path, options, progress: progress)
  }

  /// The same for what was looked at already.
  func put(
    regularFile path: String, _ options: PutOptions, progress: ((Int) -> Void)? = nil
  ) throws(FuseError) -> FuseStore.Stored {
    let settings = try Settings(options, self)
    if let name = settings.versionsName { return try putVersion(path: path, named: name, options, progress: progress) }
    let file = try InputDescriptor(PinnedPath(path))
    var head: [UInt8] = []
    try file.append(settings.chunking.whole + 1, at: 0, to: &head)
    if head.count <= settings.chunking.whole {
      progress?(head.count)
      return try finish(
        putChunk(head.rawSpan, try tools.digest(of: head.rawSpan), settings, isKept: settings.isKept), settings)
    }
    return try putFile(file, settings, progress)
  }

  /// Puts what `next` gives, until it gives nothing: a stream whose length nobody knows.
  ///
  /// - Parameter next: gives the next bytes, as many as it likes; nil at the end.
  /// - Throws: as ``put(_:_:)``, and what `next` throws.
  @discardableResult
  public func put(
    _ options: PutOptions = PutOptions(), progress: ((Int) -> Void)? = nil,
    from next: () throws(FuseError) -> [UInt8]?
  ) throws(FuseError) -> FuseStore.Stored {
    let settings = try Settings(options, self)
    var isEnd = false
    return try putPieces(settings, progress) { buffer, count throws(FuseError) in
      let most = buffer.count + count
      while !isEnd, buffer.count < most {
        guard let more = try next() else { return isEnd = true }
        buffer += more
      }
    }
  }

  /// How an object is put, looked up once.
  struct Settings {
    let chunking: FuseStore.Chunking
    let compression: FuseStore.Compression
    let name: String?
    let isKept: Bool
    /// The name, where it is to have versions.
    let versionsName: String?

    init(_ options: PutOptions, _ writer: StoreWriter) throws(FuseError) {
      chunking = options.chunking ?? writer.store.configuration.chunking
      compression = options.compression ?? writer.store.configuration.compression
      name = options.name
      isKept = options.isKept ?? (options.name == nil)
      if let fault = chunking.fault ?? compression.fault {
        throw FuseError(.invalidArgument, fault, path: writer.store.path)
      }
      if let name { _ = try StoreRef.fileName(name, path: writer.store.path) }
      try writer.begin()
      var keepsVersions = options.keepsVersions ?? false
      if let name, options.keepsVersions == nil {
        keepsVersions = try writer.store.readableRef(named: name)?.kind == .versions
      }
      versionsName = keepsVersions ? name : nil
    }
  }

  private func finish(_ stored: FuseStore.Stored, _ settings: Settings) throws(FuseError) -> FuseStore.Stored {
    if let name = settings.versionsName {
      try add(version: stored, named: name) { (_: FuseStore.Version) throws(FuseError) in nil }
    } else if let name = settings.name {
      try setName(name, to: stored.id)
    }
    return stored
  }

  // MARK: One chunk

  /// Stores contents whose digest is known, unless the store has them.
  func putChunk(
    _ bytes: RawSpan, _ id: FuseStore.ObjectID, _ settings: Settings, isKept: Bool,
    packed: (StoreCodec, [UInt8])? = nil, isPacked: Bool = false
  ) throws(FuseError) -> FuseStore.Stored {
    if try isKnown(id, contents: bytes, keeping: isKept) {
      return FuseStore.Stored(id: id, isNew: false, byteCount: bytes.byteCount, newByteCount: 0)
    }
    let stored = FuseStore.Stored(id: id, isNew: true, byteCount: bytes.byteCount, newByteCount: bytes.byteCount)
    if !isPacked, bytes.byteCount <= OpenFrame.mostObjectByteCount, settings.compression != .none {
      if !frame.hasRoom(for: bytes.byteCount, settings.compression) { try handOverFrame() }
      frame.compression = settings.compression
      frame.add(bytes, id, isKept: isKept)
      return stored
    }
    let packed = isPacked ? packed : try tools.packed(bytes, settings.compression)
    if let (codec, payload) = packed {
      try append(.data, id, codec, byteCount: bytes.byteCount, payload: payload.rawSpan, isKept: isKept)
    } else {
      try append(.data, id, .raw, byteCount: bytes.byteCount, payload: bytes, isKept: isKept)
    }
    return stored
  }

  /// Whether contents are there, in a place that stays. What is there is compared with them: damage is not relied on, but written anew.
  func isKnown(_ id: FuseStore.ObjectID, contents: RawSpan, keeping: Bool) throws(FuseError) -> Bool {
    if try isInFrame(id, keeping: keeping) { return true }
    if let own = ownEntry(id), own.hasPayload, !own.kind.isRecipe {
      if keeping, !own.isKept { try mark(id) }
      return true
    }
    let count = reliableCount
    for step in 0..<count {
      let number = (lastReliable + step) % count
      let pack = reliablePack(number)
      // Whatever is wrong with the index or the copy there: it is not relied on.
      guard let entry = try? pack.entry(of: id), entry.hasPayload, !entry.kind.isRecipe,
        try isReliable(entry, in: pack), try holds(contents, id, pack, entry)
      else { continue }
      lastReliable = number
      if keeping { try keep(id) }
      return true
    }
    return false
  }

  private func holds(
    _ contents: RawSpan, _ id: FuseStore.ObjectID, _ pack: PackView, _ entry: PackEntry
  ) throws(FuseError) -> Bool {
    guard entry.byteCount == contents.byteCount, PackRecord(pack.bytes, at: entry.offset) != nil else { return false }
    if entry.kind == .data, entry.codec == .raw {
      guard entry.storedByteCount == entry.byteCount else { return false }
      let isSame = Self.areEqual(contents, pack.bytes.extracting(entry.payload))
      pack.file.noteRead(entry.payload)
      return isSame && (try? pack.file.check()) != nil
    }
    if entry.kind == .frame, try !frameHolds(at: entry.offset, in: pack) { return false }
    let place = FuseStore.Place(pack, entry, in: store.path)
    do throws(FuseError) {
      guard case .chunk(let chunk) = try store.read(id, place, tools) else { return false }
      return Self.areEqual(contents, chunk.bytes)
    } catch {
      guard !error.isDamage else { return false }
      throw error
    }
  }

  /// Whether a frame is what was written, with the one that it is packed after. An object of a spoilt frame may still be right, but no check counts
  /// such a frame as one to rely on. [SR8]
  private func frameHolds(at offset: Int, in pack: PackView) throws(FuseError) -> Bool {
    let key = FrameKey(pack: ObjectIdentifier(pack), offset: offset)
    if let known = frameVerdicts[key] { return known }
    var answer = false
    if let record = PackRecord(pack.bytes, at: offset),
      record.storedByteCount <= pack.bytes.byteCount - offset - PackRecord.byteCount,
      try PackWalk.holds(record, offset, pack.file, tools)
    {
      answer = true
      // The frame that it is packed after has a dictionary of none.
      if record.codec == .primed {
        answer = false
        if let word = pack.bytes.load(at: offset + PackRecord.byteCount, as: UInt64.self),
          let other = PackRecord(pack.bytes, at: Int(clamping: word)), other.codec != .primed
        {
          answer = try frameHolds(at: Int(clamping: word), in: pack)
        }
      }
    }
    frameVerdicts[key] = answer
    return answer
  }

  static func areEqual(_ left: RawSpan, _ right: RawSpan) -> Bool {
    guard left.byteCount == right.byteCount else { return false }
    // SAFETY: both spans have so many bytes.
    return unsafe left.withUnsafeBytes { left in
      unsafe right.withUnsafeBytes { right in
        unsafe fuse_cut_equal(left.baseAddress, right.baseAddress, left.count) != 0
      }
    }
  }

  // MARK: Marks

  /// Has an object stay that is there already.
  func keep(_ id: FuseStore.ObjectID) throws(FuseError) {
    if let own = ownEntry(id), own.isKept { return }
    for number in 0..<reliableCount {
      let pack = reliablePack(number)
      // A mark whose record is spoilt is in no index that is made anew.
      guard let entry = try? pack.entry(of: id), entry.isKept, PackRecord(pack.bytes, at: entry.offset) != nil
      else { continue }
      // What was taken back since the list was read counts.
      let now = try GoneMarks.updated(pack, store.backend)
      if now.keeps(id, entry) { return }
    }
    try mark(id)
  }

  /// Says once more that it stays.
  func mark(_ id: FuseStore.ObjectID) throws(FuseError) {
    let nothing: [UInt8] = []
    try append(.mark, id, .raw, byteCount: 0, payload: nothing.rawSpan, isKept: true)
  }

  // MARK: Many chunks

  /// How many bytes are cut and digested at once.
  static let pieceByteCount = 4 << 20

  private func putFile(
    _ file: InputDescriptor, _ settings: Settings, _ progress: ((Int) -> Void)?
  ) throws(FuseError) -> FuseStore.Stored {
    var assembly = try Assembly(self, settings)
    try assembly.put(file, progress)
    return try finish(try assembly.finish(), settings)
  }

  private func putPieces(
    _ settings: Settings, _ progress: ((Int) -> Void)?,
    _ fill: (inout [UInt8], Int) throws(FuseError) -> Void
  ) throws(FuseError) -> FuseStore.Stored {
    var assembly = try Assembly(self, settings)
    var isLast = false
    while !isLast {
      try assembly.putPiece { buffer throws(FuseError) in
        let before = buffer.count
        try fill(&buffer, Self.pieceByteCount)
        isLast = buffer.count == before
        return isLast
      }
      progress?(assembly.byteCount)
      try Cancellation.check()
    }
    return try finish(try assembly.finish(), settings)
  }
}
