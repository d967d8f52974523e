internal import FuseDBFormat

/// The keys of a file of networks alone that stand in no block of keys: IPv4 blocks whose first address has no longer block around it. The runs of
/// the section `NETW` show where they begin. See spec/compact.md §15.
///
/// It is integers alone. Each line is compared with its check when something is read from it.
struct ShownBlocks: Sendable {
  /// A block and the row of its object, as its run has them.
  struct Block {
    var address: UInt32
    var length: UInt8
    /// Where the row begins in the file.
    var row: UInt64

    /// The block's text as a key.
    func text(hasLengths: Bool) -> NetworkText {
      let address = FuseAddress(family: .ipv4, bits: UInt128(address))
      guard length < 32 || hasLengths else { return NetworkText(address) }
      return NetworkText(FuseNetwork(unchecked: address, prefixLength: Int(length)))
    }
  }

  /// How many there are.
  let count: Int
  /// Whether those of one address are written with their length.
  let hasLengths: Bool
  /// Where the sections begin.
  private let networks: Int
  private let counts: Int
  private let lanes: NetworkSection.Lanes
  let lineCount: Int
  private let bases: Int
  private let lines: Int

  /// Reads the heads of both sections. [CN5]
  init(networks: Range<Int>, counts: Range<Int>, of file: RawSpan) throws(FuseError) {
    let section = try NetworkSection(
      parsing: file.extracting(networks), at: networks.lowerBound, isCompact: true)
    let layout = section.layout
    self.networks = networks.lowerBound
    self.counts = counts.lowerBound
    lanes = section.lanes
    lineCount = section.lineCounts.ipv4
    bases = networks.lowerBound + layout.ipv4Bases
    lines = networks.lowerBound + layout.ipv4Lines
    let countCount = (lineCount + NetworkStartCounter.linesPerCount - 1) / NetworkStartCounter.linesPerCount
    guard counts.count == NetworkStartSection.byteCount(countCount: countCount) else {
      throw .corrupted("the section SHOW does not have a count for each 16 lines of IPv4", at: counts.lowerBound)
    }
    let head = file.extracting(counts.lowerBound..<counts.lowerBound + NetworkStartSection.headByteCount)
    let place = NetworkStartSection.checksumPlace
    let flag = head.loadInside(at: NetworkStartSection.Field.hasLengths, as: UInt8.self)
    guard Checksum.of(head.extracting(first: place)) == head.loadInside(at: place, as: UInt32.self), flag <= 1 else {
      throw .corrupted("the head of SHOW differs from its checksum, or has a field out of range", at: counts.lowerBound)
    }
    hasLengths = flag == 1
    count = Int(head.loadInside(at: NetworkStartSection.Field.count, as: UInt32.self))
  }

  // MARK: Lines

  /// Where a line begins in the file.
  func offset(ofLine number: Int) -> Int { lines + NetworkSection.lineByteCount * number }

  /// The first address of a line, and the one after its last.
  private func bounds(ofLine number: Int, in file: RawSpan) -> (base: UInt64, next: UInt64) {
    (base(number, in: file), number + 1 == lineCount ? NetworkLine.endOfIPv4 : base(number + 1, in: file))
  }

  private func base(_ number: Int, in file: RawSpan) -> UInt64 {
    UInt64(file.little(at: bases + 4 * number, as: UInt32.self))
  }

  /// A line that was compared with its check, and where it begins and ends.
  /// - Precondition: there is such a line.
  @_lifetime(copy file)
  func line(_ number: Int, in file: RawSpan) throws(FuseError) -> Line {
    let (base, next) = bounds(ofLine: number, in: file)
    let start = offset(ofLine: number)
    let bytes = file.extracting(start..<start + NetworkSection.lineByteCount)
    // After the last address comes 0.
    guard base < next, NetworkLine.isSound(bytes, base: base, next: next & (NetworkLine.endOfIPv4 - 1)) else {
      throw damaged(number)
    }
    return Line(bytes: bytes, base: base, next: next)
  }

  struct Line: ~Escapable {
    let bytes: RawSpan
    let base: UInt64
    let next: UInt64

    @_lifetime(copy bytes)
    init(bytes: RawSpan, base: UInt64, next: UInt64) {
      self.bytes = bytes
      self.base = base
      self.next = next
    }
  }

  @inline(never)
  private func damaged(_ number: Int) -> FuseError {
    .corrupted("line \(number) of the network section is damaged, or what leads to it", at: offset(ofLine: number))
  }

  /// The last line whose base is not above an address.
  /// - Precondition: there are lines.
  private func line(around address: UInt64, in file: RawSpan) throws(FuseError) -> Int {
    var (low, high) = (0, lineCount)
    while high - low > 1 {
      let middle = (low + high) / 2
      if base(middle, in: file) <= address { low = middle } else { high = middle }
    }
    let (base, next) = bounds(ofLine: low, in: file)
    guard base <= address, address < next else { throw damaged(low) }
    return low
  }

  // MARK: Blocks

  /// The answer of the run that holds an address.
  func answer(at address: UInt32, in file: RawSpan) throws(FuseError) -> NetworkAnswer {
    guard lineCount > 0 else { return .none }
    let number = try line(around: UInt64(address), in: file)
    let line = try line(number, in: file)
    let distance = (UInt64(address) - line.base) >> UInt64(NetworkLine.shift(of: line.bytes))
    let lane = NetworkLine.lane(at: UInt16(min(distance, 0xFFFF)), of: line.bytes, lanes)
    let answer = NetworkLine.answer(lane, of: line.bytes, lanes)
    guard answer.length <= 32 || answer.length == NetworkAnswer.noLength else { throw damaged(number) }
    return answer
  }

