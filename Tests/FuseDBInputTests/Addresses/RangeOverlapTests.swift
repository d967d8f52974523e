import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBInput

/// Ranges in the order in which they were read; the object of each is its number.
private struct Ranges {
  var ranges: [AddressRange]
  /// The number of each range's object.
  var objects: [UInt64]

  init(_ ranges: [(UInt128, UInt128)], objects: [UInt64]? = nil) {
    self.ranges = ranges.map { AddressRange(first: $0.0, last: $0.1) }
    self.objects = objects ?? (0..<UInt64(ranges.count)).map { $0 }
  }

  /// Small ranges near each other.
  init(random: inout SeededRandom, count: Int, below end: UInt128) {
    self.init(
      (0..<count).map { _ in
        let (one, other) = (UInt128.random(in: 0..<end, using: &random), UInt128.random(in: 0..<end, using: &random))
        return (min(one, other), max(one, other))
      })
  }

  private var records: [RangeRecord] {
    ranges.indices.map {
      RangeRecord(
        ranges[$0], position: InputPosition(input: 0, line: $0 + 1).number, object: objects[$0],
        objectHash: objects[$0])
    }
  }

  private static let messages = RangeMessages(inputs: [("in", .csv)], names: .command)

  /// The blocks, each with its object.
  func blocks(
    _ overlap: FuseInput.Overlap? = nil, repeats: RangeBlocks.Repeats = .needEqualObjects, mostOpen: Int = 1_000
  ) throws(FuseError) -> [(block: AddressRange.Block, object: UInt64)] {
    var found: [(block: AddressRange.Block, object: UInt64)] = []
    var blocks = RangeBlocks(repeats: repeats, mostOpen: mostOpen, Self.messages)
    let note: RangeBlocks.Body = { block, record throws(FuseError) in found.append((block, record.object)) }
    var sorted = records.sorted()
    if let overlap {
      var pieces: [RangeRecord] = []
      var cutter = RangeCutter(overlap, mostOpen: mostOpen, Self.messages)
      for record in sorted { try cutter.add(record) { piece throws(FuseError) in pieces.append(piece) } }
      try cutter.finish { piece throws(FuseError) in pieces.append(piece) }
      sorted = pieces.sorted()
    }
    for record in sorted { try blocks.add(record, note) }
    try blocks.finish(note)
    return found
  }

  /// The object of each address by the rules, the slow way.
  func model(_ overlap: FuseInput.Overlap, below end: UInt128) -> [UInt64?] {
    (0..<end).map { address in
      let around = ranges.indices.filter { ranges[$0].first <= address && ranges[$0].last >= address }
      let winner =
        switch overlap {
        case .first: around.first
        case .last: around.last
        case .smallest: around.min { (ranges[$0].reach, $0) < (ranges[$1].reach, $1) }
        }
      return winner.map { objects[$0] }
    }
  }

  /// Whether two of them overlap in part.
  var overlapInPart: Bool {
    ranges.contains { one in
      ranges.contains { one.first < $0.first && $0.first <= one.last && one.last < $0.last }
    }
  }
}

/// The object of each address by the longest block around it.
private func answers(_ blocks: [(block: AddressRange.Block, object: UInt64)], below end: UInt128) -> [UInt64?] {
  var answers = [UInt64?](repeating: nil, count: Int(end))
  for (block, object) in blocks.sorted(by: { $0.block.hostBits > $1.block.hostBits }) {
    for address in block.first...block.last { answers[Int(address)] = object }
  }
  return answers
}

private func texts(_ blocks: [(block: AddressRange.Block, object: UInt64)]) -> [String] {
  blocks.map { "\($0.block.first)/\($0.block.hostBits)=\($0.object)" }.sorted()
}

struct `Ranges that overlap` {
  @Test func `in part are refused with both places, the later one first [R13]`() {
    for ranges in [Ranges([(1, 1022), (0, 3)]), Ranges([(0, 3), (1, 1022)])] {
      let error = #expect(throws: FuseError.self) { try ranges.blocks() }
      #expect(error?.code == .invalidValue)
      #expect(error?.path == "in:2")
      #expect(error?.message.contains("overlaps in part with the range ") == true)
      #expect(error?.message.contains(" at in:1; ") == true)
    }
  }

  @Test func `give the first in the order of addresses to the error, whatever was read first`() {
    let ranges = Ranges([(50, 60), (55, 65), (0, 10), (20, 30), (5, 15)])
    #expect(throws: FuseError.self) { try ranges.blocks() }.map { #expect($0.path == "in:5") }
  }

