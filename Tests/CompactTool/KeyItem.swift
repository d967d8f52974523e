import FuseDBCompact
import FuseDBFormat

/// What a file has its keys in: blocks of keys, and where it is of networks alone, lines and bases of networks, counts of `SHOW`. Each is changed under
/// a right check, so that what reads it has to see on its own that it makes no sense.
struct KeyItem {
  private enum Kind {
    /// A block of keys with this number.
    case block(UInt64)
    /// A line of IPv4 networks with this number.
    case line(Int)
    /// The base of one, which the check of the line before it covers, too.
    case base(Int)
    /// A line of counts with this number, or the head.
    case counts(UInt32?)
  }

  private let kind: Kind
  private let start: Int
  private let bases: Int
  private let lines: Int
  private let lineCount: Int
  private let lanes: NetworkSection.Lanes

  /// All of a file.
  static func places(of file: [UInt8]) -> [KeyItem] {
    let span = file.rawSpan
    let footer = file.count - 48
    var sections: [[UInt8]: Range<Int>] = [:]
    for entry in stride(from: Int(span.loadInside(at: footer + 8, as: UInt64.self)), to: footer, by: 32) {
      let start = Int(span.loadInside(at: entry + 8, as: UInt64.self))
      sections[Array(file[entry..<entry + 4])] = start..<start + Int(span.loadInside(at: entry + 16, as: UInt64.self))
    }
    guard let keys = sections[CompactForm.Section.keys] else { return [] }
    let blocks = (0..<(keys.count - 64) / 256).map { (UInt64($0), keys.lowerBound + 64 + 256 * $0) }
    guard let counts = sections[CompactForm.Section.shown], let networks = sections[CompactForm.Section.networks],
      let section = try? NetworkSection(parsing: span.extracting(networks), at: 0, isCompact: true)
    else {
      let lanes = NetworkSection.Lanes.eight
      return blocks.map {
        KeyItem(kind: .block($0.0), start: $0.1, bases: 0, lines: 0, lineCount: 0, lanes: lanes)
      }
    }
    let (bases, lines) = (
      networks.lowerBound + section.layout.ipv4Bases, networks.lowerBound + section.layout.ipv4Lines
    )
    func item(_ kind: Kind, _ start: Int) -> KeyItem {
      KeyItem(
        kind: kind, start: start, bases: bases, lines: lines, lineCount: section.lineCounts.ipv4, lanes: section.lanes)
    }
    var items = blocks.map { item(.block($0.0), $0.1) }
    for number in 0..<section.lineCounts.ipv4 {
      items.append(item(.line(number), lines + 64 * number))
      items.append(item(.base(number), bases + 4 * number))
    }
    items.append(item(.counts(nil), counts.lowerBound))
    for number in 0..<counts.count / 64 - 1 {
      items.append(item(.counts(UInt32(number)), counts.lowerBound + 64 * (number + 1)))
    }
    return items
  }

  func change(_ bytes: inout [UInt8], _ random: inout Harm.Random) {
    switch kind {
    case .block(let number):
      alter(&bytes, start + 4..<start + 256, &random)
      var covered: [UInt8] = []
      covered.append(bigEndian: number)
      covered += bytes[start + 4..<start + 256]
      put(Checksum.of(covered.rawSpan), at: start, &bytes)
    case .line(let number):
      alter(&bytes, start..<start + 57, &random)
      seal(line: number, &bytes)
    case .base(let number):
      alter(&bytes, start..<start + 4, &random)
      seal(line: number, &bytes)
      if number > 0 { seal(line: number - 1, &bytes) }
    case .counts(let number):
      alter(&bytes, start..<start + 60, &random)
      var covered: [UInt8] = []
      if let number { covered.append(bigEndian: number) }
      covered += bytes[start..<start + 60]
      put(Checksum.of(covered.rawSpan), at: start + 60, &bytes)
    }
  }

  private func alter(_ bytes: inout [UInt8], _ range: Range<Int>, _ random: inout Harm.Random) {
    for _ in 0...random.below(3) {
      let at = range.lowerBound + random.below(range.count)
      bytes[at] =
        switch random.below(4) {
        case 0: UInt8(random.below(256))
        case 1: bytes[at] ^ 1 << UInt8(random.below(8))
        case 2: [0, 1, 8, 16, 24, 32, 33, 253, 254, 255][random.below(10)]
        default: bytes[range.lowerBound + random.below(range.count)]
        }
    }
  }

  private func put(_ checksum: UInt32, at offset: Int, _ bytes: inout [UInt8]) {
    for i in 0..<4 { bytes[offset + i] = UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * i)) }
  }

  /// Gives a line the check that it has between the bases that there are.
  private func seal(line number: Int, _ bytes: inout [UInt8]) {
    func base(_ number: Int) -> UInt128 {
      UInt128(bytes.rawSpan.little(at: bases + 4 * number, as: UInt32.self))
    }
    let at = lines + 64 * number
    let check = NetworkLine.check(
      of: bytes.rawSpan.extracting(at..<at + 64), base: base(number),
      next: number + 1 == lineCount ? 0 : base(number + 1))
    for i in 0..<4 { bytes[at + 60 + i] = UInt8(truncatingIfNeeded: check >> UInt32(8 * i)) }
  }
}
