package import FuseDBFormat
package import FuseDBStore
internal import FuseDBSystem

/// Brings what another store has into one of ours. Every byte is digested while it is read; what differs from what the source says is
/// damage, which is told and ends the import, or is passed over. See spec/decisions/0048-import.md.
package struct StoreImport {
  /// Whose store it is.
  package enum Kind: String, CaseIterable, Sendable {
    case chunkstore
    /// Also of disk-objectstore, whose layout it is.
    case rsdos
    case unicache

    /// What people may call them.
    package static let names: [String: Kind] = [
      "chunkstore": .chunkstore, "rsdos": .rsdos, "disk-objectstore": .rsdos, "unicache": .unicache,
    ]
  }

  /// Something that is not what it should be.
  package struct Damage: Sendable {
    /// The object.
    package var what: String
    /// What is wrong, and where.
    package var error: FuseError
  }

  /// What was done.
  package struct Report: Sendable {
    package var objectCount = 0
    package var nameCount = 0
    package var byteCount = 0
    package var newByteCount = 0
    package var damagedCount = 0
    /// What nobody could compare; nil where all of it was.
    package var unchecked: String?
  }

  /// Passes over what is damaged.
  package var skipsDamaged = false
  /// Has names that lead to something else lead to what is imported.
  package var replacesNames = false
  /// What all names begin with.
  package var prefix = ""

  package init() {}

  /// Whose store the folder at `path` is; nil where it is like none.
  package static func kind(of path: String) -> Kind? {
    func has(_ name: String, _ kind: FileStatus.Kind) -> Bool { FileStatus(at: "\(path)/\(name)")?.kind == kind }
    if has(ContainerSource.configName, .regular), has("loose", .folder) || has("packs", .folder) { return .rsdos }
    if has(UniCacheSource.indexName, .regular), has(UniCacheSource.blocksName, .regular) { return .unicache }
    if has(ChunkstoreSource.manifestFolder, .folder) { return .chunkstore }
    return nil
  }

  /// Reads all of the store at `path`, and puts it into `store`.
  ///
  /// - Parameters:
  ///   - damaged: is told of each damage.
  ///   - progress: is told the share that is done, where that is known, and what is being read.
  /// - Throws: ``FuseError`` with code `corrupted` at the first damage unless it is passed over; `refused` where a name leads to something
  ///   else; `notFound` where there is no such store; `cancelled`, `inputOutput`. What was read before is in the store then.
  package func run(
    _ kind: Kind, from path: String, into store: FuseStore, damaged: @escaping (Damage) throws(FuseError) -> Void,
    progress: @escaping (Double?, String) -> Void
  ) throws(FuseError) -> Report {
    let job = try ImportJob(store, self, damaged, progress)
    do throws(FuseError) {
      switch kind {
      case .chunkstore: try ChunkstoreSource(path).read(job)
      case .rsdos: try ContainerSource(path).read(job)
      case .unicache: try UniCacheSource(path).read(job)
      }
    } catch {
      // What came before it is whole, and stays. Where that fails too, it was the store that failed, and not the source.
      guard error.code != .cancelled else { throw error }
      if error.code == .corrupted { try job.commit() } else { try? job.commit() }
      throw error
    }
    try job.commit()
    return job.report
  }
}
