internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

/// Chunks that are packed together, after the bytes of chunks that an earlier version has in their place. [SD1]
///
/// What it says of itself stands unpacked at the start of its payload: so a collection knows what it needs, and an index is made of it, without
/// those chunks.
struct DeepFrame {
  /// How many frames have to be unpacked one after the other for this one, itself included.
  var depth: Int
  /// The chunks whose bytes come first, in order.
  var bases: [FuseStore.ObjectID]
  /// How many bytes they have.
  var baseByteCount: Int
  /// The chunks that are packed here, in order.
  var objects: [Recipe.Part]

  static let mostDepth = 8
  /// Of the chunks in it, unpacked, and of those before them.
  static let mostByteCount = 1 << 20
  static let mostBaseByteCount = 3 << 20
  /// A writer takes bases from no more frames than that.
  static let mostBaseFrames = 4
  static let windowBitCount: Int32 = 22

  static let headByteCount = 16
  static let objectByteCount = 36

  var byteCount: Int { objects.reduce(0) { $0 + $1.byteCount } }

  /// What stands before the packed bytes.
  var head: [UInt8] {
    var bytes: [UInt8] = [UInt8(depth), 0, 0, 0]
    bytes.append(bigEndian: UInt32(bases.count))
    bytes.append(bigEndian: UInt32(objects.count))
    bytes.append(bigEndian: UInt32(baseByteCount))
    for base in bases { bytes += base.bytes }
    for object in objects {
      bytes += object.id.bytes
      bytes.append(bigEndian: UInt32(object.byteCount))
    }
    return bytes
  }

  init(depth: Int, bases: [FuseStore.ObjectID], baseByteCount: Int, objects: [Recipe.Part]) {
    (self.depth, self.bases, self.baseByteCount, self.objects) = (depth, bases, baseByteCount, objects)
  }

  /// How deep a frame is; nil where the payload begins with no head. [SD3]
  static func depth(of payload: RawSpan) -> Int? {
    guard let depth = payload.load(at: 0, as: UInt8.self), (1...UInt8(mostDepth)).contains(depth) else { return nil }
    return Int(depth)
  }

  /// What a payload says, and where the packed bytes begin; nil where it is none. [SD3]
  static func parse(_ payload: RawSpan) -> (frame: DeepFrame, start: Int)? {
    guard let depth = depth(of: payload), let baseCount = payload.load(at: 4, as: UInt32.self),
      let objectCount = payload.load(at: 8, as: UInt32.self), let baseByteCount = payload.load(at: 12, as: UInt32.self),
      baseByteCount <= mostBaseByteCount
    else { return nil }
    let objectsStart = headByteCount + Int(baseCount) * FuseStore.ObjectID.byteCount
    let start = objectsStart + Int(objectCount) * objectByteCount
    guard start <= payload.byteCount else { return nil }
    var bases: [FuseStore.ObjectID] = []
    bases.reserveCapacity(Int(baseCount))
    for place in stride(from: headByteCount, to: objectsStart, by: FuseStore.ObjectID.byteCount) {
      guard let id = FuseStore.ObjectID(payload, at: place) else { return nil }
      bases.append(id)
    }
    var objects: [Recipe.Part] = []
    objects.reserveCapacity(Int(objectCount))
    var total = 0
    for place in stride(from: objectsStart, to: start, by: objectByteCount) {
      guard let id = FuseStore.ObjectID(payload, at: place), let count = payload.load(at: place + 32, as: UInt32.self)
      else { return nil }
      total += Int(count)
      guard total <= mostByteCount else { return nil }
      objects.append(Recipe.Part(id: id, byteCount: Int(count)))
    }
    return (DeepFrame(depth: depth, bases: bases, baseByteCount: Int(baseByteCount), objects: objects), start)
  }
}

extension PackView {
  /// How many frames have to be unpacked for an entry; 0 for one that needs none but its own bytes, nil where a frame is damaged.
  func depth(of entry: PackEntry) -> Int? {
    guard entry.kind == .deep else { return 0 }
    return DeepFrame.depth(of: bytes.extracting(entry.payload))
  }

  /// Whether it has deep frames. [SD5]
  var isDeep: Bool { get throws(FuseError) { try index.metadata["deep"] != nil } }
}

extension FuseStore {
  /// The contents of a deep frame; nil where they are damaged. Its bases are read from frames that are less deep, or none. [SD4]
  func deepFrame(
    at place: Place, of id: ObjectID, mostDepth: Int, _ tools: StoreTools
  ) throws(FuseError) -> [UInt8]? {
    let entry = place.entry
    if let known = deepFrames.contents(place.file, at: entry.offset) { return known }
    let payload = place.file.bytes.extracting(entry.payload)
    guard let (frame, start) = DeepFrame.parse(payload), frame.depth <= mostDepth,
      frame.byteCount == entry.frameByteCount
    else { return nil }
    var prefix: [UInt8] = []
    prefix.reserveCapacity(frame.baseByteCount)
    for base in frame.bases {
      do throws(FuseError) {
        guard case .chunk(let chunk)? = try find(base, tools, mostDepth: frame.depth - 1) else {
          throw FuseError(.corrupted, "it is missing", path: place.path)
        }
        guard prefix.count + chunk.byteCount <= frame.baseByteCount else { return nil }
        let bytes = chunk.bytes
        // SAFETY: the array copies the bytes of the span.
        unsafe bytes.withUnsafeBytes { unsafe prefix.append(contentsOf: $0) }
        try chunk.check()
      } catch {
        throw FuseError(
          error.code,
          "the object \(id) is packed after \(base), which can't be read: \(error.message); put both again",
          offset: UInt64(entry.offset), path: place.path, errno: error.errno)
      }
    }
    guard prefix.count == frame.baseByteCount,
      let contents = try tools.unpacked(
        payload.extracting(droppingFirst: start), after: prefix.rawSpan, byteCount: entry.frameByteCount)
    else { return nil }
    deepFrames.add(contents, place.file, at: entry.offset)
    return contents
  }
}
