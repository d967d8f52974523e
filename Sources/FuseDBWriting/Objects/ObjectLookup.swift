internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Finds objects by their numbers, wherever they are. [S13]
struct ObjectLookup {
  /// What is read at once of an object, unless it is longer.
  private static let firstByteCount = 256

  private struct Part {
    let table: ObjectTable
    let objects: SpillLookup?
    /// Where each object of the stream begins.
    let offsets: SpillLookup?
  }

  private let parts: [Part]
  private var offset: [UInt8] = []

  /// - Parameter store: of a writer that collects, with the adding ended for now.
  init(_ store: ObjectStore) throws(FuseError) {
    parts = try store.partitions().map { partition in
      Part(
        table: partition.table, objects: partition.stream.map { SpillLookup($0) },
        offsets: partition.offsets.map { SpillLookup($0) })
    }
  }

  /// Appends the object of a number to `bytes`.
  mutating func append(_ object: ObjectNumber, to bytes: inout [UInt8]) throws(FuseError) {
    let part = parts[object.partition]
    let residentCount = part.table.objects.count
    guard object.number >= residentCount else {
      let found = part.table.objects[object.number]
      try bytes.makeRoom(for: found.byteCount)
      // SAFETY: the array copies the object's bytes.
      return unsafe found.bytes.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }
    guard let objects = part.objects, let offsets = part.offsets else {
      preconditionFailure("an object that is not in memory is in the stream")
    }
    offset.removeAll(keepingCapacity: true)
    try offsets.append(8, at: 8 * (object.number - residentCount), to: &offset)
    guard let place = offset.rawSpan.load(at: 0, as: UInt64.self) else {
      preconditionFailure("each object of the stream has an offset")
    }
    try append(objects, at: Int(place), to: &bytes)
  }

  private func append(_ objects: SpillLookup, at offset: Int, to bytes: inout [UInt8]) throws(FuseError) {
    let start = bytes.count
    try objects.append(4 + Self.firstByteCount, at: offset, to: &bytes)
    guard let length = bytes.rawSpan.load(at: start, as: UInt32.self) else {
      preconditionFailure("each object of the stream has a length")
    }
    // The stream has numbers in the order of this machine.
    let byteCount = Int(length.bigEndian)
    bytes.removeSubrange(start..<start + 4)
    let known = bytes.count - start
    if known > byteCount {
      bytes.removeLast(known - byteCount)
    } else if known < byteCount {
      try objects.append(byteCount - known, at: offset + 4 + known, to: &bytes)
    }
  }
}
