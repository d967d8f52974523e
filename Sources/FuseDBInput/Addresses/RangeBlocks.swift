internal import FuseDBFormat
internal import FuseDBSystem

/// Hands out the blocks of ranges that come in order, of which none may overlap another in part. [R12] [R13]
///
/// Of equal blocks of two ranges, one of which is in the other, the inner range's counts. A block of the outer range is one of the inner
/// range exactly when it lies in the inner range: it is the largest that the outer one has room for, so it is that of the inner one, too.
struct RangeBlocks {
  /// A range around the place that was reached.
  private struct Open {
    var record: RangeRecord
    var blocks: AddressRange.Blocks
    /// The first block that was not handed out.
    var next: AddressRange.Block?

    init(_ record: RangeRecord) {
      self.record = record
      blocks = record.range.blocks
      next = blocks.next()
    }
  }

  /// What happens when two ranges are the same.
  enum Repeats: Sendable {
    /// They need equal objects.
    case needEqualObjects
    /// The first, or the last that was read, counts; or both are refused.
    case first, last, refused
  }

  /// What is handed out.
  typealias Body = (AddressRange.Block, RangeRecord) throws(FuseError) -> Void

  /// The ranges around the place that was reached, the innermost last.
  private var open: [Open] = []
  private let mostOpen: Int
  private let repeats: Repeats
  private let text: RangeMessages

  /// - Parameter mostOpen: how many ranges may lie in each other.
  init(repeats: Repeats, mostOpen: Int, _ text: RangeMessages) {
    self.repeats = repeats
    self.mostOpen = mostOpen
    self.text = text
  }

  /// Takes the next range, and hands out what blocks are known by now.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when it overlaps another in part, or is another with another object.
  mutating func add(_ record: RangeRecord, _ body: Body) throws(FuseError) {
    while let top = open.last, top.record.last < record.first { try close(body) }
    if let top = open.last {
      guard record.last <= top.record.last else { throw text.overlap(top.record, record) }
      if record.range == top.record.range { return try add(repeated: record) }
      try handOut(before: record.first, body)
    }
    guard open.count < mostOpen else { throw text.tooDeep(record, mostOpen) }
    open.append(Open(record))
  }

  /// The same range again: no block of it was handed out yet.
  private mutating func add(repeated record: RangeRecord) throws(FuseError) {
    let known = open[open.count - 1].record
    switch repeats {
    case .first: break
    case .last: open[open.count - 1].record = record
    case .refused: throw text.repeats(known, record)
    case .needEqualObjects: guard record.objectHash == known.objectHash else { throw text.conflict(known, record) }
    }
  }

  /// Hands out what is left.
  mutating func finish(_ body: Body) throws(FuseError) {
    while !open.isEmpty { try close(body) }
  }

  /// Hands out the blocks of the innermost range that begin before an address.
  private mutating func handOut(before address: UInt128, _ body: Body) throws(FuseError) {
    let top = open.count - 1
    while let block = open[top].next, block.first < address {
      try body(block, open[top].record)
      open[top].next = open[top].blocks.next()
    }
  }

  /// Ends the innermost range. What the next one has in it is equal to blocks of it, or inside of them.
  private mutating func close(_ body: Body) throws(FuseError) {
    var inner = open.removeLast()
    while let block = inner.next {
      try body(block, inner.record)
      inner.next = inner.blocks.next()
    }
    let top = open.count - 1
    while top >= 0, let block = open[top].next, block.last <= inner.record.last {
      open[top].next = open[top].blocks.next()
    }
  }
}
