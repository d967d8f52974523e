internal import FuseDB
internal import FuseDBCommands
internal import FuseDBInput
internal import FuseDBStore

extension StoreJob {
  /// `ls`: names, or the files of a folder.
  func list() throws(FuseError) {
    if let word = words.first {
      if let versions = try store.versions(named: word) {
        for version in versions { try list("\(word)@\(version.number)", version.id, "version", version.byteCount) }
        return
      }
      guard case .folder(let id, let prefix) = try meaning(of: word) else {
        throw FuseError(
          .invalidArgument, "'\(word)' is no folder; 'fusedb store stat' says what it is", path: store.path)
      }
      for file in try store.files(of: id) where file.path.hasPrefix(prefix) {
        try list(file.path, file.id, "file", file.byteCount)
      }
      return
    }
    for name in try store.names() {
      guard let (id, isFolder) = try store.entry(named: name) else { continue }
      try list(name, id, isFolder ? "folder" : "object", nil)
    }
    let (request, console) = (request, console)
    try store.forEachKept { id throws(FuseError) in
      if request.printsJSON {
        try console.out.line { writer throws(FuseError) in
          writer.append(members: [("id", .text(id.description)), ("name", .null), ("kind", .text("object"))])
        }
      } else {
        try console.out.line("\(id)")
      }
    }
  }

  private func list(
    _ name: String, _ id: FuseStore.ObjectID, _ kind: String, _ byteCount: Int?
  ) throws(FuseError) {
    if request.printsJSON {
      var members: [(name: String, value: ReportValue)] = [
        ("id", .text(id.description)), ("name", .text(name)), ("kind", .text(kind)),
      ]
      if let byteCount { members.append(("bytes", .count(byteCount))) }
      return try print(members)
    }
    try console.out.line("\(id)  \(EscapedText.harmless(name))\(kind == "folder" ? "/" : "")")
  }

  /// `stat`: what something is made of.
  func describe() throws(FuseError) {
    for word in words {
      let (id, isFolder): (FuseStore.ObjectID, Bool)
      switch try meaning(of: word) {
      case .object(let found): (id, isFolder) = (found, false)
      case .folder(let found, _): (id, isFolder) = (found, true)
      }
      var (count, stored) = (0, 0)
      let isThere = try store.forEachChunk(of: id) { chunk throws(FuseError) in
        count += 1
        stored += chunk.storedByteCount
      }
      guard isThere else { throw missing(id) }
      let bytes =
        isFolder ? try store.files(of: id).reduce(0) { $0 + $1.byteCount } : try store.byteCount(of: id) ?? 0
      if request.printsJSON {
        try print([
          ("id", .text(id.description)), ("kind", .text(isFolder ? "folder" : "object")), ("bytes", .count(bytes)),
          ("stored_bytes", .count(stored)), ("chunks", .count(count)),
        ])
        continue
      }
      if isFolder {
        try console.out.line(
          "\(id)  folder of \(Humans.count(try store.files(of: id).count, "file")), \(Humans.size(bytes))")
      } else {
        try console.out.line(
          "\(id)  \(Humans.size(bytes)) in \(Humans.count(count, "chunk")), stored in \(Humans.size(stored))")
      }
    }
  }

  /// `inspect`: the records of a pack, or the chunks of an object.
  func inspect() throws(FuseError) {
    for word in words {
      if let records = try store.records(ofPack: word) {
        for record in records { try print(record) }
        continue
      }
      switch try meaning(of: word) {
      case .object(let id), .folder(let id, _):
        let isThere = try store.forEachChunk(of: id) { chunk throws(FuseError) in try self.print(chunk) }
        guard isThere else { throw missing(id) }
      }
    }
  }

  private func print(_ chunk: FuseStore.Chunk) throws(FuseError) {
    guard !request.printsJSON else {
      return try print([
        ("id", .text(chunk.id.description)), ("bytes", .count(chunk.byteCount)),
        ("stored_bytes", .count(chunk.storedByteCount)), ("codec", .text(chunk.codec)), ("pack", .text(chunk.pack)),
        ("offset", .count(chunk.offset)),
      ])
    }
    try console.out.line(
      "\(chunk.id)  \(chunk.byteCount) bytes, \(chunk.storedByteCount) stored, \(chunk.codec), \(chunk.pack) at \(chunk.offset)"
    )
  }

