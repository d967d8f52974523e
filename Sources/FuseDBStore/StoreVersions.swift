public import FuseDBFormat
internal import FuseDBPatching
internal import FuseDBReading
internal import FuseDBSystem

extension FuseStore {
  /// One of the versions of a name.
  public struct Version: Sendable, Equatable {
    /// From 1 on, in the order in which they were put. It stays the same.
    public var number: Int
    /// Its contents.
    public var id: ObjectID
    /// How many bytes it has.
    public var byteCount: Int
    /// What makes it of the version before it; nil where it is kept whole.
    package var patch: ObjectID?
  }

  /// The versions of a name, the oldest first; nil where the name has none, but one object or a folder, or does not exist.
  ///
  /// - Throws: as ``id(named:)``, and ``FuseError`` with code `corrupted` where the list of versions is missing or damaged.
  public func versions(named name: String) throws(FuseError) -> [Version]? {
    guard let ref = try ref(named: name), ref.kind == .versions else { return nil }
    return try versions(ref.id).versions
  }

  /// The list of versions that an object is.
  func versions(_ id: ObjectID) throws(FuseError) -> StoreVersions {
    guard let bytes = try bytes(of: id) else {
      throw FuseError(.corrupted, "the list of versions \(id) is missing", path: path)
    }
    guard let list = StoreVersions(bytes) else {
      throw FuseError(.corrupted, "the object \(id) is no list of versions", path: path)
    }
    return list
  }
}

/// The versions of a name, which is an object itself. [SV5]
///
///     fusedb-versions 1
///     1 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 149600000 -
///     2 486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7 149600112 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
struct StoreVersions: Equatable {
  private static let first = "fusedb-versions 1"
  /// The oldest first.
  var versions: [FuseStore.Version]

  init(_ versions: [FuseStore.Version]) { self.versions = versions }

  var bytes: [UInt8] {
    var text = Self.first + "\n"
    for version in versions {
      text += "\(version.number) \(version.id) \(version.byteCount) \(version.patch.map { "\($0)" } ?? "-")\n"
    }
    return Array(text.utf8)
  }

  /// nil where the bytes are none.
  init?(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
    guard lines.count >= 3, lines.last?.isEmpty == true, Array(lines[0]) == Array(Self.first.utf8) else { return nil }
    versions = []
    for line in lines.dropFirst().dropLast() {
      let words = line.split(separator: 32, omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
      }
      guard words.count == 4, let number = Int(words[0]), number > versions.last?.number ?? 0,
        let id = FuseStore.ObjectID(words[1]), let count = Int(words[2]), count >= 0
      else { return nil }
      let patch = FuseStore.ObjectID(words[3])
      guard patch != nil || words[3] == "-", !(versions.isEmpty && patch != nil) else { return nil }
      versions.append(FuseStore.Version(number: number, id: id, byteCount: count, patch: patch))
    }
  }

  /// Leaves out a version that is not the newest. Those after it stay what they are; the newest begins a series of its own where patches led to it
  /// from the one that goes. [SV8]
  mutating func remove(_ number: Int) {
    guard let place = versions.firstIndex(where: { $0.number == number }), place < versions.count - 1 else { return }
    if place >= start(of: versions.count - 1) { versions[versions.count - 1].patch = nil }
    versions[place + 1].patch = nil
    versions.remove(at: place)
  }

  /// Where the series begins that the version at `place` belongs to: a whole file, and patches from it on.
  func start(of place: Int) -> Int {
    var place = place
    while versions[place].patch != nil { place -= 1 }
    return place
  }

  /// How the version at `place` is kept once it is not the newest; nil where it stays whole. [SV6]
  func recipe(of place: Int) -> PatchedRecipe? {
    let start = start(of: place)
    let base = versions[start].id
    guard place > start, versions[place].id != base else { return nil }
    return PatchedRecipe(
      byteCount: versions[place].byteCount, base: base, patches: versions[start + 1...place].map { $0.patch! })
  }
}

/// A version that a writer has put, until its commit.
struct PendingVersion {
  var id: FuseStore.ObjectID
  var byteCount: Int
  /// What makes it of the version that was the newest, which that was, and which its series began with.
  var patch: (id: FuseStore.ObjectID, from: FuseStore.ObjectID, start: FuseStore.ObjectID)?
}

extension StoreWriter {
  /// A patch is kept where it has at most such a part of the file.
  private static let patchShare = 8

  /// Puts a file as the next version of a name.
  func putVersion(
    path: String, named name: String, _ options: PutOptions, progress: ((Int) -> Void)?
  ) throws(FuseError) -> FuseStore.Stored {
    var inner = options
    (inner.name, inner.keepsVersions) = (nil, nil)
    inner.isKept = options.isKept ?? false
    let stored = try put(path: path, inner, progress: progress)
    try add(version: stored, named: name) { (newest: FuseStore.Version) throws(FuseError) in
      try self.patch(from: newest, to: path, byteCount: stored.byteCount)
    }
    return stored
  }

  /// Notes the next version of a name; `patch` makes the patch from the newest one.
  func add(
    version stored: FuseStore.Stored, named name: String,
    _ patch: (FuseStore.Version) throws(FuseError) -> FuseStore.ObjectID?
  ) throws(FuseError) {
    _ = try StoreRef.fileName(name, path: store.path)
    var version = PendingVersion(id: stored.id, byteCount: stored.byteCount)
    // Of two in one commit, the second is whole.
    let isFirst = !pendingVersions.contains { $0.name == name }
    if isFirst, let list = try currentVersions(of: name), let newest = list.versions.last {
      let place = list.versions.count - 1
      if newest.id != stored.id {
        if place - list.start(of: place) < PatchedRecipe.mostPatches, let id = try patch(newest) {
          version.patch = (id, newest.id, list.versions[list.start(of: place)].id)
        }
        // What was the newest is one of many from the commit on.
        if let recipe = list.recipe(of: place) { try put(recipe, of: newest.id) }
      }
    }
    try flushFrame()
    try rely(on: stored.id)
    pendingVersions.append((name, version))
  }

