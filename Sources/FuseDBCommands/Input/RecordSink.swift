internal import FuseDB

/// Takes records from the readers of the formats and gives them to a writer. One packer and one parser serve all of them.
final class RecordSink {
  let writer: FuseWriter
  let packer = MessagePackPacker()
  let parser = JSONParser()
  private var rangeKeys = RangeKeys()
  private let progress: (InputFile, Int) -> Void

  /// The input that is being read.
  private(set) var input: InputFile?
  /// The line on which the record begins, or its number where there are no lines.
  var line = 0

  /// Under `--on-duplicate error`: the line of each key, in the order in which they were added.
  private var keyLines: [Int]?
  /// The number of keys before each input, and what it is called in messages before the number of a line or record.
  private var inputs: [(firstKey: Int, name: String)] = []

  /// - Parameter progress: called for every few thousand keys with the input and the number of keys so far.
  init(_ options: FuseWriter.Options, progress: @escaping (InputFile, Int) -> Void = { _, _ in }) {
    writer = FuseWriter(options)
    if case .error = options.onDuplicate { keyLines = [] }
    self.progress = progress
  }

  /// Goes on with another input, whose records are counted by lines or one by one.
  func begin(_ input: InputFile, countsLines: Bool = true) {
    self.input = input
    line = 0
    inputs.append((writer.addedKeyCount, input.name + (countsLines ? ":" : ": record ")))
  }

  /// Adds an object: the bytes of one MessagePack value.
  func addObject(_ messagePack: RawSpan) throws(FuseError) -> ObjectID { try writer.addObject(messagePack) }

  /// Adds what the packer holds as an object, and empties it.
  func addPacked() throws(FuseError) -> ObjectID {
    let packer = packer
    defer { packer.clear() }
    return try writer.addObject(packer.bytes)
  }

  /// Points `key` at an object.
  func addKey(_ key: RawSpan, for object: ObjectID) throws(FuseError) {
    try writer.addKey(key, for: object)
    keyLines?.append(line)
    if writer.addedKeyCount & 4095 == 0, let input { progress(input, writer.addedKeyCount) }
  }

  /// Points the blocks of a range of addresses at an object.
  func addRange(
    from first: RawSpan, to last: RawSpan, _ names: FieldSelection.Range, for object: ObjectID
  ) throws(FuseError) {
    try rangeKeys.forEach(from: first, to: last, names) { key throws(FuseError) in try addKey(key, for: object) }
  }

  /// What is wrong with the record, under the name of the input and the number of the line or record; `offset` counts in the input.
  func located(_ error: FuseError, at offset: Int? = nil) -> FuseError {
    guard error.path == nil, let input = inputs.last else { return error }
    return FuseError(
      error.code, error.message, offset: offset.map { UInt64(clamping: $0) }, path: "\(input.name)\(line)",
      errno: error.errno)
  }

  /// The error of a key that was added twice, under the input and the line of its second addition.
  func locatedDuplicate(_ error: FuseError) -> FuseError {
    guard error.code == .duplicateKey, let ordinal = error.offset.map({ Int(clamping: $0) }), let keyLines,
      ordinal < keyLines.count, let input = inputs.last(where: { $0.firstKey <= ordinal })
    else { return error }
    return FuseError(error.code, "a key comes twice: " + error.message, path: "\(input.name)\(keyLines[ordinal])")
  }
}
