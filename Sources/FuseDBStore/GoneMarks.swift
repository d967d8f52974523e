internal import FuseDBFormat

/// Beside a pack: the objects in it that are kept no more. The list grows, and is replaced in one step. [SM3]
enum GoneMarks {
  private static let magic = Array("FSDBGONE".utf8)

  /// The pack with the marks that there are now.
  static func updated(_ pack: PackView, _ backend: any StoreBackend) throws(FuseError) -> PackView {
    let name = PackView.goneName(pack.name)
    guard let file = try backend.file(name), file.byteCount != pack.goneByteCount else { return pack }
    let bytes = file.bytes
    let end = bytes.byteCount - 4
    guard end >= magic.count, (end - magic.count) % FuseStore.ObjectID.byteCount == 0,
      bytes.extracting(first: magic.count).array() == magic,
      bytes.load(at: end, as: UInt32.self) == Checksum.of(bytes.extracting(first: end))
    else {
      throw FuseError(
        .corrupted,
        "the list of what is kept no more is damaged; 'fusedb store verify --repair' removes it, and what it took back is kept again",
        path: "\(backend.path)/\(name)")
    }
    var gone: Set<FuseStore.ObjectID> = []
    for place in stride(from: magic.count, to: end, by: FuseStore.ObjectID.byteCount) {
      if let id = FuseStore.ObjectID(bytes, at: place) { gone.insert(id) }
    }
    return pack.with(gone: gone, byteCount: file.byteCount)
  }

  /// Takes marks back. The caller has the lock of marks.
  static func add(
    _ ids: [FuseStore.ObjectID], to pack: PackView, _ backend: any StoreBackend
  ) throws(FuseError) -> PackView {
    let all = pack.gone.union(ids)
    return pack.with(gone: all, byteCount: try write(all, of: pack.name, backend))
  }

  /// Writes the list of a pack, and returns its length. The caller has the lock of marks.
  static func write(
    _ ids: Set<FuseStore.ObjectID>, of name: String, _ backend: any StoreBackend
  ) throws(FuseError) -> Int {
    var bytes = magic
    for id in ids.sorted() { bytes += id.bytes }
    bytes.append(bigEndian: Checksum.of(bytes.rawSpan))
    _ = try backend.write(bytes, to: PackView.goneName(name), replacing: true)
    return bytes.count
  }
}

/// The lists of packs that are on their way out. [SG2]
///
/// Each collection that condemns packs writes the next list. Its number is the store's generation; the newest list stays, so that numbers
/// never come twice.
enum CondemnedList {
  static func name(_ generation: Int) -> String {
    let digits = String(generation)
    return "condemned/" + String(repeating: "0", count: 12 - digits.count) + digits
  }

  /// All lists, by their numbers.
  static func all(in backend: any StoreBackend) throws(FuseError) -> [(generation: Int, packs: [String])] {
    var lists: [(generation: Int, packs: [String])] = []
    for file in try backend.names(in: "condemned") {
      guard file.utf8.count == 12, let generation = Int(file), generation > 0 else { continue }
      // One that is gone by now had all of its packs removed.
      guard let list = try backend.file("condemned/\(file)") else { continue }
      let words = String(decoding: list.bytes.array(), as: UTF8.self).split(separator: "\n").map { String($0) }
      guard words.last == "end" else {
        throw FuseError(
          .corrupted,
          "the list of condemned packs is damaged; 'fusedb store verify --repair' removes it, and its packs stay",
          path: "\(backend.path)/condemned/\(file)")
      }
      lists.append((generation, Array(words.dropLast())))
    }
    return lists
  }

  /// The generation, and all condemned packs.
  static func newest(in backend: any StoreBackend) throws(FuseError) -> (generation: Int, packs: Set<String>) {
    let lists = try all(in: backend)
    return (lists.map(\.generation).max() ?? 0, Set(lists.flatMap(\.packs)))
  }

  static func write(_ packs: [String], generation: Int, _ backend: any StoreBackend) throws(FuseError) {
    let text = (packs.sorted() + ["end", ""]).joined(separator: "\n")
    guard try backend.write(Array(text.utf8), to: name(generation), replacing: false) else {
      throw FuseError(.refused, "another collection condemned packs at the same time; try again", path: backend.path)
    }
  }
}
