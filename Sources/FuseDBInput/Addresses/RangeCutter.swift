internal import FuseDBFormat

/// Cuts ranges that come in order, so that none overlaps another in part and each address is the stronger range's. [R14]
///
/// Ranges on the way form a staircase, the weakest and last to end first: whatever is both weaker and ends no later than another is not seen
/// again. A range stays in one piece, from the first address at which it is seen to the last: where a stronger one hides it in between, that
/// one lies inside, and its blocks win. An end that no stronger range crosses stays where it is, so that ranges that lie in each
/// other keep their blocks.
struct RangeCutter {
  /// A range around the place that was reached.
  private struct Step {
    var record: RangeRecord
    /// Where its piece begins; nil until that is known.
    var start: UInt128?
    /// The last address at which it was seen before a stronger one hid it.
    var lastSeen: UInt128?
    /// Since when it is the strongest; nil while it is not.
    var seenSince: UInt128?
  }

  private var stairs: [Step] = []
  private let overlap: FuseInput.Overlap
  private let mostOpen: Int
  private let text: RangeMessages
  /// How many ranges lost addresses to others that they don't hold,
  private(set) var cutCount = 0
  /// and how many of them all.
  private(set) var hiddenCount = 0

  init(_ overlap: FuseInput.Overlap, mostOpen: Int, _ text: RangeMessages) {
    self.overlap = overlap
    self.mostOpen = mostOpen
    self.text = text
  }

  /// Whether addresses that both hold are the left one's.
  private func isStronger(_ left: RangeRecord, _ right: RangeRecord) -> Bool {
    switch overlap {
    case .first: return left.position < right.position
    case .last: return left.position > right.position
    case .smallest:
      let (leftReach, rightReach) = (left.range.reach, right.range.reach)
      return leftReach == rightReach ? left.position < right.position : leftReach < rightReach
    }
  }

  /// Takes the next range, and hands out what pieces are known by now.
  mutating func add(_ record: RangeRecord, _ body: (RangeRecord) throws(FuseError) -> Void) throws(FuseError) {
    try advance(to: record.first, body)
    var place = stairs.count
    while place > 0, isStronger(stairs[place - 1].record, record) { place -= 1 }
    // The stronger one that ends last.
    if place < stairs.count, stairs[place].record.last >= record.last {
      cutCount += 1
      hiddenCount += 1
      return
    }
    var step = Step(record: record)
    // A stronger one that is still on the way began before this, and so crosses its start.
    if place == stairs.count {
      if place > 0 { hide(at: record.first) }
      step.start = record.first
      step.seenSince = record.first
    }
    var kept = place
    while kept > 0, ends(stairs[kept - 1].record, before: record) { kept -= 1 }
    for step in stairs[kept..<place].reversed() { try end(step, body) }
    stairs.replaceSubrange(kept..<place, with: CollectionOfOne(step))
    guard stairs.count <= mostOpen else { throw text.tooDeep(record, mostOpen) }
  }

  /// Whether a weaker range is not seen after the stronger one. One that ends with it is, since it may keep its end.
  private func ends(_ weaker: RangeRecord, before stronger: RangeRecord) -> Bool {
    weaker.last < stronger.last || weaker.range == stronger.range
  }

  /// The strongest range is hidden from an address on.
  private mutating func hide(at address: UInt128) {
    let top = stairs.count - 1
    if let since = stairs[top].seenSince, since < address {
      stairs[top].lastSeen = address - 1
      if stairs[top].start == nil { stairs[top].start = since }
    }
    stairs[top].seenSince = nil
  }

  /// Hands out what is left.
  mutating func finish(_ body: (RangeRecord) throws(FuseError) -> Void) throws(FuseError) {
    try advance(to: nil, body)
  }

  /// Ends the ranges that end before an address; nil for all.
  private mutating func advance(
    to address: UInt128?, _ body: (RangeRecord) throws(FuseError) -> Void
  ) throws(FuseError) {
    while let top = stairs.last, address.map({ top.record.last < $0 }) ?? true {
      stairs.removeLast()
      // Nothing stronger holds its last address now: its end is no cut.
      let last = top.record.last
      let start = top.start ?? top.seenSince
      if let start {
        if start > top.record.first { cutCount += 1 }
        try body(top.record.cut(to: AddressRange(first: start, last: last)))
      } else {
        cutCount += 1
        hiddenCount += 1
      }
      // One that ends with it stays unseen.
      guard let below = stairs.indices.last, stairs[below].record.last > last else { continue }
      stairs[below].seenSince = last + 1
    }
  }

  /// Ends a range at the address at which it was last seen: a stronger one goes on where it would end.
  private mutating func end(_ step: Step, _ body: (RangeRecord) throws(FuseError) -> Void) throws(FuseError) {
    cutCount += 1
    guard let start = step.start, let last = step.lastSeen else {
      hiddenCount += 1
      return
    }
    try body(step.record.cut(to: AddressRange(first: start, last: last)))
  }
}
