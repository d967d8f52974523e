internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import Synchronization

/// A sealed pack and its index, as a reader has them. They never change; what is no longer kept is said beside them.
final class PackView: Sendable {
  /// Without folder and suffix.
  let name: String
  let index: FuseReader
  let file: StoreFile
  /// Marks of this pack that were taken back. [SM3]
  let gone: Set<FuseStore.ObjectID>
  let goneByteCount: Int

  static func packName(_ name: String) -> String { "packs/\(name).pack" }
  static func indexName(_ name: String) -> String { "packs/\(name).fsdb" }
  static func sealingName(_ name: String) -> String { "tmp/\(name).sealing" }
  static func goneName(_ name: String) -> String { "packs/\(name).gone" }

  init(
    _ name: String, index: FuseReader, file: StoreFile, gone: Set<FuseStore.ObjectID> = [], goneByteCount: Int = 0
  ) {
    self.name = name
    self.index = index
    self.file = file
    self.gone = gone
    self.goneByteCount = goneByteCount
  }

  /// Opens a pack; nil where it was removed. Throws where its index or its head are damaged.
  static func open(
    _ name: String, _ backend: any StoreBackend, store: [UInt8]
  ) throws(FuseError) -> PackView? {
    guard let index = try backend.reader(indexName(name)) else { return nil }
    guard let file = try backend.file(packName(name)) else {
      // The index goes first when a pack is removed.
      guard try backend.reader(indexName(name)) != nil else { return nil }
      throw FuseError(
        .notFound, "the pack is missing, and its index is there; 'fusedb store verify --repair' says what is gone",
        path: "\(backend.path)/\(packName(name))")
    }
    try PackHead.check(file.bytes, store: store, path: "\(backend.path)/\(packName(name))")
    return PackView(name, index: index, file: file)
  }

  /// The same pack, with what was taken back since.
  func with(gone: Set<FuseStore.ObjectID>, byteCount: Int) -> PackView {
    PackView(name, index: index, file: file, gone: gone, goneByteCount: byteCount)
  }

  /// Where the pack has an object; nil where it has none.
  func entry(of id: FuseStore.ObjectID) throws(FuseError) -> PackEntry? {
    var entry: PackEntry?
    var isFound = false
    do {
      // SAFETY: the key is read while the call lasts, in which the identifier stays where it is.
      try unsafe withUnsafeBytes(of: id) { bytes in
        let key = unsafe RawSpan(_unsafeBytes: bytes)
        _ = try index.withBytes(forKey: key) { value in
          isFound = true
          entry = PackEntry(value, packByteCount: file.byteCount)
        }
      }
    } catch let error as FuseError { throw error } catch { fatalError("look-ups throw FuseError") }
    guard isFound else { return nil }
    guard let entry else { throw damaged(id) }
    return entry
  }

  func damaged(_ id: FuseStore.ObjectID) -> FuseError {
    FuseError(
      .corrupted, "the entry of \(id) is damaged; 'fusedb store verify --repair' makes the index anew", path: index.path
    )
  }

  /// Calls `body` with every entry, by the order of their digests.
  func forEach(_ body: (FuseStore.ObjectID, PackEntry) throws(FuseError) -> Void) throws(FuseError) {
    var scan = try index.entries()
    while let next = try scan.next() {
      let key = try next.key
      guard let id = FuseStore.ObjectID(key.rawSpan) else {
        throw FuseError(.corrupted, "a key of the pack's index is no digest", path: index.path)
      }
      let value = try next.bytes
      guard let entry = PackEntry(value, packByteCount: file.byteCount) else { throw damaged(id) }
      try body(id, entry)
    }
  }

  /// Whether the pack says that an object is kept.
  func keeps(_ id: FuseStore.ObjectID, _ entry: PackEntry) -> Bool { entry.isKept && !gone.contains(id) }

  /// The payload of an entry as it is stored, inside of the pack: the entry was compared with its length.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: the file is a constant of this object, which outlives the borrow of self.
      let file = file
      return unsafe _overrideLifetime(file.bytes, borrowing: self)
    }
  }
}

/// The packs of a store at a moment.
struct StoreView: Sendable {
  /// By their names.
  var packs: [PackView] = []
  /// Packs that are on their way out: read last, and never relied on by a writer.
  var condemned: [PackView] = []
  /// The number of the newest list of condemned packs. [SG2]
  var generation = 0
  /// What could not be opened, and why.
  var damaged: [String: FuseError] = [:]

  var all: [PackView] { packs + condemned }
}
