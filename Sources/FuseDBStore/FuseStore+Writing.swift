public import FuseDBFormat
internal import FuseDBSystem

extension FuseStore {
  /// Where a single object goes.
  public enum Destination: Sendable {
    /// Small ones are loose, larger ones are packed.
    case automatic
    /// A file of its own, quick to write; ``packLoose(progress:)`` and ``collect(_:progress:)`` pack it later. Only what is one chunk can be loose.
    case loose
    /// A pack.
    case packs
  }

  /// Puts one object, durably; it stays until it is removed.
  ///
  /// For many objects use a ``StoreWriter``: it makes them durable together.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput`.
  @discardableResult
  public func put(_ bytes: [UInt8], to destination: Destination = .automatic) throws(FuseError) -> Stored {
    let isSmall = bytes.count <= configuration.chunking.whole
    if isSmall, destination != .packs { return try putLoose(bytes) }
    let writer = try StoreWriter(self)
    let stored = try writer.put(bytes)
    try writer.commit()
    return stored
  }

  /// Puts one file, durably; it stays until it is removed, or its name goes, where the options give it one.
  ///
  /// - Throws: as ``StoreWriter/put(path:_:progress:)`` and ``StoreWriter/commit()``.
  @discardableResult
  public func put(
    path: String, _ options: StoreWriter.PutOptions = StoreWriter.PutOptions(), progress: ((Int) -> Void)? = nil
  ) throws(FuseError) -> Stored {
    let writer = try StoreWriter(self)
    let stored = try writer.put(path: path, options, progress: progress)
    try writer.commit()
    return stored
  }

  private func putLoose(_ bytes: [UInt8]) throws(FuseError) -> Stored {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    let id = try tools.digest(of: bytes.rawSpan)
    var stored = Stored(id: id, isNew: false, byteCount: bytes.count, newByteCount: 0)
    // What was taken back, or removed, since the list was read counts.
    let view = try refresh()
    for pack in view.packs {
      guard let entry = try? pack.entry(of: id), entry.hasPayload, pack.keeps(id, entry),
        (try? read(id, Place(pack, entry, in: path), tools)) != nil
      else { continue }
      return stored
    }
    let name = Self.looseName(id)
    if let place = try? loosePlace(id), (try? read(id, place, tools)) != nil { return stored }
    let packed = try tools.packed(bytes.rawSpan, configuration.compression)
    var file: [UInt8] = []
    let payload = packed?.1 ?? bytes
    PackRecord(
      kind: .data, codec: packed?.0 ?? .raw, isKept: true, storedByteCount: payload.count, byteCount: bytes.count,
      digest: id
    ).append(to: &file)
    // In place of a damaged one, too; whoever puts the same writes the same.
    _ = try backend.write(file + payload, to: name, replacing: true)
    (stored.isNew, stored.newByteCount) = (true, bytes.count)
    return stored
  }

  /// Has an object no longer stay for its own sake. It goes with the next collection, unless a name leads to it.
  ///
  /// - Returns: whether it was kept.
  /// - Throws: ``FuseError`` with code `corrupted` where the index of a pack is damaged, `inputOutput`.
  public func remove(_ id: ObjectID) throws(FuseError) -> Bool { try remove([id]).first! }

  /// The same for many objects, in their order.
  public func remove(_ ids: [ObjectID]) throws(FuseError) -> [Bool] {
    let lock = try backend.lock("tmp/marks.lock", waiting: true)
    defer { withExtendedLifetime(lock) {} }
    let view = try refresh()
    if let (_, error) = view.damaged.first { throw error }
    var wasKept = [Bool](repeating: false, count: ids.count)
    for pack in view.all {
      var gone: [ObjectID] = []
      for (number, id) in ids.enumerated() {
        guard let entry = try pack.entry(of: id), pack.keeps(id, entry) else { continue }
        wasKept[number] = true
        gone.append(id)
      }
      if !gone.isEmpty { _ = try GoneMarks.add(gone, to: pack, backend) }
    }
    for (number, id) in ids.enumerated() where try backend.file(Self.looseName(id)) != nil {
      wasKept[number] = true
      try backend.remove(Self.looseName(id))
    }
    _ = try refresh()
    return wasKept
  }

  /// Takes a name away, also where it is damaged; what it led to goes with the next collection, unless it stays for another reason.
  ///
  /// - Returns: whether there was such a name.
  /// - Throws: ``FuseError`` with code `invalidArgument` where the name is empty or too long, `inputOutput`.
  public func removeName(_ name: String) throws(FuseError) -> Bool {
    guard try backend.file("refs/" + StoreRef.fileName(name, path: path)) != nil else { return false }
    let writer = try StoreWriter(self)
    try writer.removeName(name)
    try writer.commit()
    return true
  }

  /// Takes one of the versions of a name away. The others keep their numbers and can be read as before; what this one took goes with the next
  /// collection, but for what others are patches of or are packed after.
  ///
  /// - Returns: whether the name has such a version.
  /// - Throws: ``FuseError`` with code `refused` where it is the newest, which the name stands for; as ``versions(named:)``, and `inputOutput`.
  public func removeVersion(_ number: Int, of name: String) throws(FuseError) -> Bool {
    let writer = try StoreWriter(self)
    guard try writer.removeVersion(number, of: name) else { return false }
    try writer.commit()
    return true
  }

  /// Has a name lead to an object that is there, durably.
  ///
  /// - Throws: as ``StoreWriter/setName(_:to:)`` and ``StoreWriter/commit()``.
  public func setName(_ name: String, to id: ObjectID) throws(FuseError) {
    let writer = try StoreWriter(self)
    try writer.setName(name, to: id)
    try writer.commit()
  }

  /// Packs loose objects. Readers are not disturbed.
  ///
  /// - Parameter progress: called now and then with the share that is done.
  /// - Returns: how many were packed.
  /// - Throws: ``FuseError`` with code `inputOutput`, `cancelled`. Damaged ones stay as they are.
  @discardableResult
  public func packLoose(progress: ((Double) -> Void)? = nil) throws(FuseError) -> Int {
    let ids = try looseObjects()
    guard !ids.isEmpty else { return 0 }
    var done = 0
    // A part at a time, so that space is freed as it goes.
    for start in stride(from: 0, to: ids.count, by: 1024) {
      let part = ids[start..<min(start + 1024, ids.count)]
      // Nobody takes one back between the look at it and the pack that has it.
      let lock = try backend.lock("tmp/marks.lock", waiting: true)
      defer { withExtendedLifetime(lock) {} }
      let writer = try StoreWriter(self)
      var packed: [ObjectID] = []
      let tools = try StoreTools.take()
      defer { tools.giveBack() }
      for id in part {
        try Cancellation.check()
        guard let place = try? loosePlace(id), case .chunk(let chunk)? = try? read(id, place, tools) else { continue }
        try writer.put(chunk.bytes.array())
        packed.append(id)
      }
      try writer.commit()
      for id in packed { try backend.remove(Self.looseName(id)) }
      done += packed.count
      progress?(Double(start + part.count) / Double(ids.count))
    }
    return done
  }

  /// The loose objects, in order.
  func looseObjects() throws(FuseError) -> [ObjectID] {
    var ids: [ObjectID] = []
    for folder in try backend.names(in: "loose") {
      for name in try backend.names(in: "loose/\(folder)") { if let id = ObjectID(folder + name) { ids.append(id) } }
    }
    return ids.sorted()
  }
}
