internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Does what a patch says. See spec/patch.md §5 to §7.
///
/// Nothing that the patch says is taken for granted: each operation is compared with what the file before has and with what
/// the new one may become, before anything is written.
///
/// The last patch of a chain writes the new file. Those before it note alone where its records and keys come from.
struct Patcher {
  let head: PatchHead
  let material: PatchMaterial
  /// The file that the patch was made from.
  var previous: PatchLevel
  /// What is written; nil where the file that the patch makes is one in between.
  let file: AtomicFile?
  let body: PatchBodyReader
  private(set) var successors: RecordSuccessors
  /// How long the new file is so far, up to the end of its records.
  private var dataByteCount = Header.byteCount
  private(set) var recordCount = 0
  /// Where each record of the new file begins; empty of a file in between.
  var starts: [UInt64] = []
  /// Where the records and the keys of a file in between come from, and which record each key points at.
  var records: [UInt32] = []
  var keys: [UInt32] = []
  var targets: [UInt32] = []
  /// How long the key index of the new file is.
  var indexByteCount = 0
  /// What is to be made of the new file, where it is compact.
  var compactPlan: CompactPlan?

  init(
    _ head: PatchHead, from previous: PatchLevel, of material: PatchMaterial, to file: AtomicFile?,
    body: PatchBodyReader
  ) throws(FuseError) {
    self.head = head
    self.previous = previous
    self.material = material
    self.file = file
    self.body = body
    if file == nil {
      (records, keys, targets) = (material.takeArray(), material.takeArray(), material.takeArray())
    }
    successors = try RecordSuccessors(oldCount: previous.records.count, in: material.takeArray())
    if file != nil { material.forgetArrays() }
  }

  /// Does all that the patch says.
  mutating func apply() throws(FuseError) {
    let recordCount = Int(head.newHeader.objectCount)
    if file == nil {
      try Self.prepare(&records, for: recordCount, after: previous.records.count)
    } else {
      try Self.prepare(&starts, for: recordCount, after: previous.records.count)
    }
    try writeRecords()
    forgetRecords()
    if file == nil {
      let keyCount = Int(head.newHeader.keyCount)
      try Self.prepare(&keys, for: keyCount, after: previous.keys.count)
      try Self.prepare(&targets, for: keyCount, after: previous.keys.count)
    }
    try writeEntries()
    forgetEntries()
    try writeBlock()
  }

  /// Makes room for as many elements as there were before and some more: what is added to an array beyond its room may double it.
  /// The patch alone says how many there will be, so that is no reason to take more.
  private static func prepare<Element>(_ array: inout [Element], for stated: Int, after count: Int) throws(FuseError) {
    let likely = count + count / 16 + 4096
    if array.capacity < min(stated, likely) { try array.reserve(likely) }
  }

  /// What the next patch of a chain needs to know of a file in between, once all was done.
  mutating func level() throws(FuseError) -> PatchLevel {
    material.objects = try material.objects.compacted(for: &records, oldCount: material.old.recordCount)
    material.keys = try material.keys.compacted(for: &keys, oldCount: material.old.reader.keyCount)
    return PatchLevel(records: records, keys: keys, targets: targets, indexByteCount: indexByteCount)
  }

  /// Where the data section has to end.
  private var dataEnd: Int { Int(head.newHeader.indexOffset) }

  /// Makes the records of the new file. [U9] [U10]
  private mutating func writeRecords() throws(FuseError) {
    var cursor = 0
    var hasMoved = false
    let oldCount = previous.records.count
    while dataByteCount < dataEnd {
      let (kind, argument) = try body.operation(PatchOperation.Records.self)
      // So every second operation at least writes a record, and a patch cannot keep anybody busy for nothing.
      guard kind != .moved || !hasMoved else { throw body.bad("the cursor is to move twice") }
      hasMoved = kind == .moved
      switch kind {
      case .copied:
        let count = try body.count(argument, upTo: oldCount - cursor, of: "records to copy")
        guard count > 0 else { throw body.bad("no record is to be copied") }
        try copy(cursor..<cursor + count)
        cursor += count
      case .edited:
        guard cursor < oldCount else { throw body.bad("the record to be edited is not in the old file") }
        try writeEdited(cursor, editCount: argument)
        cursor += 1
      case .new:
        try writeNew(byteCount: argument)
      case .moved:
        let (moved, isOverflow) = Int64(cursor).addingReportingOverflow(Int64(zigzag: argument))
        guard !isOverflow, moved >= 0, moved < oldCount, moved != cursor else {
          throw body.bad("the cursor is to move to record \(moved), and the old file has \(oldCount)")
        }
        cursor = Int(moved)
      }
    }
    guard recordCount == Int(head.newHeader.objectCount) else {
      throw body.bad("it makes \(counted(recordCount, "record")), and the new file has \(head.newHeader.objectCount)")
    }
  }

  /// Copies records of the file before: those that stand one after the other in the old file together.
  private mutating func copy(_ numbers: Range<Int>) throws(FuseError) {
    let first = recordCount
    guard case .listed(let origins) = previous.records else {
      try copyOld(numbers)
      return successors.set(numbers, first)
    }
    var next = numbers.lowerBound
    while next < numbers.upperBound {
      let begin = next
      let origin = Int(origins[begin])
      next += 1
      guard material.isOld(record: origin) else {
        try copyPiece(UInt32(origin))
        continue
      }
      while next < numbers.upperBound, Int(origins[next]) == origin + next - begin,
        material.isOld(record: Int(origins[next]))
      {
        next += 1
      }
      try copyOld(origin..<origin + next - begin)
    }
    successors.set(numbers, first)
  }

