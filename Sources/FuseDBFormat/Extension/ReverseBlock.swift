/// A block of the section `REVS`: which index entries point at each of some objects. See spec/reverse.md §3.
///
/// Objects come in the order of the file, and those with one key are left out. The entries of an object are numbers, counted from
/// 0, in their order.
package enum ReverseBlock {
  package static let byteCount = 256
  /// What stands for the next block's object after the last block.
  package static let noObject = UInt64.max

  /// Where each field stands.
  enum Field {
    static let object = 0
    static let entry = 8
    static let numbers = 12..<252
    static let check = 252
  }

  /// The object of the first list in a block.
  @inline(__always)
  package static func object(of block: RawSpan) -> UInt64 { block.loadInside(at: Field.object, as: UInt64.self) }

  /// What a block's check must be. [Y4]
  ///
  /// - Parameters:
  ///   - number: that of the block, from 0 on.
  ///   - next: the object of the next block.
  static func check(of block: RawSpan, number: Int, next: UInt64) -> UInt32 {
    var checksum = Checksum(continuing: Checksum.of(UInt64(number), next))
    checksum.update(block.extracting(first: Field.check))
    return checksum.value
  }

  /// Whether a block is what was written. [Y4]
  package static func isSound(_ block: RawSpan, number: Int, next: UInt64) -> Bool {
    block.loadInside(at: Field.check, as: UInt32.self) == check(of: block, number: number, next: next)
  }

  /// Appends the entries of `object` that a block has.
  ///
  /// - Returns: false where the block cannot be read so far. [Y3]
  package static func append(entriesOf object: UInt64, in block: RawSpan, to entries: inout [UInt32]) -> Bool {
    var numbers = Numbers(block)
    var listed = self.object(of: block)
    var first = block.loadInside(at: Field.entry, as: UInt32.self)
    while listed <= object {
      let isWanted = listed == object
      var entry = first
      if isWanted { entries.append(entry) }
      while let distance = numbers.next(), distance > 0 {
        guard let sum = entry.adding(distance) else { return false }
        entry = sum
        if isWanted { entries.append(entry) }
      }
      guard !isWanted, let further = numbers.next(), further > 0 else { return !numbers.isBroken }
      guard let step = numbers.next(), let sum = listed.adding(further), let start = first.adding(zigzag: step) else {
        return false
      }
      listed = sum
      first = start
    }
    return true
  }

  /// Reads the numbers of a block one after the other: seven bits a byte, the lowest first. [Y3]
  private struct Numbers: ~Escapable {
    private let block: RawSpan
    private var offset = Field.numbers.lowerBound
    /// Whether the last number did not end.
    private(set) var isBroken = false

    @_lifetime(copy block)
    init(_ block: RawSpan) { self.block = block }

    /// The next number, or nil at the end.
    @_lifetime(self: copy self)
    mutating func next() -> UInt64? {
      var value: UInt64 = 0
      var shift: UInt64 = 0
      guard !isBroken, offset < Field.numbers.upperBound else { return nil }
      while offset < Field.numbers.upperBound, shift < 63 {
        let byte = block.loadInside(at: offset, as: UInt8.self)
        offset += 1
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return value }
        shift += 7
      }
      isBroken = true
      return nil
    }
  }
}

extension FixedWidthInteger where Self: UnsignedInteger {
  fileprivate func adding(_ distance: UInt64) -> Self? {
    guard let distance = Self(exactly: distance) else { return nil }
    let (sum, overflow) = addingReportingOverflow(distance)
    return overflow ? nil : sum
  }
}

extension UInt32 {
  /// 0, 1, 2, 3 … stand for 0, -1, 1, -2 …
  fileprivate func adding(zigzag number: UInt64) -> UInt32? {
    let distance = Int64(bitPattern: (number >> 1) ^ (0 &- (number & 1)))
    let (sum, overflow) = Int64(self).addingReportingOverflow(distance)
    return overflow ? nil : UInt32(exactly: sum)
  }
}

/// Writes the blocks of a section `REVS`. See spec/reverse.md §4.
package struct ReverseBlockWriter {
  private var block: [UInt8] = []
  private var number = 0
  /// A block that waits for the object of the next.
  private var isWaiting: Bool { !block.isEmpty }
  /// The list that is being written: its object, its first entry in this block, its last.
  private var object: UInt64 = 0
  private var first: UInt32 = 0
  private var last: UInt32 = 0
  /// The object that came last, where it is in no list yet.
  private var single: (object: UInt64, entry: UInt32)?

  package init() {}

  /// Adds an entry; they come by rising object, those of one object by rising number.
  ///
  /// - Parameter put: is given each block that is complete.
  package mutating func add(
    object: UInt64, entry: UInt32, _ put: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) {
    if let single, single.object == object {
      try beginList(single.object, single.entry, put)
      self.single = nil
    } else if single != nil || !isWaiting || self.object != object {
      single = (object, entry)
      return
    }
    if !append([UInt64(entry - last)]) { try beginBlock(object, entry, put) }
    last = entry
  }

  /// Ends the writing.
  package mutating func finish(_ put: (RawSpan) throws(FuseError) -> Void) throws(FuseError) {
    try endBlock(next: ReverseBlock.noObject, put)
  }

  private mutating func beginList(
    _ object: UInt64, _ entry: UInt32, _ put: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) {
    let step = Int64(entry) - Int64(first)
    let zigzag = UInt64(bitPattern: (step << 1) ^ (step >> 63))
    if !isWaiting || !append([0, object - self.object, zigzag]) { return try beginBlock(object, entry, put) }
    self.object = object
    first = entry
    last = entry
  }

  private mutating func beginBlock(
    _ object: UInt64, _ entry: UInt32, _ put: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) {
    try endBlock(next: object, put)
    block.append(bigEndian: object)
    block.append(bigEndian: entry)
    self.object = object
    first = entry
    last = entry
  }

  private mutating func endBlock(
    next: UInt64, _ put: (RawSpan) throws(FuseError) -> Void
  ) throws(FuseError) {
    guard isWaiting else { return }
    while block.count < ReverseBlock.Field.check { block.append(0) }
    block.append(bigEndian: UInt32(0))
    let check = ReverseBlock.check(of: block.rawSpan, number: number, next: next)
    block.removeLast(4)
    block.append(bigEndian: check)
    try put(block.rawSpan)
    block.removeAll(keepingCapacity: true)
    number += 1
  }

  /// Appends numbers to the block, all or none; returns whether they fitted.
  private mutating func append(_ numbers: [UInt64]) -> Bool {
    let start = block.count
    for var number in numbers {
      while number >= 0x80 {
        block.append(UInt8(truncatingIfNeeded: number) | 0x80)
        number >>= 7
      }
      block.append(UInt8(number))
    }
    guard block.count > ReverseBlock.Field.check else { return true }
    block.removeLast(block.count - start)
    return false
  }
}
