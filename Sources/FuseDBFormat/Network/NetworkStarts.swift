// Where blocks begin in the lines of IPv4, as a compact file of networks alone has its keys. See spec/compact.md §15.

extension NetworkLine {
  /// One more than the last address of IPv4.
  package static let endOfIPv4: UInt64 = 1 << 32

  /// Where the run of a lane begins and ends in a line of IPv4 addresses from `base` to before `next`. Lanes that are left over have none, or the
  /// end of the last one's.
  ///
  /// Whatever the line says, the run does not leave the line.
  package static func run(
    _ lane: Int, of line: RawSpan, base: UInt64, next: UInt64, _ lanes: NetworkSection.Lanes
  ) -> Range<UInt64> {
    let first = min(next, lane == 0 ? base : begin(lane, of: line, base, lanes))
    let end = lane + 1 < Int(lanes.rawValue) ? min(next, begin(lane + 1, of: line, base, lanes)) : next
    return first..<max(first, end)
  }

  private static func begin(_ lane: Int, of line: RawSpan, _ base: UInt64, _ lanes: NetworkSection.Lanes) -> UInt64 {
    // A shift that no line has is as good as any: nothing is read by it.
    base &+ UInt64(start(lane, of: line)) &<< UInt64(min(shift(of: line), 32))
  }

  /// How many blocks of a prefix length begin in a run that has them for an answer.
  package static func startCount(in run: Range<UInt64>, length: UInt8) -> Int {
    guard length <= 32 else { return 0 }
    let bits = UInt64(32 - length)
    let mask: UInt64 = 1 << bits - 1
    return Int((run.upperBound + mask) >> bits - (run.lowerBound + mask) >> bits)
  }

  /// How many blocks begin in a line, before an address.
  package static func startCount(
    in line: RawSpan, base: UInt64, next: UInt64, before limit: UInt64 = endOfIPv4, _ lanes: NetworkSection.Lanes
  ) -> Int {
    var count = 0
    for lane in 0..<Int(lanes.rawValue) {
      let run = run(lane, of: line, base: base, next: next, lanes)
      guard run.lowerBound < limit else { break }
      count += startCount(
        in: run.lowerBound..<min(run.upperBound, limit), length: answer(lane, of: line, lanes).length)
    }
    return count
  }
}

/// Counts the blocks that begin before each sixteenth line of IPv4.
package struct NetworkStartCounter {
  /// How many lines have one count.
  package static let linesPerCount = 16

  private let lanes: NetworkSection.Lanes
  private var last: (line: [UInt8], base: UInt64)?
  private var lineCount = 0
  /// How many blocks begin in all lines but the last.
  private var count = 0
  /// What there is before line 0, 16, 32 …
  package private(set) var counts: [UInt32] = []

  package init(_ lanes: NetworkSection.Lanes) { self.lanes = lanes }

  /// Adds the next line.
  package mutating func add(_ line: [UInt8], base: UInt64) {
    end(before: base)
    if lineCount % Self.linesPerCount == 0 { counts.append(UInt32(truncatingIfNeeded: count)) }
    lineCount += 1
    last = (line, base)
  }

  /// - Returns: how many blocks begin in all lines.
  package mutating func finish() -> Int {
    end(before: NetworkLine.endOfIPv4)
    return count
  }

  private mutating func end(before next: UInt64) {
    guard let last else { return }
    count += NetworkLine.startCount(in: last.line.rawSpan, base: last.base, next: next, lanes)
    self.last = nil
  }
}

/// The section `SHOW` of a compact file of networks alone. See spec/compact.md §15.
package enum NetworkStartSection {
  package static let headByteCount = 64
  package static let lineByteCount = 64
  package static let countsPerLine = 15
  package static let checksumPlace = 60
  package enum Field {
    package static let count = 0
    package static let hasLengths = 4
  }

  package static func byteCount(countCount: Int) -> Int {
    headByteCount + lineByteCount * ((countCount + countsPerLine - 1) / countsPerLine)
  }

  /// The section.
  ///
  /// - Parameters:
  ///   - hasLengths: whether a block of one address is written with its length.
  package static func bytes(_ counts: [UInt32], count: Int, hasLengths: Bool) -> [UInt8] {
    var out: [UInt8] = []
    out.append(bigEndian: UInt32(truncatingIfNeeded: count))
    out.append(hasLengths ? 1 : 0)
    out += [UInt8](repeating: 0, count: checksumPlace - out.count)
    out.append(bigEndian: Checksum.of(out.rawSpan))
    var number: UInt32 = 0
    for first in stride(from: 0, to: counts.count, by: countsPerLine) {
      var line: [UInt8] = []
      for count in counts[first..<min(first + countsPerLine, counts.count)] { line.append(bigEndian: count) }
      line += [UInt8](repeating: 0, count: checksumPlace - line.count)
      out += line
      out.append(bigEndian: checksum(ofLine: number, line.rawSpan))
      number += 1
    }
    return out
  }

  /// The CRC-32 of a line: of its number, and its bytes but these.
  package static func checksum(ofLine number: UInt32, _ bytes: RawSpan) -> UInt32 {
    var four: [UInt8] = []
    four.append(bigEndian: number)
    var checksum = Checksum(continuing: Checksum.of(four.rawSpan))
    checksum.update(bytes)
    return checksum.value
  }
}
