internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

extension Verifier {
  /// Checks the sections that lead to keys, `HASH` and `ORDR`, against the keys themselves. [X10] [X12]
  ///
  /// Threads prove them right. Only where they are not, one thread goes through them again and tells what is wrong.
  @_lifetime(self: copy self)
  mutating func walkProbes(
    _ directory: ExtensionDirectory, header: Header, index: Range<Int>?
  ) throws(FuseError) {
    var table: HashSectionTable?
    if let hash = directory.hash {
      do {
        table = try HashSectionTable(in: hash.range, of: mapping, index: index ?? 0..<0)
      } catch {
        try add(.hash, at: hash.range.lowerBound, error.message)
      }
    }
    let rowsByteCount = StrideRow.count(keyCount: Int(header.keyCount)) * StrideRow.byteCount
    let order = directory.order?.range
    let rows = order.flatMap { $0.count == rowsByteCount ? $0 : nil }
    let isProven =
      if let index, table != nil || rows != nil { proveProbes(table, rows: rows, index: index) } else { false }
    try Cancellation.check()
    if !isProven, let table { try walkLines(of: table, index: index) }
    if let order, rows == nil {
      try add(
        .order, at: order.lowerBound,
        "the section has \(counted(order.count, "byte")) and must have \(rowsByteCount) for \(counted(header.keyCount, "key"))"
      )
    }
    if !isProven, let rows, let index { try walkRows(rows, index: index) }
  }

  /// Whether all lines and rows are what was written and lead to every key; false too where that is not known.
  @_lifetime(self: copy self)
  private mutating func proveProbes(_ table: HashSectionTable?, rows: Range<Int>?, index: Range<Int>) -> Bool {
    // Rows say where threads may begin; without them, one thread takes it all.
    let order = KeyOrder.section(rows ?? 0..<0)
    let count = order.strideCount
    guard rows == nil || count == StrideRow.count(keyCount: summary.keyCount) else { return false }
    let step = max(ProbePart.stridesPerPart, count / 1024 + 1)
    let firsts = rows == nil ? [0] : Array(stride(from: 0, to: count, by: step))
    let mapping = mapping
    let parts = Parallel.map(firsts.count, threadCount: division.threadCount) { number in
      let strides = firsts[number]..<min(firsts[number] + step, count)
      return ProbePart(
        rows == nil ? nil : strides, order: order, index: index, of: mapping, table: table)
    }
    guard parts.allSatisfy(\.isSound), parts.reduce(0, { $0 + $1.entryCount }) == summary.keyCount else { return false }
    guard let table else { return true }
    // Every key has its slot; as many are taken as there are keys, so the others are free.
    let lineCount = table.section.lineCount
    let lineStep = max(ProbePart.linesPerPart, lineCount / 1024 + 1)
    let lineFirsts = Array(stride(from: 0, to: lineCount, by: lineStep))
    let taken = Parallel.map(lineFirsts.count, threadCount: division.threadCount) { number in
      let first = lineFirsts[number]
      return Cancellation.isRequested
        ? nil : table.takenSlots(inLines: UInt64(first)..<UInt64(min(first + lineStep, lineCount)))
    }
    return taken.allSatisfy { $0 != nil } && taken.reduce(0, { $0 + $1! }) == summary.keyCount
  }

  // MARK: Telling what is wrong

