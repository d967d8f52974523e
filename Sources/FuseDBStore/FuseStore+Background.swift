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
}
