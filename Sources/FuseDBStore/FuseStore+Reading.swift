public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

extension FuseStore {
  /// What an object of these bytes is called, whether it is there or not: their SHA-256.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput` where memory is short.
  public static func id(of bytes: [UInt8]) throws(FuseError) -> ObjectID {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    return try tools.digest(of: bytes.rawSpan)
  }

  /// Whether the object is there. Its bytes are not read.
  ///
  /// - Complexity: a look-up for each pack.
  public func contains(_ id: ObjectID) throws(FuseError) -> Bool {
    if try isListed(id, in: view) { return true }
    return try isListed(id, in: refresh())
  }

  /// The same for many objects, in their order.
  public func contains(_ ids: [ObjectID]) throws(FuseError) -> [Bool] {
    var known: [Bool] = []
    let view = try refresh()
    for id in ids { known.append(try isListed(id, in: view)) }
    return known
  }

  func isListed(_ id: ObjectID, in view: StoreView) throws(FuseError) -> Bool {
    for pack in view.all { if let entry = try pack.entry(of: id), entry.hasPayload { return true } }
    return try backend.file(Self.looseName(id)) != nil
  }

  /// How many bytes the object has; nil where it is not there.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where it is one chunk that is damaged, or its list of chunks is.
  public func byteCount(of id: ObjectID) throws(FuseError) -> Int? {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    return switch try find(id, tools) {
    case .chunk(let chunk): chunk.byteCount
    case .recipe(_, let count): count
    case .patched(let recipe): recipe.byteCount
    case nil: nil
    }
  }

  /// Calls `body` with the object's bytes: in place where it is one chunk that was not packed.
  ///
  /// - Returns: what `body` returns; nil where the object is not there.
  /// - Throws: ``FuseError`` with code `corrupted` where no copy matches the digest; what `body` throws.
  public func withBytes<Result>(of id: ObjectID, _ body: (RawSpan) throws -> Result) throws -> Result? {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    switch try find(id, tools) {
    case nil: return nil
    case .chunk(let chunk):
      let result = try body(chunk.bytes)
      try chunk.check()
      return result
    case .recipe(let recipe, let count):
      let bytes = try bytes(of: recipe, id, 0..<count, tools)
      return try body(bytes.rawSpan)
    case .patched(let recipe):
      let file = try rebuilt(id, recipe, tools)
      return try body(file.bytes)
    }
  }

  /// The object's bytes; nil where it is not there.
  ///
  /// - Throws: as ``read(of:range:)``.
  public func bytes(of id: ObjectID) throws(FuseError) -> [UInt8]? { try read(of: id, range: 0..<Int.max) }

  /// A part of the object's bytes, as much of it as there is; nil where the object is not there. Chunks outside of it are not read.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where no copy of a chunk matches its digest.
  public func read(of id: ObjectID, range: Range<Int>) throws(FuseError) -> [UInt8]? {
    precondition(range.lowerBound >= 0, "a range of an object begins at 0 or after it")
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    switch try find(id, tools) {
    case nil: return nil
    case .chunk(let chunk):
      let bytes = chunk.bytes.extracting(range.clamped(to: 0..<chunk.byteCount)).array()
      try chunk.check()
      return bytes
    case .recipe(let recipe, let count): return try bytes(of: recipe, id, range.clamped(to: 0..<count), tools)
    case .patched(let recipe):
      let file = try rebuilt(id, recipe, tools)
      return file.bytes.extracting(range.clamped(to: 0..<file.byteCount)).array()
    }
  }

  private func bytes(
    of recipe: Recipe, _ id: ObjectID, _ range: Range<Int>, _ tools: StoreTools
  ) throws(FuseError) -> [UInt8] {
    do throws(FuseError) { return try chunkBytes(of: recipe, id, range, tools) } catch {
      guard error.isDamage, let patched = try patchedRecipe(of: id, tools) else { throw error }
      let file = try rebuilt(id, patched, tools)
      return file.bytes.extracting(range.clamped(to: 0..<file.byteCount)).array()
    }
  }