  /// What a name leads to, as versions; nil where there is no such name.
  private func currentVersions(of name: String) throws(FuseError) -> StoreVersions? {
    guard let ref = try store.readableRef(named: name) else { return nil }
    switch ref.kind {
    case .versions: return try store.versions(ref.id)
    case .tree:
      throw FuseError(.refused, "the name '\(name)' is that of a folder; choose another for versions", path: store.path)
    case .object:
      // The object that had the name is the first version.
      let count = try store.byteCount(of: ref.id) ?? 0
      return StoreVersions([FuseStore.Version(number: 1, id: ref.id, byteCount: count)])
    }
  }

  /// Makes and puts the patch from a version to a file; nil where one of them is no look-up file, or the patch is too large to be worth it.
  private func patch(
    from newest: FuseStore.Version, to path: String, byteCount: Int
  ) throws(FuseError) -> FuseStore.ObjectID? {
    let made: FileMapping
    do throws(FuseError) {
      let new = try FuseReader(path: path, checksums: .skipped, access: .mapped, expecting: .few)
      guard let old = try store.mapped(newest.id, tools) else { return nil }
      made = try FusePatch.make(
        from: FuseReader(old, checksums: .skipped, expecting: .few), to: new, in: FuseStore.temporaryFolder)
    } catch {
      guard error.isDamage else { throw error }
      return nil
    }
    guard made.byteCount <= byteCount / Self.patchShare else { return nil }
    var done = 0
    return try put(PutOptions(compression: FuseStore.Compression.none, isKept: false)) { () throws(FuseError) in
      let file = made
      let end = min(file.byteCount, done + 1 << 20)
      guard end > done else { return nil }
      let piece = file.bytes.extracting(done..<end).array()
      try file.checkNotShrunk()
      done = end
      return piece
    }.id
  }

  /// Writes how a version is kept that is not the newest any more, unless that is known.
  @discardableResult
  func put(_ recipe: PatchedRecipe, of id: FuseStore.ObjectID) throws(FuseError) -> Bool {
    let payload = try recipe.bytes(tools)
    if try isKnown(id, list: payload, .patched) { return false }
    try append(.patched, id, .raw, byteCount: payload.count, payload: payload.rawSpan, isKept: false)
    return true
  }

  /// The lists of versions as they are after this commit, as objects. The caller has the lock of versions.
  func writeVersions() throws(FuseError) -> [(name: String, ref: StoreRef)] {
    var lists: [(name: String, list: StoreVersions)] = []
    for (name, version) in pendingVersions {
      let place = try place(of: name, in: &lists)
      let list = lists[place].list
      let last = list.versions.last
      if last?.id == version.id { continue }
      let start = last.map { _ in list.versions[list.start(of: list.versions.count - 1)].id }
      lists[place].list.versions.append(
        FuseStore.Version(
          number: (last?.number ?? 0) + 1, id: version.id, byteCount: version.byteCount,
          // Another writer may have been quicker, or removed what the patches would begin from: then this one is whole.
          patch: version.patch.flatMap { $0.from == last?.id && $0.start == start ? $0.id : nil }))
    }
    for (name, number) in removedVersions {
      let place = try place(of: name, in: &lists)
      try checkNotNewest(number, in: lists[place].list, of: name)
      lists[place].list.remove(number)
    }
    var refs: [(name: String, ref: StoreRef)] = []
    for (name, list) in lists where !list.versions.isEmpty {
      let tree = try put(list.bytes, PutOptions(isKept: false))
      refs.append((name, StoreRef(kind: .versions, id: tree.id)))
    }
    return refs
  }

  private func place(
    of name: String, in lists: inout [(name: String, list: StoreVersions)]
  ) throws(FuseError) -> Int {
    if let known = lists.firstIndex(where: { $0.name == name }) { return known }
    lists.append((name, try currentVersions(of: name) ?? StoreVersions([])))
    return lists.count - 1
  }

  /// Takes a version away with the commit.
  ///
  /// - Returns: whether the name has such a version.
  func removeVersion(_ number: Int, of name: String) throws(FuseError) -> Bool {
    try begin()
    guard let ref = try store.ref(named: name), ref.kind == .versions else { return false }
    let list = try store.versions(ref.id)
    guard list.versions.contains(where: { $0.number == number }) else { return false }
    try checkNotNewest(number, in: list, of: name)
    removedVersions.append((name, number))
    return true
  }

  private func checkNotNewest(_ number: Int, in list: StoreVersions, of name: String) throws(FuseError) {
    guard let newest = list.versions.last, newest.number == number else { return }
    throw FuseError(
      .refused,
      """
      version \(number) is the newest of '\(name)', which the name stands for: add what is to stand there instead, and remove this one \
      then; or remove the name with all of its versions
      """, path: store.path)
  }
}

extension FuseStore {
  /// An object, in a file without a name; nil where it is not there.
  func mapped(_ id: ObjectID, _ tools: StoreTools) throws(FuseError) -> FileMapping? {
    if case .patched(let recipe)? = try find(id, tools) { return try rebuilt(id, recipe, tools) }
    return try scratch(id, tools)
  }
}