  /// Calls `body` with each block that begins in a range of addresses, in their order, for as long as it returns true.
  ///
  /// - Complexity: O(runs of the range, and its blocks).
  func forEach(
    in range: Range<UInt64>, of file: RawSpan, _ body: (Block) -> Bool
  ) throws(FuseError) {
    guard lineCount > 0, !range.isEmpty else { return }
    var number = try line(around: range.lowerBound, in: file)
    while number < lineCount {
      let line = try line(number, in: file)
      guard line.base < range.upperBound else { return }
      for lane in 0..<Int(lanes.rawValue) {
        let run = NetworkLine.run(lane, of: line.bytes, base: line.base, next: line.next, lanes)
        let answer = NetworkLine.answer(lane, of: line.bytes, lanes)
        guard answer.length <= 32 else {
          guard answer.length == NetworkAnswer.noLength else { throw damaged(number) }
          continue
        }
        let size: UInt64 = 1 << UInt64(32 - answer.length)
        var address = (max(run.lowerBound, range.lowerBound) + size - 1) & ~(size - 1)
        let end = min(run.upperBound, range.upperBound)
        while address < end {
          guard body(Block(address: UInt32(address), length: answer.length, row: answer.object)) else { return }
          address += size
        }
      }
      number += 1
    }
  }

  /// In which of the 256 parts of 65,536 addresses that follow an address blocks begin: a bit for each.
  ///
  /// - Complexity: O(runs of the range).
  func parts(from start: UInt64, of file: RawSpan) throws(FuseError) -> InlineArray<4, UInt64> {
    var parts = InlineArray<4, UInt64>(repeating: 0)
    guard lineCount > 0 else { return parts }
    let limit = start + 1 << 24
    var number = try line(around: start, in: file)
    while number < lineCount {
      let line = try line(number, in: file)
      guard line.base < limit else { break }
      for lane in 0..<Int(lanes.rawValue) {
        let length = NetworkLine.answer(lane, of: line.bytes, lanes).length
        guard length <= 32 else { continue }
        let run = NetworkLine.run(lane, of: line.bytes, base: line.base, next: line.next, lanes)
        let (mask, end) = (1 << UInt64(32 - length) - 1 as UInt64, min(run.upperBound, limit))
        var address = (max(run.lowerBound, start) + mask) & ~mask
        while address < end {
          let part = Int((address - start) >> 16)
          parts[part >> 6] |= 1 << UInt64(part & 63)
          // The first of the next part, or after it.
          address = ((address | 0xFFFF) + 1 + mask) & ~mask
        }
      }
      number += 1
    }
    return parts
  }

  /// How many blocks begin before an address.
  ///
  /// - Complexity: O(log lines).
  func count(before address: UInt64, in file: RawSpan) throws(FuseError) -> Int {
    guard lineCount > 0, address > 0 else { return 0 }
    let last = try line(around: address - 1, in: file)
    let group = last / NetworkStartCounter.linesPerCount
    var count = try count(beforeGroup: group, in: file)
    for number in group * NetworkStartCounter.linesPerCount...last {
      let line = try line(number, in: file)
      count += NetworkLine.startCount(in: line.bytes, base: line.base, next: line.next, before: address, lanes)
    }
    return count
  }

  /// How many begin before the first of sixteen lines.
  func count(beforeGroup group: Int, in file: RawSpan) throws(FuseError) -> Int {
    let (number, place) = (group / NetworkStartSection.countsPerLine, group % NetworkStartSection.countsPerLine)
    let start = counts + NetworkStartSection.headByteCount + NetworkStartSection.lineByteCount * number
    let line = file.extracting(start..<start + NetworkStartSection.checksumPlace)
    guard
      NetworkStartSection.checksum(ofLine: UInt32(truncatingIfNeeded: number), line)
        == file.loadInside(at: start + NetworkStartSection.checksumPlace, as: UInt32.self)
    else { throw .corrupted("a line of the section SHOW differs from its checksum", at: start) }
    return Int(line.loadInside(at: 4 * place, as: UInt32.self))
  }

  /// Where the section of counts begins.
  var start: Int { counts }

  /// How many blocks begin in each run of a line, and where the row of their object begins.
  func runs(ofLine number: Int, in file: RawSpan) throws(FuseError) -> [(count: Int, row: UInt64)] {
    let line = try line(number, in: file)
    var runs: [(count: Int, row: UInt64)] = []
    for lane in 0..<Int(lanes.rawValue) {
      let answer = NetworkLine.answer(lane, of: line.bytes, lanes)
      let run = NetworkLine.run(lane, of: line.bytes, base: line.base, next: line.next, lanes)
      let count = NetworkLine.startCount(in: run, length: answer.length)
      if count > 0 { runs.append((count, answer.object)) }
    }
    return runs
  }

  /// The first byte of the section of counts that must be zero and is not.
  func firstUnused(in file: RawSpan) -> Int? {
    let head = counts + NetworkStartSection.Field.hasLengths + 1..<counts + NetworkStartSection.checksumPlace
    let countCount = (lineCount + NetworkStartCounter.linesPerCount - 1) / NetworkStartCounter.linesPerCount
    let used = countCount % NetworkStartSection.countsPerLine
    let end = counts + NetworkStartSection.byteCount(countCount: countCount)
    let last = end - NetworkStartSection.lineByteCount
    let rest = used == 0 ? 0..<0 : last + 4 * used..<last + NetworkStartSection.checksumPlace
    for range in [head, rest] {
      if let offset = range.first(where: { file.loadInside(at: $0, as: UInt8.self) != 0 }) { return offset }
    }
    return nil
  }

  /// What the counts do not fit.
  @inline(never)
  func countsDoNotFit() -> FuseError {
    .corrupted("the counts of the section SHOW do not fit the lines of networks, or the number of keys", at: counts)
  }
}
