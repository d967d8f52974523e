internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Takes records from the readers of the formats, on one thread, and gives them to a writer, many at a time.
final class RecordSink {
  /// Where the object of a record is packed, before ``addPacked()`` adds it.
  let packer: MessagePackPacker
  /// How large a record may be.
  let limit: RecordLimit

  private let batch: RecordBatch
  private let shard: WriterShard
  /// How many bytes are gathered at most, but for one object: with few bytes of input a row may name many columns, and
  /// a range many keys.
  private let mostBytes: Int
  private var parser = JSONParser()

  /// The number of the input that is being read, from 0.
  var input = 0
  /// The line on which the record begins, or its number where there are no lines, from 1.
  var line = 0
  /// How many objects were added since the last ``finish()``.
  private(set) var recordCount = 0
  /// How many keys.
  private(set) var keyCount = 0
  private var rangeKeys = RangeKeys()

  init(_ shard: WriterShard, blockByteCount: Int, limit: RecordLimit) throws(FuseError) {
    self.shard = shard
    self.limit = limit
    mostBytes = 2 * blockByteCount
    batch = RecordBatch()
    packer = batch.packer
    try batch.reserve(mostBytes)
  }

  /// Calls `body` with the value of the JSON text in `range`, which must be no larger than a record.
  func parse(
    _ bytes: RawSpan, _ range: Range<Int>, _ body: (JSONNode) throws(FuseError) -> Void
  ) throws(FuseError) {
    // With so few bytes there are not too many values.
    if range.count / 2 >= limit.valueCount, JSONParser.valueCount(bytes, range) > limit.valueCount {
      throw limit.tooMany("values", limit.valueCount)
    }
    try parser.withNode(of: bytes, range, body)
  }

  /// Throws unless what was packed since the last object is one value.
  func validatePacked() throws(FuseError) {
    let packer = packer
    try MessagePackCursor.validate(packer.bytes.extracting(batch.packedRange))
  }

  /// Adds what was packed since the last object, which is one value nested no deeper than allowed. The keys that follow
  /// point at it.
  func addPacked() throws(FuseError) {
    recordCount += 1
    try batch.addPacked()
    if batch.memoryByteCount > mostBytes { try flush() }
  }

  /// Points `key` at the last object.
  func addKey(_ key: RawSpan) throws(FuseError) {
    try batch.addKey(key, position: InputPosition(input: input, line: line).number)
    keyCount += 1
    if batch.memoryByteCount > mostBytes { try flush() }
  }

  /// Adds an object: the bytes of one MessagePack value. The keys that follow point at it.
  func addObject(_ messagePack: RawSpan) throws(FuseError) {
    try MessagePackCursor.validate(messagePack)
    recordCount += 1
    try batch.addObject(messagePack)
    if batch.memoryByteCount > mostBytes { try flush() }
  }

  /// Points the blocks of a range of addresses at the last object.
  func addRange(from first: RawSpan, to last: RawSpan, _ names: FieldSelection.Range) throws(FuseError) {
    try rangeKeys.forEach(from: first, to: last, names) { key throws(FuseError) in try addKey(key) }
  }

  /// Forgets what is left of a block that was not read to its end.
  func removeAll() {
    batch.removeAll()
    recordCount = 0
    keyCount = 0
  }

  /// Gives the writer what is gathered. Keys may follow for the last object.
  private func flush() throws(FuseError) {
    try shard.add(batch)
    batch.removeGiven(keepingAtMost: 2 * mostBytes)
  }

  /// Gives the writer the rest, and lets go of the memory that a long record took.
  func finish() throws(FuseError) {
    try flush()
    if parser.capacity > mostBytes { parser = JSONParser() }
  }
}
