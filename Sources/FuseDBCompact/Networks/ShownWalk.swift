internal import FuseDBFormat
internal import FuseDBSystem

/// A place among the keys that the section of networks shows, in the order of their texts.
///
/// It goes by parts of 65,536 addresses, which have the first two numbers of their texts in common. Of each it has all blocks that begin there.
struct ShownWalk {
  private static let partCount = 1 << 16
  private static let groupByteCount: UInt64 = 1 << 24
  private static let partByteCount: UInt64 = 1 << 16

  private let reader: CompactReader
  private let shown: ShownBlocks
  /// Which part, in the order of texts; -1 before all, and their number after all.
  private var part = -1
  /// Which first number was asked for last, and in which of its parts blocks begin.
  private var group = (number: -1, parts: InlineArray<4, UInt64>(repeating: 0))
  /// The blocks that begin in it, in the order of their texts, and which of them the place is.
  private var blocks: [ShownBlocks.Block] = []
  private var place = 0
  /// The key at the place, in memory that stays where it is until the place is moved.
  private(set) var text: [UInt8] = []

  init(_ reader: CompactReader, _ shown: ShownBlocks) {
    self.reader = reader
    self.shown = shown
  }

  /// Where the row of the key's object begins.
  var row: UInt64 { blocks[place].row }

  // MARK: Setting

  /// Goes to the first key that is not below a text.
  ///
  /// - Returns: whether there is one, and how many keys are below the text.
  mutating func seek(notBelow wanted: RawSpan) throws(FuseError) -> (isThere: Bool, rank: Int) {
    let first = Self.child(of: wanted)
    var rank = try count(inFirst: first.place, from: 0, Self.groupByteCount)
    guard first.isInside else { return (try moveToPart(from: first.place << 8), rank) }
    let group = UInt64(OctetOrder.octets[first.place]) * Self.groupByteCount
    let rest = wanted.extracting(droppingFirst: OctetOrder.texts[Int(OctetOrder.octets[first.place])].count)
    let second = Self.child(of: rest)
    rank += try count(inFirst: second.place, from: group, Self.partByteCount)
    let number = first.place << 8 + second.place
    guard second.isInside else { return (try moveToPart(from: number), rank) }
    try load(number)
    // The first that is not below.
    var (low, high) = (0, blocks.count)
    while low < high {
      let middle = (low + high) / 2
      let text = blocks[middle].text(hasLengths: shown.hasLengths)
      if text.bytes.compare(wanted) < 0 { low = middle + 1 } else { high = middle }
    }
    rank += low
    guard low < blocks.count else { return (try moveToPart(from: number + 1), rank) }
    go(to: low)
    return (true, rank)
  }

  /// Goes to the key that so many come before.
  /// - Precondition: there are more than so many.
  mutating func seek(number: Int) throws(FuseError) {
    let first = try child(with: number, from: 0, Self.groupByteCount)
    let group = UInt64(OctetOrder.octets[first.place]) * Self.groupByteCount
    let second = try child(with: number - first.before, from: group, Self.partByteCount)
    try load(first.place << 8 + second.place)
    let place = number - first.before - second.before
    guard place < blocks.count else { throw shown.countsDoNotFit() }
    go(to: place)
  }

  mutating func seekFirst() throws(FuseError) -> Bool { try moveToPart(from: 0) }

  mutating func seekLast() throws(FuseError) -> Bool { try moveToPart(downFrom: Self.partCount - 1) }

  // MARK: Moving

  /// Goes to the next key; where there is none, the place is after all.
  mutating func next() throws(FuseError) -> Bool {
    guard place + 1 >= blocks.count else {
      go(to: place + 1)
      return true
    }
    return try moveToPart(from: part + 1)
  }

  /// Goes to the key before; where there is none, the place is before all.
  mutating func previous() throws(FuseError) -> Bool {
    guard place == 0 else {
      go(to: place - 1)
      return true
    }
    return try moveToPart(downFrom: part - 1)
  }

  private mutating func go(to place: Int) {
    self.place = place
    let text = blocks[place].text(hasLengths: shown.hasLengths)
    self.text.removeAll(keepingCapacity: true)
    self.text.append(text.bytes)
  }

  /// Goes to the first key of a part, or of the next that has one.
  private mutating func moveToPart(from number: Int) throws(FuseError) -> Bool {
    var number = number
    while number < Self.partCount {
      if try hasBlocks(part: number) {
        try load(number)
        guard !blocks.isEmpty else { throw shown.countsDoNotFit() }
        go(to: 0)
        return true
      }
      number = isGroupEmpty ? (number | 0xFF) + 1 : number + 1
    }
    leave(to: Self.partCount)
    return false
  }

