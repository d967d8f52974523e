internal import FuseDBFormat
internal import FuseDBMaxMind
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Gives the networks of a MaxMind DB to a writer: each value once, however many networks share it. See spec/mmdb.md.
final class MaxMindReading {
  /// What the file says of itself.
  private(set) var metadata: [String: String]
  /// The IPv6 blocks in which IPv4 addresses answer.
  private(set) var aliases: [NetworkSection.Alias] = []
  /// Which fields of values stay, and which of them there were.
  private(set) var fields: FieldSelection?

  private let file: MaxMindFile
  private let name: String
  private let shard: WriterShard
  private let rules: KeyRules
  private let decoder: MaxMindDecoder
  /// Where a value is decoded of which a part stays.
  private let whole = MessagePackPacker()
  private let batch = RecordBatch()
  private let mostBytes: Int
  /// The writer's number for each value that it has, by the offset of the value; of those that the batch has, their number there, with
  /// ``isInBatch``.
  private var objects: [UInt32: UInt64] = [:]
  /// The values of the batch.
  private var batchOffsets: [UInt32] = []
  /// The networks of these.
  private var waiting: [(network: FuseNetwork, number: Int, position: UInt64)] = []
  private var counts = FuseInput.Counts()

  private static let isInBatch: UInt64 = 1 << 63
  private static let networksAtOnce = 1 << 14
  /// What a network that waits takes.
  private static let waitingByteCount = 64

  init(
    _ input: InputFile, _ shard: WriterShard, rules: KeyRules, limit: RecordLimit, blockByteCount: Int,
    fields: FieldSelection?, languages: [[UInt8]]?
  ) throws(FuseError) {
    name = input.name
    self.shard = shard
    self.rules = rules
    self.fields = fields
    mostBytes = 2 * blockByteCount
    let bytes = try Self.bytes(of: input)
    do throws(FuseError) {
      file = try MaxMindFile(bytes)
    } catch {
      throw error.located(at: input.name, offset: error.offset)
    }
    metadata = file.metadata.texts(keeping: languages)
    decoder = file.decoder(
      to: fields == nil ? batch.packer : whole, mostBytes: limit.byteCount, languages: languages)
  }

  /// All that the input has: its end says what its beginning is.
  private static func bytes(of input: InputFile) throws(FuseError) -> [UInt8] {
    var bytes: [UInt8] = []
    // A byte more, which tells the end.
    var room = (input.byteCount ?? 0) + (1 << 16)
    while true {
      let start = bytes.count
      try bytes.reserve(start + room)
      bytes.append(contentsOf: repeatElement(0, count: room))
      let count = try input.read(into: &bytes, start..<start + room)
      bytes.removeSubrange((start + count)...)
      if count < room { return bytes }
      room = max(1 << 16, bytes.count / 2)
    }
  }

  /// Reads all networks.
  ///
  /// - Parameter progress: called now and then.
  /// - Throws: ``FuseError`` with the name of the file, and the network.
  func run(input: Int, _ progress: (FuseInput.Counts) -> Void) throws(FuseError) {
    do throws(FuseError) {
      aliases = try file.forEachNetwork { network, offset throws(FuseError) in
        try add(network, offset, position: InputPosition(input: input, line: counts.keyCount + 1).number)
        if counts.keyCount % Self.networksAtOnce == 0 { progress(counts) }
      }
      try flush()
    } catch {
      throw error.code == .inputOutput ? error : error.located(at: name, offset: error.offset)
    }
    progress(counts)
  }

  private func add(_ network: FuseNetwork, _ offset: Int, position: UInt64) throws(FuseError) {
    let place = UInt32(truncatingIfNeeded: offset)
    counts.keyCount += 1
    if let number = objects[place], number & Self.isInBatch == 0 {
      return try addKey(network, object: number, position: position)
    }
    let number: Int
    if let known = objects[place] {
      number = Int(truncatingIfNeeded: known & ~Self.isInBatch)
    } else {
      if batch.memoryByteCount + waiting.count * Self.waitingByteCount > mostBytes { try flush() }
      do throws(FuseError) {
        try addObject(offset)
      } catch {
        throw FuseError(error.code, "\(network): \(error.message)", offset: error.offset)
      }
      number = batchOffsets.count
      batchOffsets.append(place)
      objects[place] = UInt64(number) | Self.isInBatch
    }
    waiting.append((network, number, position))
  }

  /// Adds what stays of a value to the batch.
  private func addObject(_ offset: Int) throws(FuseError) {
    counts.recordCount += 1
    try decoder.decode(at: offset)
    if fields != nil { try select() }
    try batch.addPacked()
  }

  private func select() throws(FuseError) {
    let whole = whole
    let node = MessagePackNode(record: whole.bytes.array(), offset: 0)
    whole.clear()
    try fields!.packParts(of: node, record: counts.recordCount, to: batch.packer)
  }

  private func addKey(_ network: FuseNetwork, object: UInt64, position: UInt64) throws(FuseError) {
    let text = NetworkText(network)
    if !rules.isEmpty, let rewritten = try rules.rewritten(text.bytes) {
      return try shard.addKey(rewritten.rawSpan, object: object, position: position)
    }
    try shard.addKey(text.bytes, object: object, position: position)
  }

  /// Gives the writer the batch, and the keys that wait for its objects.
  private func flush() throws(FuseError) {
    try shard.add(batch)
    for (number, place) in batchOffsets.enumerated() { objects[place] = shard.objectNumber(number) }
    for (network, number, position) in waiting {
      try addKey(network, object: shard.objectNumber(number), position: position)
    }
    batchOffsets.removeAll(keepingCapacity: true)
    waiting.removeAll(keepingCapacity: true)
    batch.removeGiven(keepingAtMost: 2 * mostBytes)
  }
}
