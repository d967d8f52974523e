public import FuseDBFormat
internal import FuseDBSystem

extension FuseStore {
  /// A file of a folder that was put under a name.
  public struct FolderFile: Sendable, Equatable {
    /// Its contents.
    public var id: ObjectID
    /// Its path below the folder, with slashes.
    public var path: String
    /// How many bytes it has.
    public var byteCount: Int
    /// Its permissions.
    public var mode: UInt32
  }

  /// What a name leads to, and whether that is a folder; nil where there is no such name.
  ///
  /// - Throws: as ``id(named:)``.
  public func entry(named name: String) throws(FuseError) -> (id: ObjectID, isFolder: Bool)? {
    guard let ref = try ref(named: name) else { return nil }
    guard ref.kind == .versions else { return (ref.id, ref.kind == .tree) }
    return try versions(ref.id).versions.last.map { ($0.id, false) }
  }

  /// The files of a folder that was put under a name, in the order of their paths.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where the list of its files is missing, damaged, or none.
  public func files(of folder: ObjectID) throws(FuseError) -> [FolderFile] {
    try tree(folder).files.map {
      FolderFile(id: $0.id, path: String(path: $0.path), byteCount: $0.byteCount, mode: $0.mode)
    }
  }
}

extension StoreWriter {
  /// Puts all regular files of a folder, and has a name lead to them from the commit on. Links and devices are left out.
  ///
  /// - Parameter progress: called with the path of each file before it is put, and now and then while a large one is.
  /// - Returns: the list of the files, which is an object; its bytes are those of the files.
  /// - Throws: as ``put(path:_:progress:)`` and ``setName(_:to:)``.
  @discardableResult
  public func putFolder(
    path: String, named name: String, _ options: PutOptions = PutOptions(), progress: ((String) -> Void)? = nil
  ) throws(FuseError) -> FuseStore.Stored {
    var options = options
    (options.name, options.isKept) = (nil, false)
    let settings = try Settings(options, self)
    var total = FuseStore.Stored(id: FuseStore.ObjectID(), isNew: false, byteCount: 0, newByteCount: 0)
    var tree = StoreTreeText()
    let reader = try FolderReader(path, most: settings.chunking.whole)
    var reading = reader.nextInBackground(threadCount: threadCount)
    while let batch = try reading.wait().get() {
      reading = reader.nextInBackground(threadCount: threadCount)
      do throws(FuseError) {
        try put(batch, of: path, settings, options, progress, &tree, &total)
      } catch {
        _ = reading.wait()
        throw error
      }
    }
    let text = tree.take()
    let list = try put(text, PutOptions(isKept: false))
    total.id = list.id
    total.isNew = total.isNew || list.isNew
    try flushFrame()
    try setName(name, toPut: StoreRef(kind: .tree, id: list.id))
    return total
  }

  private func put(
    _ batch: FolderReader.Batch, of path: String, _ settings: Settings, _ options: PutOptions,
    _ progress: ((String) -> Void)?, _ tree: inout StoreTreeText, _ total: inout FuseStore.Stored
  ) throws(FuseError) {
    try Cancellation.check()
    for file in batch.files {
      let before = total.byteCount
      if let progress {
        folderByteCount = before
        progress(path + "/" + String(path: file.path))
      }
      let stored: FuseStore.Stored
      if let (range, id) = file.small {
        stored = try putChunk(batch.bytes.rawSpan.extracting(range), id, settings, isKept: false)
      } else {
        let place = path + "/" + String(path: file.path)
        stored = try put(regularFile: place, options) { done in
          self.folderByteCount = before + done
          progress?(place)
        }
      }
      tree.add(StoreTree.File(id: stored.id, byteCount: stored.byteCount, mode: file.mode, path: file.path))
      total.byteCount += stored.byteCount
      total.newByteCount += stored.newByteCount
      total.isNew = total.isNew || stored.isNew
    }
  }
}

extension FuseStore.Chunking {
  /// `MIN,AVG,MAX`, `fixed,N` or `fsdb`, as the configuration spells them; nil for anything else.
  package init?(_ text: String) {
    guard let chunking = StoreConfig.chunking(text) else { return nil }
    self = chunking
  }
}

extension FuseStore.Compression {
  /// `none`, `auto`, `zlib:L` or `zstd:L`, as the configuration spells them; nil for anything else.
  package init?(_ text: String) {
    guard let compression = StoreConfig.compression(text) else { return nil }
    self = compression
  }
}