  /// `rm`: names, versions of names, and what is kept.
  func remove() throws(FuseError) {
    for word in words {
      if try store.removeName(word) {
        try say("\(store.path): the name '\(word)' is gone; 'fusedb store gc' frees what nothing needs")
        continue
      }
      if let (name, number, _) = try versions(of: word) {
        guard try store.removeVersion(number, of: name) else { throw noVersion(number, of: name) }
        try say("\(store.path): version \(number) of '\(name)' is gone; 'fusedb store gc' frees what nothing needs")
        continue
      }
      guard let id = FuseStore.ObjectID(word) else {
        throw FuseError(
          .notFound, "there is no name '\(word)', and it is no ID of 64 digits; 'fusedb store ls' lists both",
          path: store.path)
      }
      guard try store.remove(id) else {
        throw FuseError(.notFound, "no object \(id) is kept for its own sake; a name may lead to it", path: store.path)
      }
      try say("\(store.path): \(id) is kept no more; 'fusedb store gc' frees what nothing needs")
    }
  }

  /// `gc` and `pack`.
  func collect(packsAll: Bool) throws(FuseError) {
    var options = FuseStore.CollectOptions()
    if let share = request.leastLive { options.leastLiveShare = share }
    if packsAll { options.mostSmallPacks = 2 }
    if request.isDeep { return try deepen(options) }
    let report = try store.collect(options) { bar.show($0, "collecting") }
    if request.printsJSON {
      return try print([
        ("packed_loose", .count(report.packedLooseCount)), ("live", .count(report.liveCount)),
        ("live_bytes", .count(report.liveByteCount)), ("condemned", .count(report.condemnedCount)),
        ("condemned_bytes", .count(report.condemnedByteCount)), ("removed", .count(report.removedCount)),
        ("removed_bytes", .count(report.removedByteCount)), ("waiting", .count(report.waitingCount)),
        ("swept", .count(report.sweptCount)), ("peak_memory", .count(StoreFiles.peakMemory)),
      ])
    }
    try say(
      """
      \(store.path): \(Humans.count(report.removedCount, "pack")) removed, \(Humans.size(report.removedByteCount)); \
      \(report.waitingCount) \(report.waitingCount == 1 ? "waits" : "wait") for writers; \(Humans.count(report.liveCount, "chunk")) \
      needed; \(Humans.count(report.packedLooseCount, "loose object")) packed; at most \(Humans.size(StoreFiles.peakMemory)) of memory
      """)
  }

  /// `pack --deep`: what is packed anew takes less, and what it takes the place of goes.
  private func deepen(_ options: FuseStore.CollectOptions) throws(FuseError) {
    var options = options
    if request.leastLive == nil { options.leastLiveShare = 0.98 }
    let deep = try store.deepen { bar.show($0, "packing versions") }
    let report = try store.collect(options) { bar.show($0, "collecting") }
    if request.printsJSON {
      return try print([
        ("versions", .count(deep.versionCount)), ("chunks", .count(deep.chunkCount)),
        ("old_bytes", .count(deep.oldByteCount)), ("new_bytes", .count(deep.newByteCount)),
        ("removed", .count(report.removedCount)), ("removed_bytes", .count(report.removedByteCount)),
        ("waiting", .count(report.waitingCount)), ("live_bytes", .count(report.liveByteCount)),
        ("peak_memory", .count(StoreFiles.peakMemory)),
      ])
    }
    try say(
      """
      \(store.path): \(Humans.count(deep.chunkCount, "chunk")) of \(Humans.count(deep.versionCount, "version")) packed anew, \
      \(Humans.size(deep.oldByteCount)) as \(Humans.size(deep.newByteCount)); \(Humans.count(report.removedCount, "pack")) removed
      """)
  }

  /// `verify`.
  func verify() throws(FuseError) -> ExitStatus {
    let report = try store.verify(request.isStructureOnly ? .structure : .everything) { bar.show($0, "reading") }
    bar.clear()
    for flaw in report.flaws { try tell(flaw, "damage") }
    for flaw in report.superseded { try tell(flaw, "superseded") }
    try tell(report.lost)
    guard report.isSound else {
      throw FuseError(
        .corrupted,
        "\(Humans.count(report.flaws.count, "flaw")), \(Humans.count(report.lost.count, "object")) lost; '--repair' makes the best of it",
        path: store.path)
    }
    try say(
      """
      \(store.path): sound (\(Humans.count(report.packCount, "pack")), \(Humans.count(report.recordCount, "record")), \
      \(Humans.count(report.nameCount, "name")), \(Humans.size(report.byteCount))); at most \(Humans.size(StoreFiles.peakMemory)) of memory
      """)
    if !report.superseded.isEmpty {
      try say(
        """
        \(store.path): superseded: \(Humans.count(report.superseded.count, "spoilt record")) whose objects have a good copy; \
        'fusedb store gc --live 100' writes their packs without them
        """)
    }
    return .done
  }

  private func tell(_ flaw: FuseStore.Verification.Flaw, _ kind: String) throws(FuseError) {
    if request.printsJSON {
      try print([
        ("kind", .text(kind)), ("file", .text(flaw.file)), ("offset", flaw.offset.map { .offset($0) } ?? .null),
        ("message", .text(flaw.message)),
      ])
    } else {
      try console.out.line("\(flaw.file)\(flaw.offset.map { ": offset \($0)" } ?? ""): \(flaw.message)")
    }
  }