  /// Copies records of the old file.
  private mutating func copyOld(_ numbers: Range<Int>) throws(FuseError) {
    let old = material.old
    let range = old.range(ofRecords: numbers)
    try checkRoom(records: numbers.count, byteCount: range.count)
    if let file {
      try starts.makeRoom(for: numbers.count)
      old.appendStarts(ofRecords: numbers, to: &starts, from: UInt64(dataByteCount))
      let mapping = old.reader.mapping
      try file.write(mapping.bytes.extracting(range))
    } else {
      try records.makeRoom(for: numbers.count)
      for number in numbers { records.append(UInt32(number)) }
    }
    recordCount += numbers.count
    dataByteCount += range.count
  }

  /// Copies a record that an earlier patch of the chain brought.
  private mutating func copyPiece(_ origin: UInt32) throws(FuseError) {
    let number = Int(origin) - material.old.recordCount
    guard file == nil else {
      var object: [UInt8] = []
      try material.objects.read(number, into: &object)
      return try write(object)
    }
    let byteCount = ObjectRecord.overhead + material.objects.byteCount(of: number)
    try checkRoom(records: 1, byteCount: byteCount)
    try records.grow(by: origin)
    recordCount += 1
    dataByteCount += byteCount
  }

  private mutating func writeNew(byteCount: UInt64) throws(FuseError) {
    let count = try body.count(byteCount, upTo: room - ObjectRecord.overhead, of: "bytes of an object")
    var object: [UInt8] = []
    try append(count, to: &object)
    try write(object)
  }

  private mutating func writeEdited(_ number: Int, editCount: UInt64) throws(FuseError) {
    let origin = previous.records[number]
    let object: [UInt8]
    if material.isOld(record: origin) {
      let mapping = material.old.reader.mapping
      object = try edited(mapping.bytes.extracting(material.old.range(ofObject: origin)), editCount)
    } else {
      var piece: [UInt8] = []
      try material.objects.read(origin - material.old.recordCount, into: &piece)
      object = try edited(piece.rawSpan, editCount)
    }
    successors.setEdited(number, recordCount)
    try write(object)
  }

  /// What the edits that follow make of an object.
  private func edited(_ old: RawSpan, _ editCount: UInt64) throws(FuseError) -> [UInt8] {
    var rest = old
    var object: [UInt8] = []
    var editsLeft = editCount
    while editsLeft > 0 {
      editsLeft -= 1
      let kept = try body.count(upTo: rest.byteCount, of: "bytes to keep")
      try append(rest.extracting(first: kept), to: &object)
      let dropped = try body.count(upTo: rest.byteCount - kept, of: "bytes to drop")
      rest = rest.extracting(droppingFirst: kept + dropped)
      let inserted = try body.count(upTo: room - ObjectRecord.overhead - object.count, of: "bytes to insert")
      guard dropped > 0 || inserted > 0 else { throw body.bad("an edit changes nothing") }
      try append(inserted, to: &object)
    }
    try append(rest, to: &object)
    return object
  }

  /// How many bytes the data section has left.
  private var room: Int { dataEnd - dataByteCount }

  /// Throws unless so many records of so many bytes may follow.
  private func checkRoom(records count: Int, byteCount: Int) throws(FuseError) {
    guard byteCount <= room, count <= Int(head.newHeader.objectCount) - recordCount else {
      throw body.bad(
        "the new file has \(counted(head.newHeader.objectCount, "record")) up to \(dataEnd), and more follow")
    }
  }

  /// Takes bytes of the patch; they are there before memory is used for them.
  private func append(_ count: Int, to object: inout [UInt8]) throws(FuseError) {
    try body.bytes(count) { part throws(FuseError) in try append(part, to: &object) }
  }

  private func append(_ bytes: RawSpan, to object: inout [UInt8]) throws(FuseError) {
    guard object.count + bytes.byteCount <= FormatLimits.objectByteCount else {
      throw body.bad("an object is longer than the format allows")
    }
    try object.makeRoom(for: bytes.byteCount)
    // SAFETY: the array copies the span's bytes before the pointer ends.
    unsafe bytes.withUnsafeBytes { unsafe object.append(contentsOf: $0) }
  }

  private mutating func write(_ object: [UInt8]) throws(FuseError) {
    let byteCount = ObjectRecord.overhead + object.count
    try checkRoom(records: 1, byteCount: byteCount)
    if let file {
      try starts.grow(by: UInt64(dataByteCount))
      try file.body.write(record: object.rawSpan)
    } else {
      try records.grow(by: try material.add(object: object.rawSpan))
    }
    recordCount += 1
    dataByteCount += byteCount
  }

  /// Gives back the memory that the entries do not need.
  private mutating func forgetRecords() {
    // Of the old file's entries, the records are found by where they stand.
    guard file != nil, previous.targets != nil else { return }
    previous.records = .old(count: 0)
    material.forgetRecords()
  }

  /// Gives back the memory that the block does not need.
  private mutating func forgetEntries() {
    if file == nil {
      material.give(previous)
      material.give(successors.records)
    } else {
      material.forgetRecords()
    }
    previous = .empty
    starts = []
    successors = RecordSuccessors()
  }
}

extension Patcher {
  /// Verifies the file that was made: a patch can be made for a file that must not be served. [U18]
  func proveResult(_ file: AtomicFile) throws(FuseError) {
    let result = try file.mapped(header: head.newHeader.bytes, byteCount: head.newByteCount)
    do throws(FuseError) {
      try Verifier.requireSound(result)
    } catch {
      guard error.code == .corrupted || error.code == .truncated else { throw error }
      throw body.bad("the patch makes a damaged file: \(error.message)")
    }
  }
}
