internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

/// An object or a chunk that is needed, and in which form.
struct Needed: BitwiseCopyable, Comparable {
  var id: FuseStore.ObjectID
  /// From deep frames that are no deeper: what another frame is packed after is less deep than that. [SG6]
  var mostDepth: UInt32 = UInt32(DeepFrame.mostDepth)
  var flags = asBytes

  /// As patches alone: its chunks are not needed. [SG7]
  static let asPatches: UInt32 = 1
  /// A name stands for it.
  static let isNamed: UInt32 = 2
  /// Its bytes, or its chunks.
  static let asBytes: UInt32 = 4

  static func < (left: Needed, right: Needed) -> Bool { left.id < right.id }
}

/// Finds what is needed: all that names and kept objects lead to. [SG1]
///
/// No counts are kept, so none can be wrong. What is found is sorted outside of memory.
struct Marker {
  private let store: FuseStore
  private let view: StoreView
  private let tools: StoreTools
  private let roots: SortedRecords<Needed>
  private let live: SortedRecords<Needed>

  init(_ store: FuseStore, _ view: StoreView, _ tools: StoreTools) {
    self.store = store
    self.view = view
    self.tools = tools
    roots = Self.records(2)
    live = Self.records(1)
  }

  private static func records(_ part: Int) -> SortedRecords<Needed> {
    SortedRecords(FuseStore.spill, memory: FuseStore.sortMemory / part)
  }

  /// Calls `body` with every digest that is needed, once, in order.
  ///
  /// - Parameter missing: called where what something is made of is missing or damaged; where it throws, the marking ends.
  func forEach(
    refs: [(name: String, ref: StoreRef)], missing: (FuseStore.ObjectID, FuseError) throws(FuseError) -> Void,
    _ body: (Needed) throws(FuseError) -> Void
  ) throws(FuseError) {
    for (_, ref) in refs {
      do throws(FuseError) { try add(ref) } catch { try missing(ref.id, error) }
    }
    let recipes = try recipes()
    for pack in view.all {
      try pack.forEach { id, entry throws(FuseError) in
        guard pack.keeps(id, entry) else { return }
        // What is no recipe leads nowhere, unless another pack has one.
        if entry.kind == .data || entry.kind == .frame, recipes?.contains(id) == false {
          try live.add(Needed(id: id))
        } else {
          try roots.add(Needed(id: id))
        }
      }
    }
    var patched: [(id: FuseStore.ObjectID, isNamed: Bool, recipes: [PatchedRecipe])] = []
    try Self.unique(roots) { root throws(FuseError) in
      try Cancellation.check()
      do throws(FuseError) {
        let recipes = try patchedRecipes(of: root.id)
        if recipes.isEmpty {
          try live.add(Needed(id: root.id))
          try expand(root.id)
        } else {
          patched.append((root.id, root.flags & Needed.isNamed != 0, recipes))
        }
      } catch {
        guard error.code != .cancelled else { throw error }
        try missing(root.id, error)
      }
    }
    if !patched.isEmpty { try addPatched(patched, missing: missing) }
    try forEachWithBases(body)
  }

  /// What a name leads to.
  private func add(_ ref: StoreRef) throws(FuseError) {
    switch ref.kind {
    case .object: try roots.add(Needed(id: ref.id, flags: Needed.isNamed))
    case .tree:
      try roots.add(Needed(id: ref.id, flags: Needed.isNamed))
      for file in try store.tree(ref.id).files { try roots.add(Needed(id: file.id)) }
    case .versions:
      try roots.add(Needed(id: ref.id, flags: Needed.isNamed))
      let versions = try store.versions(ref.id).versions
      for version in versions {
        try roots.add(Needed(id: version.id))
        if let patch = version.patch { try roots.add(Needed(id: patch)) }
      }
      if let newest = versions.last { try roots.add(Needed(id: newest.id, flags: Needed.isNamed)) }
    }
  }

  /// Each digest once, with all flags that it has and the least depth.
  private static func unique(
    _ records: SortedRecords<Needed>, _ body: (Needed) throws(FuseError) -> Void
  ) throws(FuseError) {
    var last: Needed?
    try records.forEach { record throws(FuseError) in
      guard var known = last, known.id == record.id else {
        if let last { try body(last) }
        last = record
        return
      }
      known.mostDepth = min(known.mostDepth, record.mostDepth)
      known.flags |= record.flags
      last = known
    }
    if let last { try body(last) }
  }

  // MARK: Versions that are kept as patches

  private func patchedRecipes(of id: FuseStore.ObjectID) throws(FuseError) -> [PatchedRecipe] {
    var recipes: [PatchedRecipe] = []
    for pack in view.all {
      guard let entry = try pack.entry(of: id), entry.kind == .patched else { continue }
      let place = FuseStore.Place(pack, entry, in: store.path)
      // A damaged copy does not matter where there is a sound one, or chunks.
      guard case .patched(let recipe)? = try? store.read(id, place, tools) else { continue }
      if !recipes.contains(recipe) { recipes.append(recipe) }
    }
    return recipes
  }

