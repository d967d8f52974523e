internal import FuseDBFormat

/// Small objects that are to be packed together. [SR3]
struct OpenFrame {
  struct Object {
    var id: FuseStore.ObjectID
    var range: Range<Int>
    var isKept: Bool
  }

  /// Objects of no more bytes share frames.
  static let mostObjectByteCount = 8 << 10
  static let mostByteCount = 64 << 10
  static let mostByteCountWithDictionary = 32 << 10

  /// How many bytes it takes.
  var most = mostByteCount

  private(set) var bytes: [UInt8] = []
  private(set) var objects: [Object] = []
  private var places: [FuseStore.ObjectID: Int] = [:]
  var compression = FuseStore.Compression.automatic

  var isEmpty: Bool { objects.isEmpty }

  func hasRoom(for count: Int, _ compression: FuseStore.Compression) -> Bool {
    isEmpty || (compression == self.compression && bytes.count + count <= most)
  }

  mutating func add(_ object: RawSpan, _ id: FuseStore.ObjectID, isKept: Bool) {
    let start = bytes.count
    // SAFETY: the array copies the bytes of the span.
    unsafe object.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    places[id] = objects.count
    objects.append(Object(id: id, range: start..<bytes.count, isKept: isKept))
  }

  /// Whether an object waits here; it is kept from now on, where that is asked for.
  mutating func has(_ id: FuseStore.ObjectID, keeping: Bool) -> Bool {
    guard let place = places[id] else { return false }
    if keeping { objects[place].isKept = true }
    return true
  }

  func contains(_ id: FuseStore.ObjectID) -> Bool { places[id] != nil }
  func keeps(_ id: FuseStore.ObjectID) -> Bool { places[id].map { objects[$0].isKept } ?? false }

  /// The lengths of the objects, and then the objects.
  var contents: [UInt8] {
    var contents: [UInt8] = []
    contents.reserveCapacity(4 + 4 * objects.count + bytes.count)
    contents.append(bigEndian: UInt32(objects.count))
    for object in objects { contents.append(bigEndian: UInt32(object.range.count << 1 | (object.isKept ? 1 : 0))) }
    return contents + bytes
  }

  /// Where the objects of a frame are, and whether each is kept; nil where the contents are no frame.
  static func objects(in contents: RawSpan) -> [(range: Range<Int>, isKept: Bool)]? {
    guard let count = contents.load(at: 0, as: UInt32.self), 4 + 4 * Int(count) <= contents.byteCount else {
      return nil
    }
    var objects: [(range: Range<Int>, isKept: Bool)] = []
    var start = 4 + 4 * Int(count)
    for number in 0..<Int(count) {
      guard let word = contents.load(at: 4 + 4 * number, as: UInt32.self) else { return nil }
      let end = start + Int(word >> 1)
      guard end <= contents.byteCount else { return nil }
      objects.append((start..<end, word & 1 == 1))
      start = end
    }
    return start == contents.byteCount ? objects : nil
  }
}
