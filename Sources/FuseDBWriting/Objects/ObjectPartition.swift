internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// The objects of one range of hashes.
///
/// Objects are kept in memory, each once, as long as the allowance lasts. From then on those that are not there already
/// go to a stream, as often as they come; ``EqualObjects`` finds out later which of them are equal. So memory is bounded,
/// and what comes early, mostly what comes often, is stored once from the start.
final class ObjectPartition {
  private let spill: Spill
  let table: ObjectTable
  /// What came when the memory was used up: the length and the bytes of each.
  private(set) var stream: SpillStream?
  /// Where each object of the stream begins there, if that is kept.
  private(set) var offsets: SpillStream?
  private let keepsOffsets: Bool
  /// Why the stream ends in the middle of an object, so that nothing can follow it.
  private var failure: FuseError?
  /// How many objects went to the stream.
  private(set) var streamedCount = 0
  /// The length of all objects in memory and in the stream.
  private(set) var byteCount = 0
  /// How often an object was found in memory.
  private(set) var foundCount = 0

  /// How many objects are in memory.
  var residentCount: Int { table.objects.count }
  /// Objects in memory and in the stream; their numbers are in this order.
  var count: Int { residentCount + streamedCount }

  /// - Parameters:
  ///   - spill: what the stream goes to.
  ///   - keepsOffsets: whether it is kept where in the stream each object is.
  init(_ table: ObjectTable, spill: Spill, keepsOffsets: Bool = false) {
    self.table = table
    self.keepsOffsets = keepsOffsets
    self.spill = spill
  }

  /// The number of the object that holds these bytes, which is stored if it is not known.
  @inline(__always)
  func insert(_ bytes: RawSpan, hash: UInt64) throws(FuseError) -> UInt32 {
    switch table.find(bytes, hash: hash) {
    case .object(let object):
      foundCount &+= 1
      return object.number
    case .freeSlot(let slot):
      let number = try table.add(bytes, hash: hash, slot: slot)
      byteCount &+= bytes.byteCount
      return if let number { number } else { try addToStream(bytes) }
    }
  }

  /// Stores an object without looking whether it is known.
  func append(_ bytes: RawSpan) throws(FuseError) -> UInt32 {
    let object = try table.append(bytes)
    byteCount += bytes.byteCount
    return if let object { object.number } else { try addToStream(bytes) }
  }

  /// Ends the adding for now.
  ///
  /// - Throws: what an earlier addition to the stream threw.
  func finish() throws(FuseError) {
    if let failure { throw failure }
    stream?.finish()
    offsets?.finish()
  }

  @inline(never)
  private func addToStream(_ bytes: RawSpan) throws(FuseError) -> UInt32 {
    if let failure { throw failure }
    let stream = stream ?? SpillStream(spill)
    self.stream = stream
    do throws(FuseError) {
      if keepsOffsets {
        let offsets = offsets ?? SpillStream(spill, recordByteCount: 8)
        self.offsets = offsets
        try offsets.append(record: UInt64(stream.byteCount).bigEndian)
      }
      try stream.append(record: UInt32(bytes.byteCount))
      try stream.append(bytes)
    } catch {
      failure = error
      throw error
    }
    streamedCount += 1
    return UInt32(count - 1)
  }

  /// Calls `body` with each object of the stream, in order.
  func forEachStreamed(_ body: (RawSpan) throws(FuseError) -> Void) throws(FuseError) {
    guard let stream else { return }
    var reader = SpillReader(stream)
    while let byteCount = try reader.next(as: UInt32.self) { try reader.withNext(Int(byteCount), body) }
  }
}
