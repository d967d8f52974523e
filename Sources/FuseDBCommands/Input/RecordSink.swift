internal import FuseDB

/// Takes records from the readers of the formats, on one thread, and gathers them for a writer.
final class RecordSink {
  let batch = RecordBatch()
  let packer = MessagePackPacker()
  let parser = JSONParser()

  /// The number of the input that is being read, from 0.
  var input = 0
  /// The line on which the record begins, or its number where there are no lines, from 1.
  var line = 0
  /// How many objects were added since the batch was empty.
  private(set) var recordCount = 0
  private var rangeKeys = RangeKeys()

  /// Adds what the packer holds, which is one value nested no deeper than allowed, as an object, and empties it. The keys that follow point at it.
  func addPacked() throws(FuseError) {
    let packer = packer
    defer { packer.clear() }
    recordCount += 1
    try batch.addObject(packer.bytes)
  }

  /// Points `key` at the last object.
  func addKey(_ key: RawSpan) throws(FuseError) {
    try batch.addKey(key, place: InputPlace(input: input, line: line).number)
  }

  /// Adds an object: the bytes of one MessagePack value. The keys that follow point at it.
  func addObject(_ messagePack: RawSpan) throws(FuseError) {
    try MessagePackCursor.validate(messagePack)
    recordCount += 1
    try batch.addObject(messagePack)
  }

  /// Points the blocks of a range of addresses at the last object.
  func addRange(from first: RawSpan, to last: RawSpan, _ names: FieldSelection.Range) throws(FuseError) {
    try rangeKeys.forEach(from: first, to: last, names) { key throws(FuseError) in try addKey(key) }
  }

  /// Forgets everything and keeps the memory.
  func removeAll() {
    batch.removeAll()
    packer.clear()
    recordCount = 0
  }
}
