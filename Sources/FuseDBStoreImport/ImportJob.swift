internal import FuseDBFormat
internal import FuseDBStore
internal import FuseDBSystem

/// Puts what a source gives into the store, and keeps the account.
final class ImportJob {
  private let store: FuseStore
  private let writer: StoreWriter
  private let options: StoreImport
  private let damaged: (StoreImport.Damage) throws(FuseError) -> Void
  let progress: (Double?, String) -> Void
  var report = StoreImport.Report()
  /// Names that lead somewhere from the next commit on, and what was put since the last one.
  /// By their bytes: texts are the same to Swift where only their normal forms differ.
  private var names: [[UInt8]: FuseStore.ObjectID] = [:]
  private var pending = (count: 0, byteCount: 0)

  private static let mostPendingCount = 50_000
  private static let mostPendingByteCount = 1 << 30

  init(
    _ store: FuseStore, _ options: StoreImport, _ damaged: @escaping (StoreImport.Damage) throws(FuseError) -> Void,
    _ progress: @escaping (Double?, String) -> Void
  ) throws(FuseError) {
    self.store = store
    self.options = options
    self.damaged = damaged
    self.progress = progress
    writer = try StoreWriter(store)
  }

  func commit() throws(FuseError) {
    try writer.commit()
    names = [:]
    pending = (0, 0)
  }

  private func commitNowAndThen() throws(FuseError) {
    guard pending.count >= Self.mostPendingCount || pending.byteCount >= Self.mostPendingByteCount else { return }
    try commit()
  }

  // MARK: Damage

  /// Tells of damage, and ends the import unless it is passed over.
  func tell(_ what: String, _ error: FuseError) throws(FuseError) {
    guard error.code != .cancelled else { throw error }
    report.damagedCount += 1
    try damaged(StoreImport.Damage(what: what, error: error))
    guard options.skipsDamaged else {
      throw FuseError(
        .corrupted,
        """
        \(quoted(what)) can't be imported: \(error.message); '--skip-damaged' passes over what is damaged. \
        What came before it (\(counted(report.objectCount, "object"))) is in the store
        """, offset: error.offset, path: error.path, errno: error.errno)
    }
  }

  private func quoted(_ text: String) -> String { "'\(EscapedText.harmless(text))'" }

  /// Does a part of the work whose failure is the source's.
  func attempt(_ what: String, _ body: () throws(FuseError) -> Void) throws(FuseError) {
    do throws(FuseError) { try body() } catch { try tell(what, error) }
  }

  // MARK: Objects

  /// Puts an object, under a name or kept for its own sake. Where the source is damaged, nothing of it is kept.
  ///
  /// - Parameters:
  ///   - expected: its digest, where the source says it.
  ///   - next: its bytes, piece by piece. What it throws is damage of the source.
  /// - Returns: its digest; nil where it is damaged.
  func put(
    _ what: String, expected: FuseStore.ObjectID? = nil, isKept: Bool, _ next: () throws(FuseError) -> [UInt8]?
  ) throws(FuseError) -> FuseStore.ObjectID? {
    let source = CheckedSource(expected, try RunningDigest())
    let options = StoreWriter.PutOptions(isKept: isKept)
    let stored: FuseStore.Stored
    do throws(FuseError) {
      // A first piece that is the last is the whole: most objects are small.
      let first = try source.next(next) ?? []
      if let second = try source.next(next) {
        var ahead = [second, first]
        stored = try writer.put(options) { () throws(FuseError) in
          if let piece = ahead.popLast() { return piece }
          return try source.next(next)
        }
      } else {
        stored = try writer.put(first, options)
      }
    } catch {
      guard let fault = source.fault else { throw error }
      try tell(what, fault)
      return nil
    }
    report.objectCount += 1
    report.byteCount += stored.byteCount
    report.newByteCount += stored.newByteCount
    pending.count += 1
    pending.byteCount += stored.byteCount
    if isKept { try commitNowAndThen() }
    return stored.id
  }

  // MARK: Names

  /// What a name is called here.
  func fullName(_ name: String) -> String { options.prefix + name }

  /// Whether the store takes a name; where not, that is told, and its object is kept by its digest.
  func takes(_ name: String) throws(FuseError) -> Bool {
    do throws(FuseError) {
      _ = try store.id(named: fullName(name))
      return true
    } catch {
      guard error.code == .invalidArgument else { throw error }
      try tell(name, FuseError(.limitExceeded, "\(error.message); the object is kept by its ID alone"))
      return false
    }
  }

  /// What a name leads to, with what this import has set.
  func id(named name: String) throws(FuseError) -> FuseStore.ObjectID? { try leads(fullName(name)) }

  private func leads(_ fullName: String) throws(FuseError) -> FuseStore.ObjectID? {
    if let id = names[Array(fullName.utf8)] { return id }
    return try store.id(named: fullName)
  }

  /// Has a name lead to an object.
  func name(_ name: String, _ id: FuseStore.ObjectID) throws(FuseError) {
    let name = fullName(name)
    if let other = try leads(name), other != id, !options.replacesNames {
      throw FuseError(
        .refused,
        "the name \(quoted(name)) leads to \(other) already; '--overwrite' has it lead to what is imported, '--name' puts something before all names",
        path: store.path)
    }
    try writer.setName(name, to: id)
    names[Array(name.utf8)] = id
    report.nameCount += 1
    try commitNowAndThen()
  }
}

/// The bytes of a source, compared with the digest that it says.
private final class CheckedSource {
  private let expected: FuseStore.ObjectID?
  private let digest: RunningDigest
  private var isEnd = false
  /// What was wrong with the source.
  private(set) var fault: FuseError?

  init(_ expected: FuseStore.ObjectID?, _ digest: RunningDigest) {
    self.expected = expected
    self.digest = digest
  }

  func next(_ body: () throws(FuseError) -> [UInt8]?) throws(FuseError) -> [UInt8]? {
    guard !isEnd else { return nil }
    do throws(FuseError) {
      try Cancellation.check()
      if let piece = try body() {
        if expected != nil { try digest.add(piece) }
        return piece
      }
      isEnd = true
      if let expected {
        let found = try digest.take()
        guard found == expected else {
          throw FuseError(.corrupted, "its contents have the SHA-256 \(found), and not the one that it is kept under")
        }
      }
      return nil
    } catch {
      fault = error
      throw error
    }
  }
}
