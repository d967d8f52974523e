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

  private static let hashSeed = UInt64.random(in: 0 ... .max)
  private static let waitingByteCount = 64

  /// What happens to keys before they are added.
  private let rules: KeyRules
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
  /// The line of the text on which the record begins, where ``line`` is its number.
  var textLine = 0
  /// What happens to bad records.
  private let policy: FlawPolicy
  /// Whether records are read after one that is bad.
  let goesOn: Bool
  /// The bad records of the block, the first ones with their lines, and how many they are.
  private(set) var flaws: [(line: Int, textLine: Int, error: FuseError)] = []
  private(set) var flawCount = 0
  /// Whether a record is being read that may have to be taken back.
  private var isTrying = false
  /// Where ranges of addresses go; nil where records have none.
  private let ranges: RangeStore?
  /// Ranges whose objects the writer has not got yet: these are numbered within the batch.
  private var waiting: [(record: RangeRecord, object: Int)] = []
  /// The hash of the last object.
  private var objectHash: UInt64 = 0

  init(
    _ shard: WriterShard, blockByteCount: Int, limit: RecordLimit, rules: KeyRules, ranges: RangeStore?,
    policy: FlawPolicy = .told(atMost: 1)
  ) throws(FuseError) {
    self.shard = shard
    self.policy = policy
    goesOn = policy.goesOn
    self.rules = rules
    self.limit = limit
    self.ranges = ranges
    mostBytes = 2 * blockByteCount
    batch = RecordBatch()
    packer = batch.packer
    try batch.reserve(mostBytes)
  }

  /// Calls `body`, which reads one record. Where bad ones are told or skipped, nothing of one that it throws for is added.
  func attempt(_ body: () throws(FuseError) -> Void) throws(FuseError) {
    guard goesOn else { return try body() }
    // A record is given to the writer whole.
    if batch.memoryByteCount > mostBytes { try flush() }
    let mark = batch.mark
    let (waitingBefore, recordsBefore, keysBefore) = (waiting.count, recordCount, keyCount)
    isTrying = true
    defer { isTrying = false }
    do throws(FuseError) {
      try body()
    } catch {
      guard error.code == .invalidValue || error.code == .limitExceeded else { throw error }
      batch.removeAll(after: mark)
      waiting.removeSubrange(waitingBefore...)
      (recordCount, keyCount) = (recordsBefore, keysBefore)
      flawCount += 1
      if flaws.count < policy.mostRemembered { flaws.append((line, textLine, error)) }
    }
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
    let packer = packer
    if ranges != nil { objectHash = packer.bytes.extracting(batch.packedRange).hash(seed: Self.hashSeed) }
    try batch.addPacked()
    try flushIfLarge()
  }

  private func flushIfLarge() throws(FuseError) {
    if batch.memoryByteCount > mostBytes, !isTrying { try flush() }
  }

  /// Points `key` at the last object.
  func addKey(_ key: RawSpan) throws(FuseError) {
    if !rules.isEmpty, let rewritten = try rules.rewritten(key) { return try addKey(asItIs: rewritten.rawSpan) }
    try addKey(asItIs: key)
  }

  private func addKey(asItIs key: RawSpan) throws(FuseError) {
    try batch.addKey(key, position: InputPosition(input: input, line: line).number)
    keyCount += 1
    try flushIfLarge()
  }

  /// Adds an object: the bytes of one MessagePack value. The keys that follow point at it.
  func addObject(_ messagePack: RawSpan) throws(FuseError) {
    try MessagePackCursor.validate(messagePack)
    recordCount += 1
    try batch.addObject(messagePack)
    try flushIfLarge()
  }

  /// Lets the blocks of a range of addresses point at the last object, which was packed, once all ranges are known.
  func addRange(from first: RawSpan, to last: RawSpan, _ names: FieldSelection.Range) throws(FuseError) {
    let range = try AddressRange(from: first, to: last, names)
    let position = InputPosition(input: input, line: line).number
    waiting.append(
      (RangeRecord(range, position: position, object: 0, objectHash: objectHash), object: batch.lastObject))
    if batch.memoryByteCount + waiting.count * Self.waitingByteCount > mostBytes, !isTrying { try flush() }
  }

  /// Forgets what is left of a block that was not read to its end.
  func removeAll() {
    batch.removeAll()
    waiting.removeAll(keepingCapacity: true)
    recordCount = 0
    keyCount = 0
    flaws.removeAll(keepingCapacity: true)
    flawCount = 0
  }

  /// Gives the writer what is gathered. Keys may follow for the last object.
  private func flush() throws(FuseError) {
    let previous = shard.lastObjectNumber
    try shard.add(batch)
    for (record, object) in waiting {
      var record = record
      record.object = object == RecordBatch.previousObject ? previous : shard.objectNumber(object)
      try ranges?.add(record)
    }
    waiting.removeAll(keepingCapacity: true)
    batch.removeGiven(keepingAtMost: 2 * mostBytes)
  }

  /// Gives the writer the rest, and lets go of the memory that a long record took.
  func finish() throws(FuseError) {
    try flush()
    if parser.capacity > mostBytes { parser = JSONParser() }
  }
}
