internal import FuseDBCompact
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

/// The objects that keys lead to, each once, in the order of their smallest keys.
///
/// Takes some 50 bytes an object.
struct CompactObjects {
  /// An object of the source.
  private struct Object {
    let offset: UInt64
    let hash: UInt64
  }

  private var objects: [Object] = []
  /// Of each record that a key leads to: where it begins, and the number of its object. Different records may be one object, where
  /// others wrote the file.
  private var records: [(offset: UInt64, object: UInt32)] = []
  private var byOffset: NumberTable
  private var byContent: NumberTable

  init() throws(FuseError) {
    byOffset = try NumberTable(count: 1 << 10)
    byContent = try NumberTable(count: 1 << 10)
  }

  var count: Int { objects.count }

  /// Where the record of an object begins.
  func offset(of number: Int) -> UInt64 { objects[number].offset }

  /// The number of the object in a record, which is the next one where it is new.
  @inline(__always)
  mutating func number(ofRecordAt offset: UInt64, _ reader: FuseReader) throws(FuseError) -> UInt32 {
    var slot = byOffset.first(Self.hash(offset))
    while let place = byOffset[slot] {
      if records[place].offset == offset { return records[place].object }
      slot = byOffset.next(slot)
    }
    return try add(offset, reader)
  }

  @inline(never)
  private mutating func add(_ offset: UInt64, _ reader: FuseReader) throws(FuseError) -> UInt32 {
    let object = try number(ofContentAt: offset, reader)
    if records.count == byOffset.capacity {
      byOffset = try NumberTable(count: 2 * records.count)
      for place in records.indices { byOffset.add(place, hash: Self.hash(records[place].offset)) }
    }
    byOffset.add(records.count, hash: Self.hash(offset))
    try records.grow(by: (offset, object))
    return object
  }

  private mutating func number(ofContentAt offset: UInt64, _ reader: FuseReader) throws(FuseError) -> UInt32 {
    let bytes = try reader.bytes(ofObjectAt: offset)
    let hash = bytes.hash(seed: 0)
    var slot = byContent.first(hash)
    while let number = byContent[slot] {
      if objects[number].hash == hash, try reader.bytes(ofObjectAt: objects[number].offset).equals(bytes) {
        return UInt32(number)
      }
      slot = byContent.next(slot)
    }
    if objects.count == byContent.capacity {
      byContent = try NumberTable(count: 2 * objects.count)
      for number in objects.indices { byContent.add(number, hash: objects[number].hash) }
    }
    byContent.add(objects.count, hash: hash)
    try objects.grow(by: Object(offset: offset, hash: hash))
    return UInt32(objects.count - 1)
  }

  @inline(__always)
  private static func hash(_ offset: UInt64) -> UInt64 {
    let mixed = offset &* 0x9E37_79B9_7F4A_7C15
    return mixed ^ mixed &>> 32
  }
}

extension CompactObjects {
  /// Forgets what led from records and contents to numbers.
  mutating func finish() throws(FuseError) {
    records = []
    byOffset = try NumberTable(count: 1)
    byContent = try NumberTable(count: 1)
  }

  /// Counts what may be parts and shapes, in as many passes over the objects as the memory takes.
  func tables(
    _ reader: FuseReader, memory: Int, _ progress: (Double) -> Void
  ) throws(FuseError) -> CompactTables {
    var parts = try PartCounter(memory: memory / 4 * 3)
    var shapes = try ShapeCounter(memory: memory / 4)
    var tape = ValueTape()
    var names: [UInt8] = []
    while !parts.share.isDone || !shapes.share.isDone {
      for number in 0..<count {
        if number & 0xFF == 0 { try Cancellation.check() }
        let record = try reader.record(at: objects[number].offset)
        let mapping = reader.mapping
        let file = mapping.bytes
        try tape.read(record.range, in: file)
        for place in tape.nodes.indices {
          let node = tape.nodes[place]
          if node.isMap, tape.readNames(ofMap: place, in: file, into: &names),
            try shapes.add(map: place, of: tape, names: names, in: file)
          {
            tape.markNames(ofMap: place)
          }
          guard place > 0, !node.isName, CompactForm.partByteCounts.contains(node.byteCount) else { continue }
          let range = tape.range(of: node)
          try parts.add(range, hash: file.extracting(range).hash(seed: 0), in: file)
        }
      }
      if !parts.share.isDone { try parts.endPass() }
      if !shapes.share.isDone { try shapes.endPass() }
    }
    progress(1)
    return try CompactTables(parts: parts, shapes: shapes, in: reader.mapping)
  }
}
