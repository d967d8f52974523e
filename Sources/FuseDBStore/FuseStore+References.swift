public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

extension FuseStore {
  /// Many objects' bytes, in the order of `ids`; nil where one is not there.
  ///
  /// They are read in the order in which they are stored, so that what shares a frame is unpacked once.
  ///
  /// - Throws: as ``read(of:range:)``.
  /// - Complexity: O(bytes), all of which are in memory at once; for more than fits there, ask for some at a time.
  public func bytes(of ids: [ObjectID]) throws(FuseError) -> [[UInt8]?] {
    var places: [(pack: Int, offset: Int, number: Int)] = []
    let view = try refresh()
    for (number, id) in ids.enumerated() {
      var place = (pack: Int.max, offset: 0, number: number)
      for (packNumber, pack) in view.all.enumerated() {
        guard let entry = try? pack.entry(of: id), entry.hasPayload else { continue }
        place = (packNumber, entry.offset, number)
        break
      }
      places.append(place)
    }
    places.sort { ($0.pack, $0.offset, $0.number) < ($1.pack, $1.offset, $1.number) }
    var all = [[UInt8]?](repeating: nil, count: ids.count)
    for place in places { all[place.number] = try bytes(of: ids[place.number]) }
    return all
  }

  /// A chunk, or an object that is one, and how often it is needed.
  public struct Reference: Sendable, Equatable {
    /// Its digest.
    public var id: ObjectID
    /// How many bytes it has.
    public var byteCount: Int
    /// How often names and kept objects lead to it: once for each place in each of them. An object that is kept and has names counts for each.
    public var count: Int
  }

  /// Calls `body` with each chunk that is needed and how often, by the order of digests. The counts are computed from names, marks and recipes, so
  /// they can't be wrong, and nothing relies on them.
  ///
  /// Of versions that are kept as patches, what they begin from and the patches count.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where what is needed is damaged or missing, and what `body` throws.
  /// - Complexity: O(references log references), in bounded memory and a temporary file.
  public func forEachReference(_ body: (Reference) throws(FuseError) -> Void) throws(FuseError) {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    let leaves = SortedRecords<ObjectID>(Self.spill, memory: Self.sortMemory)
    _ = try refresh()
    for (_, ref) in try refs() {
      switch ref.kind {
      case .object: break
      case .tree: for file in try tree(ref.id).files { try addLeaves(of: file.id, to: leaves, tools) }
      case .versions: for version in try versions(ref.id).versions { try addLeaves(of: version.id, to: leaves, tools) }
      }
      try addLeaves(of: ref.id, to: leaves, tools)
    }
    try forEachKept { id throws(FuseError) in try self.addLeaves(of: id, to: leaves, tools) }
    var last: (id: ObjectID, count: Int)?
    func tell() throws(FuseError) {
      guard let last else { return }
      try body(Reference(id: last.id, byteCount: try size(of: last.id, "\(last.id)", tools), count: last.count))
    }
    try leaves.forEach { id throws(FuseError) in
      if let known = last, known.id == id {
        last = (id, known.count + 1)
      } else {
        try tell()
        last = (id, 1)
      }
    }
    try tell()
  }

  private func addLeaves(
    of id: ObjectID, to leaves: SortedRecords<ObjectID>, _ tools: StoreTools
  ) throws(FuseError) {
    try Cancellation.check()
    switch try find(id, tools) {
    case nil:
      throw FuseError(
        .corrupted, "the object \(id) is missing; 'fusedb store verify' lists what is", path: path)
    case .chunk: try leaves.add(id)
    case .recipe(let recipe, _):
      for part in recipe.parts {
        for chunk in try chunks(of: part, of: recipe, id, tools) { try leaves.add(chunk.id) }
      }
    case .patched(let recipe):
      for part in [recipe.base] + recipe.patches { try addLeaves(of: part, to: leaves, tools) }
    }
  }
}