  private func chunkBytes(
    of recipe: Recipe, _ id: ObjectID, _ range: Range<Int>, _ tools: StoreTools
  ) throws(FuseError) -> [UInt8] {
    var bytes: [UInt8] = []
    try bytes.makeRoom(for: range.count)
    var place = 0
    for part in try chunks(of: recipe, id, range, tools) {
      let chunk = try chunk(part, of: id, tools)
      let wanted = range.clamped(to: part.start..<part.start + part.byteCount)
      let span = chunk.bytes.extracting(wanted.lowerBound - part.start..<wanted.upperBound - part.start)
      // SAFETY: the array copies the bytes of the span.
      unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
      try chunk.check()
      place += wanted.count
    }
    return bytes
  }

  /// A chunk of an object, and where in the object it begins.
  struct PlacedChunk: Sendable {
    let id: ObjectID
    let start: Int
    let byteCount: Int
  }

  /// The chunks that have a part of the range.
  func chunks(
    of recipe: Recipe, _ id: ObjectID, _ range: Range<Int>, _ tools: StoreTools
  ) throws(FuseError) -> [PlacedChunk] {
    var chunks: [PlacedChunk] = []
    var start = 0
    for part in recipe.parts {
      let end = start + part.byteCount
      defer { start = end }
      guard start < range.upperBound, end > range.lowerBound else { continue }
      guard recipe.isOfNodes else {
        chunks.append(PlacedChunk(id: part.id, start: start, byteCount: part.byteCount))
        continue
      }
      var inner = start
      for leaf in try node(part.id, of: id, byteCount: part.byteCount, tools) {
        if inner < range.upperBound, inner + leaf.byteCount > range.lowerBound {
          chunks.append(PlacedChunk(id: leaf.id, start: inner, byteCount: leaf.byteCount))
        }
        inner += leaf.byteCount
      }
    }
    return chunks
  }

  /// What a node lists.
  func node(
    _ id: ObjectID, of object: ObjectID, byteCount: Int, _ tools: StoreTools
  ) throws(FuseError) -> [Recipe.Part] {
    guard case .chunk(let node)? = try find(id, tools) else { throw missing(id, of: object) }
    guard let parts = Recipe.parts(node.bytes), parts.reduce(0, { $0 + $1.byteCount }) == byteCount else {
      throw FuseError(.corrupted, "the node \(id) of the object \(object) is none", path: path)
    }
    return parts
  }

  /// The bytes of a chunk of an object.
  func chunk(_ part: PlacedChunk, of object: ObjectID, _ tools: StoreTools) throws(FuseError) -> ChunkBytes {
    guard case .chunk(let chunk)? = try find(part.id, tools) else { throw missing(part.id, of: object) }
    guard chunk.byteCount == part.byteCount else {
      throw FuseError(
        .corrupted, "the chunk \(part.id) has another length than the recipe of \(object) says", path: path)
    }
    return chunk
  }

  private func missing(_ id: ObjectID, of object: ObjectID) -> FuseError {
    FuseError(
      .corrupted, "the chunk \(id) of the object \(object) is missing; put the object again", path: path)
  }

  /// Hands the object's bytes to `body`, in order and piece by piece. Returns false where the object is not there.
  ///
  /// - Parameter progress: called now and then with the bytes that were handed over, and all of them.
  /// - Throws: as ``read(of:range:)``, `cancelled`, and what `body` throws; it had the pieces before.
  @discardableResult
  public func read(
    of id: ObjectID, progress: ((Int, Int) -> Void)? = nil, _ body: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) -> Bool {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    guard let found = try find(id, tools) else { return false }
    try hand(found, id, tools, progress, body)
    return true
  }

  /// Writes the object to the file at `path`, which appears whole or not at all. Returns false where the object is not there.
  ///
  /// - Throws: as ``read(of:progress:_:)``, and `inputOutput`.
  @discardableResult
  public func write(
    of id: ObjectID, to path: String, progress: ((Int, Int) -> Void)? = nil
  ) throws(FuseError) -> Bool {
    guard try contains(id) else { return false }
    let file = try AtomicFile(replacing: PinnedPath(path))
    let stream = try file.stream(at: 0)
    guard try read(of: id, progress: progress, { piece throws(FuseError) in try stream.write(piece) }) else {
      return false
    }
    try stream.flush()
    try file.publish(header: [])
    return true
  }
}