  /// Decides which of them stay whole: those that a name stands for and those that patches begin from, as long as they are. The others need no
  /// chunks once they were made of their patches and compared. [SG7]
  private func addPatched(
    _ patched: [(id: FuseStore.ObjectID, isNamed: Bool, recipes: [PatchedRecipe])],
    missing: (FuseStore.ObjectID, FuseError) throws(FuseError) -> Void
  ) throws(FuseError) {
    let bases = Set(patched.flatMap(\.recipes).map(\.base))
    var parts: Set<FuseStore.ObjectID> = []
    for (id, isNamed, recipes) in patched {
      try Cancellation.check()
      do throws(FuseError) {
        var isWhole = try isWhole(id)
        if isWhole, !isNamed, !bases.contains(id), try isMade(id, by: recipes) { isWhole = false }
        if isWhole {
          try live.add(Needed(id: id))
          try expand(id)
        } else {
          try live.add(Needed(id: id, flags: Needed.asPatches))
          for recipe in recipes {
            parts.insert(recipe.base)
            parts.formUnion(recipe.patches)
          }
        }
      } catch {
        guard error.code != .cancelled else { throw error }
        try missing(id, error)
      }
    }
    for id in parts.sorted() {
      do throws(FuseError) {
        try live.add(Needed(id: id))
        try expand(id)
      } catch {
        guard error.code != .cancelled else { throw error }
        try missing(id, error)
      }
    }
  }

  /// Whether an object is there with all its chunks.
  private func isWhole(_ id: FuseStore.ObjectID) throws(FuseError) -> Bool {
    for pack in view.all {
      guard let entry = try pack.entry(of: id), entry.hasPayload, entry.kind != .patched else { continue }
      guard entry.kind == .recipe else { return true }
      let place = FuseStore.Place(pack, entry, in: store.path)
      guard case .recipe(let recipe, _)? = try? store.read(id, place, tools) else { continue }
      if (try? store.isWhole(recipe, id, in: view, tools)) == true { return true }
    }
    return try store.loosePlace(id) != nil
  }

  /// Whether each list of patches makes the object: only then its chunks may go.
  private func isMade(_ id: FuseStore.ObjectID, by recipes: [PatchedRecipe]) throws(FuseError) -> Bool {
    for recipe in recipes {
      do throws(FuseError) {
        store.forgetRebuilt()
        _ = try store.rebuilt(id, recipe, tools)
      } catch {
        guard error.isDamage || error.code == .patchMismatch else { throw error }
        return false
      }
    }
    return true
  }

  // MARK: Chunks

  /// The objects that have a recipe or patches in some pack; nil where they are too many to remember.
  private func recipes() throws(FuseError) -> Set<FuseStore.ObjectID>? {
    // In one pack an object is one thing.
    guard view.all.count > 1 else { return [] }
    var recipes: Set<FuseStore.ObjectID> = []
    for pack in view.all {
      try pack.forEach { id, entry throws(FuseError) in
        if entry.kind.isRecipe, recipes.count <= Self.mostRecipes { recipes.insert(id) }
      }
    }
    return recipes.count <= Self.mostRecipes ? recipes : nil
  }

  private static let mostRecipes = 1 << 17

  /// Adds what an object is made of.
  private func expand(_ id: FuseStore.ObjectID) throws(FuseError) {
    var isRecipe = false
    var isThere = false
    for pack in view.all {
      guard let entry = try pack.entry(of: id), entry.hasPayload, entry.kind != .patched else { continue }
      isThere = true
      isRecipe = isRecipe || entry.kind == .recipe
    }
    guard isRecipe else {
      if isThere { return }
      guard try store.loosePlace(id) != nil else {
        throw FuseError(.corrupted, "the object \(id) is missing", path: store.path)
      }
      return
    }
    var recipe: Recipe?
    var failure: FuseError?
    for pack in view.all {
      guard let entry = try pack.entry(of: id), entry.kind == .recipe else { continue }
      let place = FuseStore.Place(pack, entry, in: store.path)
      // A damaged copy does not matter where there is a sound one.
      let found: FuseStore.Found
      do throws(FuseError) { found = try store.read(id, place, tools) } catch {
        failure = error
        continue
      }
      guard case .recipe(let read, _) = found else { continue }
      // Another copy may be made of other chunks: all of them are needed.
      do throws(FuseError) { try add(read, of: id) } catch {
        guard error.isDamage else { throw error }
        failure = error
        continue
      }
      recipe = read
    }
    if recipe == nil, let failure { throw failure }
  }

  private func add(_ recipe: Recipe, of id: FuseStore.ObjectID) throws(FuseError) {
    for part in recipe.parts {
      try live.add(Needed(id: part.id))
      guard recipe.isOfNodes else { continue }
      for leaf in try store.node(part.id, of: id, byteCount: part.byteCount, tools) {
        try live.add(Needed(id: leaf.id))
      }
    }
  }

  /// Adds what deep frames are packed after, frame by frame and depth by depth. [SG6]
  private func forEachWithBases(_ body: (Needed) throws(FuseError) -> Void) throws(FuseError) {
    var deep: [PackView] = []
    for pack in view.all where try pack.isDeep { deep.append(pack) }
    guard !deep.isEmpty else { return try Self.unique(live, body) }
    let all = Self.records(1)
    var level = live
    var known = Set<[Int]>()
    while true {
      let next = Self.records(2)
      var isMore = false
      try Self.unique(level) { needed throws(FuseError) in
        try Cancellation.check()
        try all.add(needed)
        for (number, pack) in deep.enumerated() {
          guard let entry = try pack.entry(of: needed.id), entry.kind == .deep,
            let depth = pack.depth(of: entry), depth <= needed.mostDepth, known.insert([number, entry.offset]).inserted
          else { continue }
          guard let (frame, _) = DeepFrame.parse(pack.bytes.extracting(entry.payload)) else { continue }
          isMore = isMore || !frame.bases.isEmpty
          for base in frame.bases { try next.add(Needed(id: base, mostDepth: UInt32(frame.depth - 1))) }
        }
      }
      guard isMore else { break }
      level = next
    }
    try Self.unique(all, body)
  }
}
