internal import FuseDBFormat

/// What an object of several chunks is made of. [SC1]
///
/// The chunks' digests and lengths, in order. Where they are many, the recipe names nodes instead, which are chunks themselves and list the
/// chunks: so a version of a large object that differs in a place shares most nodes with the one before.
struct Recipe: Equatable {
  struct Part: Equatable {
    var id: FuseStore.ObjectID
    /// Of the contents that it stands for.
    var byteCount: Int
  }

  /// Whether the parts are nodes.
  var isOfNodes: Bool
  var parts: [Part]

  var byteCount: Int { parts.reduce(0) { $0 + $1.byteCount } }

  static let headByteCount = 8
  static let partByteCount = 40
  /// How many chunks a node lists at most.
  static let mostInNode = 1024

  /// A node ends after a chunk whose digest says so, or when it is full: a function of contents, as the cuts are.
  static func endsNode(after id: FuseStore.ObjectID, count: Int) -> Bool {
    count >= mostInNode || (count >= 64 && id.first.bigEndian & 255 == 0)
  }

  /// The payload of its record: the digest of what stands before it at its end. [SC2]
  func bytes(_ tools: StoreTools) throws(FuseError) -> [UInt8] {
    var bytes: [UInt8] = [1, isOfNodes ? 1 : 0, 0, 0]
    bytes.append(bigEndian: UInt32(parts.count))
    bytes += Self.bytes(of: parts)
    bytes += try tools.digest(of: bytes.rawSpan).bytes
    return bytes
  }

  /// The contents of a node.
  static func bytes(of parts: [Part]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(parts.count * partByteCount)
    for part in parts {
      bytes += part.id.bytes
      bytes.append(bigEndian: UInt64(part.byteCount))
    }
    return bytes
  }

  init(isOfNodes: Bool, parts: [Part]) {
    self.isOfNodes = isOfNodes
    self.parts = parts
  }

  /// nil where these bytes are no recipe. [SC3]
  init?(_ bytes: RawSpan, _ tools: StoreTools) throws(FuseError) {
    let end = bytes.byteCount - FuseStore.ObjectID.byteCount
    guard end >= Self.headByteCount, bytes.load(at: 0, as: UInt8.self) == 1,
      let nodes = bytes.load(at: 1, as: UInt8.self), nodes <= 1, bytes.load(at: 2, as: UInt16.self) == 0,
      let count = bytes.load(at: 4, as: UInt32.self),
      end == Self.headByteCount + Int(count) * Self.partByteCount,
      try tools.digest(of: bytes.extracting(first: end)) == FuseStore.ObjectID(bytes, at: end),
      let parts = Self.parts(bytes.extracting(Self.headByteCount..<end))
    else { return nil }
    self.init(isOfNodes: nodes == 1, parts: parts)
  }

  /// The parts that a node lists.
  static func parts(_ bytes: RawSpan) -> [Part]? {
    guard bytes.byteCount % partByteCount == 0 else { return nil }
    var parts: [Part] = []
    parts.reserveCapacity(bytes.byteCount / partByteCount)
    var total = 0
    for place in stride(from: 0, to: bytes.byteCount, by: partByteCount) {
      guard let id = FuseStore.ObjectID(bytes, at: place), let count = bytes.load(at: place + 32, as: UInt64.self),
        count < 1 << 60
      else { return nil }
      total += Int(count)
      guard total < 1 << 60 else { return nil }
      parts.append(Part(id: id, byteCount: Int(count)))
    }
    return parts
  }
}