  private func tell(_ lost: [FuseStore.Verification.Lost]) throws(FuseError) {
    for one in lost {
      if request.printsJSON {
        try print([("kind", .text("lost")), ("id", .text(one.id.description)), ("needed_by", .text(one.neededBy))])
      } else {
        try console.out.line("lost: \(one.id), which \(EscapedText.harmless(one.neededBy)) needs")
      }
    }
  }

  /// `verify --repair`.
  func repair() throws(FuseError) -> ExitStatus {
    let report = try store.repair { bar.show($0, "repairing") }
    bar.clear()
    for file in report.removedFiles { try console.out.line("removed: \(file)") }
    try tell(report.lost)
    try say(
      """
      \(store.path): \(Humans.count(report.rebuiltCount, "index", plural: "indexes")) made anew, \
      \(Humans.count(report.salvagedCount, "record")) salvaged, \(report.damagedCount) given up
      """)
    guard report.lost.isEmpty else {
      throw FuseError(
        .corrupted, "\(Humans.count(report.lost.count, "object")) lost; put them again, or take away what needs them",
        path: store.path)
    }
    return .done
  }

  /// `status`.
  func status() throws(FuseError) {
    let counts = try store.statistics()
    if request.printsJSON {
      return try print([
        ("path", .text(store.path)), ("names", .count(counts.nameCount)), ("kept", .count(counts.keptCount)),
        ("chunks", .count(counts.chunkCount)), ("recipes", .count(counts.recipeCount)),
        ("needed_chunks", .count(counts.neededChunkCount)), ("references", .count(counts.referenceCount)),
        ("patched_versions", .count(counts.patchedCount)),
        ("loose", .count(counts.looseCount)),
        ("packs", .count(counts.packCount)), ("condemned", .count(counts.condemnedPackCount)),
        ("files", .count(counts.fileCount)), ("logical_bytes", .count(counts.logicalByteCount)),
        ("chunk_bytes", .count(counts.chunkByteCount)), ("pack_bytes", .count(counts.packByteCount)),
        ("index_bytes", .count(counts.indexByteCount)), ("loose_bytes", .count(counts.looseByteCount)),
        ("physical_bytes", .count(counts.physicalByteCount)), ("savings", .number(counts.savings)),
        (
          "codecs",
          .members(counts.storedByteCount.sorted { $0.key < $1.key }.map { ($0.key, .count($0.value)) })
        ),
        (
          "pack_list",
          .list(
            counts.packs.map {
              .members([
                ("name", .text($0.name)), ("bytes", .count($0.byteCount)), ("entries", .count($0.entryCount)),
                ("chunk_bytes", .count($0.chunkByteCount)),
                ("condemned", .flag($0.isCondemned)),
              ])
            })
        ),
      ])
    }
    var rows: [(String, String)] = [
      ("names", Humans.number(counts.nameCount)), ("kept objects", Humans.number(counts.keptCount)),
      ("chunks", Humans.number(counts.chunkCount)), ("  needed", Humans.number(counts.neededChunkCount)),
      ("  references", Humans.number(counts.referenceCount)), ("loose objects", Humans.number(counts.looseCount)),
      ("packs", Humans.number(counts.packCount)), ("files", Humans.number(counts.fileCount)),
      ("all objects", Humans.size(counts.logicalByteCount)), ("chunks, unpacked", Humans.size(counts.chunkByteCount)),
      ("packs", Humans.size(counts.packByteCount)), ("indexes", Humans.size(counts.indexByteCount)),
      ("loose", Humans.size(counts.looseByteCount)),
    ]
    for (codec, count) in counts.storedByteCount.sorted(by: { $0.key < $1.key }) {
      rows.append(("  \(codec)", Humans.size(count)))
    }
    rows.append(("saved", Humans.decimal(counts.savings * 100, places: 1) + " %"))
    try console.out.line(EscapedText.harmless(store.path))
    for (head, value) in rows {
      try console.out.line("  \(head)\(String(repeating: " ", count: max(1, 20 - head.count)))\(value)")
    }
  }

  /// `copy`.
  func copy() throws(FuseError) {
    let other = try FuseStore(path: words[0])
    let report = try store.copy(to: other) { bar.show(nil, Humans.count($0, "object")) }
    if request.printsJSON {
      return try print([("objects", .count(report.count)), ("new_bytes", .count(report.newByteCount))])
    }
    try say(
      """
      \(other.path): \(Humans.count(report.count, "object")) looked at, \(Humans.size(report.newByteCount)) were missing; \
      at most \(Humans.size(StoreFiles.peakMemory)) of memory
      """
    )
  }
}