  /// Goes to the last key of a part, or of the one before that has one.
  private mutating func moveToPart(downFrom number: Int) throws(FuseError) -> Bool {
    var number = number
    while number >= 0 {
      if try hasBlocks(part: number) {
        try load(number)
        guard !blocks.isEmpty else { throw shown.countsDoNotFit() }
        go(to: blocks.count - 1)
        return true
      }
      number = isGroupEmpty ? (number & ~0xFF) - 1 : number - 1
    }
    leave(to: -1)
    return false
  }

  private mutating func leave(to number: Int) {
    (part, place) = (number, 0)
    blocks.removeAll(keepingCapacity: true)
  }

  private mutating func hasBlocks(part number: Int) throws(FuseError) -> Bool {
    if group.number != number >> 8 {
      let first = UInt64(OctetOrder.octets[number >> 8]) * Self.groupByteCount
      let mapping = reader.mapping
      group = (number >> 8, try shown.parts(from: first, of: mapping.bytes))
    }
    let octet = Int(OctetOrder.octets[number & 0xFF])
    return group.parts[octet >> 6] >> UInt64(octet & 63) & 1 == 1
  }

  /// Of the group that was asked last.
  private var isGroupEmpty: Bool { group.parts[0] | group.parts[1] | group.parts[2] | group.parts[3] == 0 }

  /// Reads the blocks that begin in a part.
  private mutating func load(_ number: Int) throws(FuseError) {
    guard number != part else { return }
    // Until all are there.
    part = -1
    blocks.removeAll(keepingCapacity: true)
    let upper = UInt64(OctetOrder.octets[number >> 8]) << 8 | UInt64(OctetOrder.octets[number & 0xFF])
    let mapping = reader.mapping
    var found = blocks
    blocks = []
    try shown.forEach(in: upper << 16..<(upper + 1) << 16, of: mapping.bytes) { block in
      found.append(block)
      return true
    }
    // No two begin at one address.
    found.sort { Self.order($0.address) < Self.order($1.address) }
    (blocks, part, place) = (found, number, 0)
  }

  /// Where the last two numbers of an address stand among those of texts.
  private static func order(_ address: UInt32) -> Int {
    Int(OctetOrder.places[Int(address >> 8 & 0xFF)]) << 8 | Int(OctetOrder.places[Int(address & 0xFF)])
  }

  // MARK: Numbers

  /// The first number, in the order of texts, with which addresses are not all below a text: those before it are below. And whether the text goes on
  /// after it, so that some of its addresses may be below, too.
  private static func child(of wanted: RawSpan) -> (place: Int, isInside: Bool) {
    var (low, high) = (0, 256)
    while low < high {
      let middle = (low + high) / 2
      let text = OctetOrder.texts[Int(OctetOrder.octets[middle])]
      let shared = text.rawSpan.sharedByteCount(with: wanted)
      if shared == text.count { return (middle, true) }
      if text.rawSpan.compare(wanted) < 0 { low = middle + 1 } else { high = middle }
    }
    return (low, false)
  }

  /// How many blocks begin with the first so many numbers, in the order of texts, from an address on.
  private func count(inFirst childCount: Int, from base: UInt64, _ size: UInt64) throws(FuseError) -> Int {
    let mapping = reader.mapping
    let file = mapping.bytes
    var count = 0
    // Numbers beside one another are counted together.
    var octet = 0
    while octet < 256 {
      guard Int(OctetOrder.places[octet]) < childCount else {
        octet += 1
        continue
      }
      let first = octet
      while octet < 256, Int(OctetOrder.places[octet]) < childCount { octet += 1 }
      count += try shown.count(before: base + UInt64(octet) * size, in: file)
      count -= try shown.count(before: base + UInt64(first) * size, in: file)
    }
    guard count >= 0 else { throw shown.countsDoNotFit() }
    return count
  }

  /// The number in whose blocks the one is that so many come before, and how many come before the first of these.
  private func child(
    with number: Int, from base: UInt64, _ size: UInt64
  ) throws(FuseError) -> (place: Int, before: Int) {
    var (low, high) = (0, 256)
    var before = 0
    // At most `number` come before `low`, and more before `high`.
    while high - low > 1 {
      let middle = (low + high) / 2
      let count = try count(inFirst: middle, from: base, size)
      if count <= number { (low, before) = (middle, count) } else { high = middle }
    }
    return (low, before)
  }
}
