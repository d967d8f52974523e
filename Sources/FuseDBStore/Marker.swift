internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

/// Finds what is needed: all that names and kept objects lead to. [SG1]
///
/// No counts are kept, so none can be wrong. What is found is sorted outside of memory.
struct Marker {
  private let store: FuseStore
  private let view: StoreView
  private let tools: StoreTools
  private let roots: SortedRecords<FuseStore.ObjectID>
  private let live: SortedRecords<FuseStore.ObjectID>

  init(_ store: FuseStore, _ view: StoreView, _ tools: StoreTools) {
    self.store = store
    self.view = view
    self.tools = tools
    roots = SortedRecords(FuseStore.spill, memory: FuseStore.sortMemory / 2)
    live = SortedRecords(FuseStore.spill, memory: FuseStore.sortMemory)
  }

  /// Calls `body` with every digest that is needed, once, in order.
  ///
  /// - Parameter missing: called where what something is made of is missing or damaged; where it throws, the marking ends.
  func forEach(
    refs: [(name: String, ref: StoreRef)], missing: (FuseStore.ObjectID, FuseError) throws(FuseError) -> Void,
    _ body: (FuseStore.ObjectID) throws(FuseError) -> Void
  ) throws(FuseError) {
    for (_, ref) in refs {
      try roots.add(ref.id)
      guard ref.kind == .tree else { continue }
      do throws(FuseError) { for file in try store.tree(ref.id).files { try roots.add(file.id) } } catch {
        try missing(ref.id, error)
      }
    }
    let recipes = try recipes()
    for pack in view.all {
      try pack.forEach { id, entry throws(FuseError) in
        guard pack.keeps(id, entry) else { return }
        // What is no recipe leads nowhere, unless another pack has one.
        if entry.kind == .data || entry.kind == .frame, recipes?.contains(id) == false {
          try live.add(id)
        } else {
          try roots.add(id)
        }
      }
    }
    var last: FuseStore.ObjectID?
    try roots.forEach { id throws(FuseError) in
      guard id != last else { return }
      last = id
      try Cancellation.check()
      try live.add(id)
      do throws(FuseError) { try expand(id) } catch {
        guard error.code != .cancelled else { throw error }
        try missing(id, error)
      }
    }
    last = nil
    try live.forEach { id throws(FuseError) in
      guard id != last else { return }
      last = id
      try body(id)
    }
  }

  /// The objects that have a recipe in some pack; nil where they are too many to remember.
  private func recipes() throws(FuseError) -> Set<FuseStore.ObjectID>? {
    // In one pack an object is one thing.
    guard view.all.count > 1 else { return [] }
    var recipes: Set<FuseStore.ObjectID> = []
    for pack in view.all {
      try pack.forEach { id, entry throws(FuseError) in
        if entry.kind == .recipe, recipes.count <= Self.mostRecipes { recipes.insert(id) }
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
      guard let entry = try pack.entry(of: id), entry.hasPayload else { continue }
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
      recipe = read
      // Another copy may be made of other chunks: all of them are needed.
      try add(read, of: id)
    }
    if recipe == nil, let failure { throw failure }
  }

  private func add(_ recipe: Recipe, of id: FuseStore.ObjectID) throws(FuseError) {
    for part in recipe.parts {
      try live.add(part.id)
      guard recipe.isOfNodes else { continue }
      for leaf in try store.node(part.id, of: id, byteCount: part.byteCount, tools) { try live.add(leaf.id) }
    }
  }
}