  @_lifetime(self: copy self)
  private mutating func walkLines(of table: HashSectionTable, index: Range<Int>?) throws(FuseError) {
    let expected = try index.map { index throws(FuseError) in
      try ExpectedSlots(of: table, index: index, keyCount: summary.keyCount, in: file)
    }
    for line in 0..<table.section.pilotLineCount where !table.isSoundPilotLine(line) {
      try add(.hash, at: table.offset(ofPilotLine: line), "the check of pilot line \(line) is wrong")
    }
    for line in 0..<table.section.slotLineCount {
      if !table.isSoundSlotLine(line) {
        try add(.hash, at: table.offset(ofSlotLine: line), "the check of slot line \(line) is wrong")
      } else if let expected, !expected.agree(with: table, line: line) {
        try add(
          .hash, at: table.offset(ofSlotLine: line), "the slots of line \(line) do not lead to the keys they should")
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func walkRows(_ rows: Range<Int>, index: Range<Int>) throws(FuseError) {
    let order = KeyOrder.section(rows)
    let bytes = file.extracting(first: index.upperBound)
    var offset = index.lowerBound
    var left = summary.keyCount
    for stride in 0..<order.strideCount {
      let start = offset
      for _ in 0..<min(left, StrideRow.entryCount) {
        guard let entry = IndexEntry(at: offset, in: bytes) else { break }
        offset = entry.end
      }
      let isThere = left > 0
      left -= min(left, StrideRow.entryCount)
      let isRight =
        isThere && order.offset(ofStride: stride, in: file) == start
        && order.checksum(ofStride: stride, in: file)
          == StrideRow.checksum(of: file.extracting(start..<offset), number: stride)
      if !isRight {
        try add(
          .order, at: rows.lowerBound + stride * StrideRow.byteCount,
          "row \(stride) does not say where its index entries begin, or what their checksum is")
      }
    }
  }
}

/// What one thread found of the probes for a part of the keys: the rows of `ORDR`, and the slots that `HASH` has for them.
struct ProbePart: Sendable {
  /// Strides that a thread takes at a time.
  static let stridesPerPart = 1024
  /// Lines of the hash section that a thread takes at a time.
  static let linesPerPart = 1 << 14

  /// Whether every row is right and every key has its slot.
  private(set) var isSound = false
  private(set) var entryCount = 0

  /// Walks over the entries of strides.
  ///
  /// - Parameter strides: which; nil for all entries of the index, where there are no rows.
  init(_ strides: Range<Int>?, order: KeyOrder, index: Range<Int>, of mapping: FileMapping, table: HashSectionTable?) {
    // What comes of it is not looked at then.
    guard !Cancellation.isRequested else { return }
    let file = mapping.bytes.extracting(first: index.upperBound)
    let whole = mapping.bytes
    var offset = strides.map { order.offset(ofStride: $0.lowerBound, in: whole) } ?? index.lowerBound
    var number = strides?.lowerBound ?? 0
    let endOfAll = strides.map { $0.upperBound == order.strideCount } ?? true
    guard offset >= index.lowerBound, number > 0 || offset == index.lowerBound else { return }
    // Of two strides, the one that is read and the one before it, whose slots are waited for.
    var hashes = InlineArray<64, UInt64>(repeating: 0)
    var entries = hashes
    var objects = hashes
    var lines = hashes
    var slots = hashes
    var waiting = 32..<32
    while true {
      let hasMore = strides.map({ number < $0.upperBound }) ?? (offset < index.upperBound)
      if !hasMore, waiting.isEmpty { break }
      let start = offset
      let first = 32 - waiting.lowerBound
      var end = first
      if hasMore {
        while end < first + StrideRow.entryCount, offset < index.upperBound {
          mapping.prefetch(at: UInt64(truncatingIfNeeded: offset &+ EntryWalk.byteCountAhead), lineCount: 1)
          guard let entry = IndexEntry(at: offset, in: file) else { return }
          if let table {
            let hash = file.extracting(entry.keyRange).hash(seed: table.section.seed)
            hashes[end] = hash
            entries[end] = UInt64(offset - index.lowerBound)
            objects[end] = entry.objectOffset
            table.prefetchPilot(of: hash)
          }
          offset = entry.end
          end += 1
        }
        if strides != nil {
          // A stride has 32 entries, the last one the rest; and the next begins where it ends.
          guard order.offset(ofStride: number, in: whole) == start,
            end - first == StrideRow.entryCount || offset == index.upperBound,
            order.checksum(ofStride: number, in: whole)
              == StrideRow.checksum(of: whole.extracting(start..<offset), number: number)
          else { return }
        }
        entryCount += end - first
        number += 1
      }
      guard let table else { continue }
      for i in first..<end {
        let probe = table.probe(of: hashes[i])
        lines[i] = probe.position.line
        slots[i] = probe.position.slot
        table.prefetchSlot(probe)
      }
      for i in waiting {
        let position = HashSection.SlotPosition(line: lines[i], slot: slots[i])
        let expected = HashLine.Slot(tag: HashLine.tag(of: hashes[i]), entry: entries[i], object: objects[i])
        guard table.slot(HashSectionTable.Probe(pilotLine: 0, position: position)) == expected else { return }
      }
      waiting = first..<end
    }
    // The part after this one begins where it ends.
    isSound =
      endOfAll
      ? offset == index.upperBound : offset == order.offset(ofStride: strides?.upperBound ?? 0, in: whole)
  }
}
