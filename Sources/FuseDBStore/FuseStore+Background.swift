public import FuseDBFormat
internal import FuseDBSystem

// Forms for tasks: on threads of their own, ended where the task is cancelled. See spec/decisions/0034-long-calls-of-tasks.md.
extension FuseStore {
  /// As ``put(path:_:progress:)``.
  @discardableResult
  public func putInBackground(
    path: String, _ options: StoreWriter.PutOptions = StoreWriter.PutOptions()
  ) async throws(FuseError) -> Stored {
    try await FuseBackground.run { () throws(FuseError) in try self.put(path: path, options) }
  }

  /// As ``put(_:to:)``.
  @discardableResult
  public func putInBackground(
    _ bytes: [UInt8], to destination: Destination = .automatic
  ) async throws(FuseError) -> Stored {
    try await FuseBackground.run { () throws(FuseError) in try self.put(bytes, to: destination) }
  }

  /// As ``bytes(of:)``.
  public func bytesInBackground(of id: ObjectID) async throws(FuseError) -> [UInt8]? {
    try await FuseBackground.run { () throws(FuseError) in try self.bytes(of: id) }
  }

  /// As ``write(of:to:progress:)``.
  @discardableResult
  public func writeInBackground(of id: ObjectID, to path: String) async throws(FuseError) -> Bool {
    try await FuseBackground.run { () throws(FuseError) in try self.write(of: id, to: path) }
  }

  /// As ``collect(_:progress:)``.
  @discardableResult
  public func collectInBackground(
    _ options: CollectOptions = CollectOptions()
  ) async throws(FuseError) -> Collection {
    try await FuseBackground.run { () throws(FuseError) in try self.collect(options) }
  }

  /// As ``verify(_:progress:)``.
  public func verifyInBackground(_ level: VerifyLevel = .everything) async throws(FuseError) -> Verification {
    try await FuseBackground.run { () throws(FuseError) in try self.verify(level) }
  }

  /// As ``read(of:range:)``.
  public func readInBackground(of id: ObjectID, range: Range<Int>) async throws(FuseError) -> [UInt8]? {
    try await FuseBackground.run { () throws(FuseError) in try self.read(of: id, range: range) }
  }

  /// As ``bytes(of:)-([ObjectID])``.
  public func bytesInBackground(of ids: [ObjectID]) async throws(FuseError) -> [[UInt8]?] {
    try await FuseBackground.run { () throws(FuseError) in try self.bytes(of: ids) }
  }

  /// As ``contains(_:)->[Bool]``.
  public func containsInBackground(_ ids: [ObjectID]) async throws(FuseError) -> [Bool] {
    try await FuseBackground.run { () throws(FuseError) in try self.contains(ids) }
  }

  /// As ``remove(_:)->[Bool]``.
  @discardableResult
  public func removeInBackground(_ ids: [ObjectID]) async throws(FuseError) -> [Bool] {
    try await FuseBackground.run { () throws(FuseError) in try self.remove(ids) }
  }

  /// Puts many objects, with one commit; they stay until they are removed.
  @discardableResult
  public func putInBackground(
    _ objects: [[UInt8]], _ options: StoreWriter.PutOptions = StoreWriter.PutOptions()
  ) async throws(FuseError) -> [Stored] {
    try await FuseBackground.run { () throws(FuseError) in
      let writer = try StoreWriter(self)
      var stored: [Stored] = []
      for bytes in objects { stored.append(try writer.put(bytes, options)) }
      try writer.commit()
      return stored
    }
  }

  /// Puts a folder under a name, as ``StoreWriter/putFolder(path:named:_:progress:)``, with a commit.
  @discardableResult
  public func putFolderInBackground(path: String, named name: String) async throws(FuseError) -> Stored {
    try await FuseBackground.run { () throws(FuseError) in
      let writer = try StoreWriter(self)
      let stored = try writer.putFolder(path: path, named: name)
      try writer.commit()
      return stored
    }
  }

  /// As ``writeFolder(_:to:below:threadCount:progress:)``.
  @discardableResult
  public func writeFolderInBackground(_ folder: ObjectID, to path: String) async throws(FuseError) -> Int {
    try await FuseBackground.run { () throws(FuseError) in try self.writeFolder(folder, to: path) }
  }

  /// As ``packLoose(progress:)``.
  @discardableResult
  public func packLooseInBackground() async throws(FuseError) -> Int {
    try await FuseBackground.run { () throws(FuseError) in try self.packLoose() }
  }

  /// As ``deepen(progress:)``.
  @discardableResult
  public func deepenInBackground() async throws(FuseError) -> Deepening {
    try await FuseBackground.run { () throws(FuseError) in try self.deepen() }
  }

  /// As ``repair(progress:)``.
  public func repairInBackground() async throws(FuseError) -> Repair {
    try await FuseBackground.run { () throws(FuseError) in try self.repair() }
  }

  /// As ``copy(to:progress:)``.
  @discardableResult
  public func copyInBackground(to other: FuseStore) async throws(FuseError) -> (count: Int, newByteCount: Int) {
    try await FuseBackground.run { () throws(FuseError) in try self.copy(to: other) }
  }

  /// As ``statistics()``.
  public func statisticsInBackground() async throws(FuseError) -> Statistics {
    try await FuseBackground.run { () throws(FuseError) in try self.statistics() }
  }
}