  @Test func `and lie in each other give an address to the innermost [R12]`() throws {
    let ranges = Ranges([(0, 255), (4, 7), (5, 6), (250, 255), (0, 0)])
    #expect(answers(try ranges.blocks(), below: 256) == ranges.model(.smallest, below: 256))
  }

  @Test func `and have equal blocks give them to the smaller range [R12]`() throws {
    // 0 to 256 is the blocks of 256 addresses and of one.
    for ranges in [Ranges([(0, 256), (0, 255)]), Ranges([(0, 255), (0, 256)], objects: [1, 0])] {
      #expect(texts(try ranges.blocks()) == ["0/8=1", "256/0=0"])
    }
  }

  @Test func `whole are silent with equal objects, and refused with others unless told which one counts [R13]`() throws
  {
    #expect(texts(try Ranges([(4, 7), (4, 7)], objects: [3, 3]).blocks()) == ["4/2=3"])
    let ranges = Ranges([(4, 7), (0, 15), (4, 7)])
    let error = #expect(throws: FuseError.self) { try ranges.blocks() }
    #expect(error?.code == .duplicateKey)
    #expect(error?.path == "in:3")
    #expect(error?.message.contains("at in:1") == true)
    #expect(texts(try ranges.blocks(repeats: .first)) == ["0/4=1", "4/2=0"])
    #expect(texts(try ranges.blocks(repeats: .last)) == ["0/4=1", "4/2=2"])
    #expect(throws: FuseError.self) { try Ranges([(4, 7), (4, 7)], objects: [3, 3]).blocks(repeats: .refused) }
    #expect(texts(try ranges.blocks(.first)) == ["0/4=1", "4/2=0"])
    #expect(texts(try ranges.blocks(.last)) == ["0/4=1", "4/2=2"])
    #expect(texts(try ranges.blocks(.smallest)) == ["0/4=1", "4/2=0"])
  }

  @Test(arguments: FuseInput.Overlap.allCases)
  func `give each address to the winner, as the slow way does [R14]`(overlap: FuseInput.Overlap) throws {
    var random = SeededRandom.announced()
    for round in 0..<1_500 {
      let end = UInt128(1) << UInt128.random(in: 2...7, using: &random)
      let ranges = Ranges(random: &random, count: 1 + round % 12, below: end)
      let blocks = try ranges.blocks(overlap)
      #expect(answers(blocks, below: end) == ranges.model(overlap, below: end), "\(ranges)")
      #expect(Set(blocks.map { "\($0.block)" }).count == blocks.count, "\(ranges)")
    }
  }

  @Test func `not in part keep all blocks when the smallest wins [R14]`() throws {
    var random = SeededRandom.announced()
    var nestedCount = 0
    while nestedCount < 300 {
      let ranges = Ranges(random: &random, count: Int.random(in: 2...5, using: &random), below: 32)
      guard !ranges.overlapInPart, Set(ranges.ranges.map { "\($0)" }).count == ranges.ranges.count else { continue }
      nestedCount += 1
      let blocks = try ranges.blocks()
      #expect(texts(blocks) == texts(try ranges.blocks(.smallest)), "\(ranges)")
      #expect(answers(blocks, below: 32) == ranges.model(.smallest, below: 32), "\(ranges)")
      #expect(Set(blocks.map { "\($0.block)" }).count == blocks.count, "\(ranges)")
    }
  }

  @Test func `are found wherever they do`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<1_000 {
      let ranges = Ranges(random: &random, count: Int.random(in: 2...5, using: &random), below: 64)
      guard ranges.overlapInPart else { continue }
      #expect(throws: FuseError.self, "\(ranges)") { try ranges.blocks(repeats: .first) }
    }
  }

  @Test func `at both ends of all addresses are no exception`() throws {
    let ranges = Ranges([(0, .max), (0, 0), (.max, .max), (.max - 1, .max)])
    #expect(try ranges.blocks().count == 4)
    for overlap in FuseInput.Overlap.allCases {
      let blocks = try ranges.blocks(overlap)
      #expect(blocks.contains { $0.block.hostBits == 128 })
      #expect(blocks.count == (overlap == .first ? 1 : overlap == .last ? 3 : 4))
    }
  }

  @Test func `deeper than the memory reaches are refused`() {
    let nested = Ranges((0..<20).map { ($0, 100 - $0) })
    for overlap in [FuseInput.Overlap.smallest, nil] {
      let error = #expect(throws: FuseError.self) { try nested.blocks(overlap, mostOpen: 10) }
      #expect(error?.code == .limitExceeded)
      #expect(error?.path == "in:11")
    }
  }
}
