internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Does what a patch says. See spec/patch.md §5 to §7.
///
/// Nothing that the patch says is taken for granted: each operation is compared with what the old file has and with what
/// the new one may become, before anything is written.
struct Patcher {
  let head: PatchHead
  let old: PatchEnd
  let file: AtomicFile
  let body: PatchBodyReader
  /// Where each record of the new file begins.
  private(set) var starts: [UInt64] = []
  private(set) var successors: RecordSuccessors

  init(_ head: PatchHead, from old: PatchEnd, to file: AtomicFile, body: PatchBodyReader) throws(FuseError) {
    self.head = head
    self.old = old
    self.file = file
    self.body = body
    successors = try RecordSuccessors(oldCount: old.recordCount)
  }

  /// Where the data section has to end.
  private var dataEnd: Int { Int(head.newHeader.indexOffset) }

  /// Writes the records of the new file. [U9] [U10]
  mutating func writeRecords() throws(FuseError) {
    var cursor = 0
    var hasMoved = false
    while file.byteCount < UInt64(dataEnd) {
      let (kind, argument) = try body.operation(PatchOperation.Records.self)
      // So every second operation at least writes a record, and a patch cannot keep anybody busy for nothing.
      guard kind != .moved || !hasMoved else { throw body.bad("the cursor is to move twice") }
      hasMoved = kind == .moved
      switch kind {
      case .copied:
        let count = try body.count(argument, upTo: old.recordCount - cursor, of: "records to copy")
        guard count > 0 else { throw body.bad("no record is to be copied") }
        try copy(cursor..<cursor + count)
        cursor += count
      case .edited:
        guard cursor < old.recordCount else { throw body.bad("the record to be edited is not in the old file") }
        try writeEdited(cursor, editCount: argument)
        cursor += 1
      case .new:
        try writeNew(byteCount: argument)
      case .moved:
        let (moved, isOverflow) = Int64(cursor).addingReportingOverflow(Int64(zigzag: argument))
        guard !isOverflow, moved >= 0, moved < old.recordCount, moved != cursor else {
          throw body.bad("the cursor is to move to record \(moved), and the old file has \(old.recordCount)")
        }
        cursor = Int(moved)
      }
    }
    guard starts.count == Int(head.newHeader.objectCount) else {
      throw body.bad("it makes \(counted(starts.count, "record")), and the new file has \(head.newHeader.objectCount)")
    }
  }

  private mutating func copy(_ records: Range<Int>) throws(FuseError) {
    let range = old.range(ofRecords: records)
    try checkRoom(records: records.count, byteCount: range.count)
    let (from, to) = (UInt64(range.lowerBound), file.byteCount)
    for record in records {
      successors.set(record, starts.count, isCopy: true)
      try starts.grow(by: UInt64(old.range(ofRecords: record..<record + 1).lowerBound) - from + to)
    }
    let mapping = old.reader.mapping
    try file.write(mapping.bytes.extracting(range))
  }

  private mutating func writeNew(byteCount: UInt64) throws(FuseError) {
    let count = try body.count(byteCount, upTo: room - ObjectRecord.overhead, of: "bytes of an object")
    var object: [UInt8] = []
    try append(count, to: &object)
    try write(object)
  }

  private mutating func writeEdited(_ origin: Int, editCount: UInt64) throws(FuseError) {
    let mapping = old.reader.mapping
    var rest = mapping.bytes.extracting(old.range(ofObject: origin))
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
    successors.set(origin, starts.count, isCopy: false)
    try write(object)
  }

  /// How many bytes the data section has left.
  private var room: Int { dataEnd - Int(file.byteCount) }

  /// Throws unless so many records of so many bytes may follow.
  private func checkRoom(records count: Int, byteCount: Int) throws(FuseError) {
    guard byteCount <= room, count <= Int(head.newHeader.objectCount) - starts.count else {
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
    try checkRoom(records: 1, byteCount: ObjectRecord.overhead + object.count)
    try starts.grow(by: file.byteCount)
    try file.body.write(record: object.rawSpan)
  }
}

extension Patcher {
  /// Verifies the file that was made: a patch can be made for a file that must not be served. [U18]
  func proveResult() throws(FuseError) {
    let result = try file.mapped(header: head.newHeader.bytes, byteCount: head.newByteCount)
    do throws(FuseError) {
      try Verifier.requireSound(result)
    } catch {
      guard error.code == .corrupted || error.code == .truncated else { throw error }
      throw body.bad("the patch makes a damaged file: \(error.message)")
    }
  }
}
