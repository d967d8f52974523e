internal import FuseDBCompact
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

/// What rows lean on, by its numbers: shapes, and parts as places of the source. Some 24 bytes a part, and the names of the shapes.
struct CompactTables {
  /// Where a part stands in the source.
  struct Part {
    let hash: UInt64
    let range: Range<Int>
  }

  private(set) var parts: [Part] = []
  private(set) var shapes: [ShapeCounter.Shape] = []
  private let names: [UInt8]
  private var partNumbers: NumberTable
  private var shapeNumbers: NumberTable

  init(parts counted: PartCounter, shapes countedShapes: ShapeCounter, in mapping: FileMapping) throws(FuseError) {
    names = countedShapes.names
    shapes = Self.sorted(countedShapes)
    let inOrder = Self.sorted(counted.found, in: mapping)
    try parts.reserve(inOrder.count)
    for entry in inOrder { parts.append(Part(hash: entry.hash, range: entry.range)) }
    partNumbers = try NumberTable(count: parts.count)
    for number in parts.indices { partNumbers.add(number, hash: parts[number].hash) }
    shapeNumbers = try NumberTable(count: shapes.count)
    for number in shapes.indices { shapeNumbers.add(number, hash: shapes[number].hash) }
  }

  // By falling count, equal ones in the order of their bytes.
  private static func sorted(_ shapes: ShapeCounter) -> [ShapeCounter.Shape] {
    let names = shapes.names
    let sorted = shapes.found.sorted { left, right in
      if left.count != right.count { return left.count > right.count }
      return names.rawSpan.extracting(left.range).compare(names.rawSpan.extracting(right.range)) < 0
    }
    return Array(sorted.prefix(CompactForm.mostShapes))
  }

  private static func sorted(_ parts: [PartCounter.Entry], in mapping: FileMapping) -> [PartCounter.Entry] {
    parts.sorted { left, right in
      if left.count != right.count { return left.count > right.count }
      let file = mapping.bytes
      return file.extracting(left.range).compare(file.extracting(right.range)) < 0
    }
  }

  /// The names of a shape.
  func names(ofShape number: Int) -> ArraySlice<UInt8> { names[shapes[number].range] }

  /// The number of a value that is a part.
  @inline(__always)
  func part(_ range: Range<Int>, in file: RawSpan) -> Int? {
    guard CompactForm.partByteCounts.contains(range.count), !parts.isEmpty else { return nil }
    let bytes = file.extracting(range)
    let hash = bytes.hash(seed: 0)
    var slot = partNumbers.first(hash)
    while let number = partNumbers[slot] {
      let part = parts[number]
      if part.hash == hash, file.extracting(part.range).equals(bytes) { return number }
      slot = partNumbers.next(slot)
    }
    return nil
  }

  /// The number of the shape with these names.
  @inline(__always)
  func shape(_ wanted: [UInt8]) -> Int? {
    guard !shapes.isEmpty else { return nil }
    let hash = wanted.rawSpan.hash(seed: 0)
    var slot = shapeNumbers.first(hash)
    while let number = shapeNumbers[slot] {
      let shape = shapes[number]
      if shape.hash == hash, names.rawSpan.extracting(shape.range).equals(wanted) { return number }
      slot = shapeNumbers.next(slot)
    }
    return nil
  }
}

/// Numbers by hashes: a table half full at most. What a number stands for is for others to compare.
struct NumberTable {
  /// Each number and one; 0 where there is none.
  private var slots: [UInt32]
  private var mask: Int { slots.count &- 1 }

  init(count: Int) throws(FuseError) {
    var slotCount = 2
    while slotCount < 2 * count { slotCount *= 2 }
    slots = try [UInt32](slotCount, of: 0)
  }

  /// How many numbers it takes.
  var capacity: Int { slots.count / 2 }

  @inline(__always)
  func first(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & mask }

  @inline(__always)
  func next(_ slot: Int) -> Int { (slot &+ 1) & mask }

  @inline(__always)
  subscript(_ slot: Int) -> Int? { slots[slot] == 0 ? nil : Int(truncatingIfNeeded: slots[slot]) &- 1 }

  @inline(__always)
  mutating func add(_ number: Int, hash: UInt64) {
    var slot = first(hash)
    while slots[slot] != 0 { slot = next(slot) }
    slots[slot] = UInt32(truncatingIfNeeded: number &+ 1)
  }
}
