import FuseDB
import Glibc
import ProgramSupport

/// Asks files whose section of networks was changed, by a million random changes: each question has an answer or an error, a walk ends, and
/// no memory is taken beyond the file's. Under AddressSanitizer, no byte outside is read.
///
///     HostileNetworks [--count COUNT] [--seed NUMBER]
///
/// The last line says whether all was well; so does the exit code.
struct HostileNetworks {
  private static let texts = [
    "0.0.0.0/1", "10.0.0.0/8", "10.1.2.0/24", "10.1.2.3/32", "255.255.255.255/32", "2001:db8::/32", "ffff::/16",
    "::/128",
    "2001:db8:1:1::/64", "2001:db8:1:1::1/128", "2001:db8:1:1:8000::/65", "2001:db8:2::/48", "2001:db8:2:3::9/128",
  ]
  /// With room for a sanitizer.
  private static let mostMemory = 2 << 30

  private let file: [UInt8]
  /// Where the section is in it.
  private let section: Range<Int>
  private let addresses: [FuseAddress]
  private var random: SeededRandom

  static func run(_ arguments: [String]) -> Int32 {
    HostileProgram.run("HostileNetworks", arguments, changing: "sections") { count, seed in
      var errorCount = 0
      for lanes in [NetworkSection.Lanes.eight, .seven] {
        var program = try HostileNetworks(lanes, seed: seed)
        for _ in 0..<(count + 1) / 2 { errorCount += try program.askOne() }
      }
      guard let peak = MachineMemory.peakByteCount, peak < mostMemory else { throw Violation("memory grew") }
      return errorCount
    }
  }

  private init(_ lanes: NetworkSection.Lanes, seed: UInt64) throws {
    let folder = Scratch()
    let writer = FuseWriter()
    // Far apart, so that each has a line of its own, and the lines a tree.
    let far = (1...12).map { "21\(10 + $0):\($0):\($0):\($0)::/64" }
    for text in Self.texts + far { try writer.add(text, text) }
    let path = folder.path("networks.fsdb")
    try writer.build(to: path)
    let narrow = try Self.bytes(of: path)
    (file, section) = try Self.with(lanes, narrow)
    addresses = (Self.texts + far).flatMap { text -> [FuseAddress] in
      let network = FuseNetwork(text)!
      let last = FuseAddress(family: network.family, bits: network.lastBits)
      return [network.address, last]
    }
    random = SeededRandom(seed: seed)
    let sound = try FuseReader(bytes: file)
    for address in addresses {
      guard try sound.longestMatch(of: address) != nil else { throw Violation("\(address) has no block") }
    }
  }

  private static func bytes(of path: String) throws -> [UInt8] {
    guard let bytes = Scratch.bytes(of: path) else { throw Violation("cannot read \(path)") }
    return bytes
  }

  /// The file with lines of a width, and where its section is.
  private static func with(_ lanes: NetworkSection.Lanes, _ file: [UInt8]) throws -> ([UInt8], Range<Int>) {
    let reader = try FuseReader(bytes: file)
    guard let range = reader.index.networks?.range else { throw Violation("the file has no section") }
    guard lanes == .seven else { return (file, range) }
    // Narrow lines hold what wide ones do, and there are none too many: both sections have one length.
    let builder = NetworkSectionBuilder(lanes: lanes, Spill(in: "/var/tmp", memory: 1 << 20, chunkByteCount: 4096))
    var scan = try reader.networks(within: FuseNetwork("0.0.0.0/0")!)
    while let entry = try scan.next() { _ = try builder.add(entry.network, object: entry.objectOffset) }
    scan = try reader.networks(within: FuseNetwork("::/0")!)
    while let entry = try scan.next() { _ = try builder.add(entry.network, object: entry.objectOffset) }
    _ = try builder.finish()
    var wide: [UInt8] = []
    try builder.write { bytes throws(FuseError) in wide += bytes.array() }
    guard wide.count == range.count else {
      throw Violation("the wide section has \(wide.count) bytes, not \(range.count)")
    }
    var bytes = file
    bytes.replaceSubrange(range, with: wide)
    return (bytes, range)
  }

  /// Changes the section, and asks; returns how many errors there were.
  private mutating func askOne() throws -> Int {
    var bytes = file
    for _ in 0...random.below(6) { change(&bytes) }
    if random.below(4) > 0 { seal(&bytes) }
    let reader: FuseReader
    do {
      reader = try FuseReader(bytes: bytes, checksums: random.below(2) == 0 ? .verified : .skipped)
    } catch {
      return 1
    }
    var errorCount = 0
    for _ in 0..<3 {
      let address = random.below(4) == 0 ? someAddress() : addresses[random.below(addresses.count)]
      do {
        if let match = try reader.longestMatch(of: address) {
          guard match.scope.contains(match.address), match.key.contains(match.address) else {
            throw Violation("\(match.key) and \(match.scope) do not hold \(match.address)")
          }
          _ = try match.bytes.byteCount
        }
        _ = try reader.containing(address).count
      } catch let error as FuseError {
        guard error.code == .corrupted else { throw error }
        errorCount += 1
      }
    }
    do {
      let around = addresses[random.below(addresses.count)]
      var scan = try reader.networks(
        within: FuseNetwork(around: around, prefixLength: random.below(around.family.bitCount + 1)))
      while try scan.next() != nil {}
      try reader.withLongestMatches(of: [addresses[0], around, someAddress()]) { _, _ in }
    } catch let error as FuseError {
      guard error.code == .corrupted else { throw error }
      errorCount += 1
    }
    return errorCount
  }

  private mutating func someAddress() -> FuseAddress {
    let bits = UInt128(random.next()) << 64 | UInt128(random.next())
    return random.below(2) == 0 ? FuseAddress(ipv4: UInt32(truncatingIfNeeded: bits)) : FuseAddress(ipv6: bits)
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    let isHeader = random.below(3) == 0
    let place = isHeader ? section.lowerBound + random.below(124) : section.lowerBound + random.below(section.count)
    switch random.below(4) {
    case 0: bytes[place] ^= 1 << UInt8(random.below(8))
    case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
    case 2: bytes[place] = random.below(2) == 0 ? 0 : 0xFF
    default:
      let value = random.below(2) == 0 ? random.next() : random.next() >> UInt64(random.below(64))
      for i in 0..<min(8, section.upperBound - place) {
        bytes[place + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i))
      }
    }
  }

  /// Makes the header's checksum right, and the checks of lines, so that what is wrong is believed.
  private func seal(_ bytes: inout [UInt8]) {
    func put(_ value: UInt32, at place: Int) {
      for i in 0..<4 { bytes[place + i] = UInt8(truncatingIfNeeded: value >> UInt32(8 * i)) }
    }
    put(
      Checksum.of(bytes.rawSpan.extracting(section.lowerBound..<section.lowerBound + 124)), at: section.lowerBound + 124
    )
    guard let header = try? NetworkSection(parsing: bytes.rawSpan.extracting(section), at: 0) else { return }
    let layout = header.layout
    for (table, bases, lines) in [
      (NetworkSection.Table.ipv4, layout.ipv4Bases, layout.ipv4Lines), (.ipv6, layout.ipv6Bases, layout.ipv6Lines),
      (.deep, layout.deepBases, layout.deepLines),
    ] {
      let width = NetworkSection.baseByteCount(table)
      func base(_ line: Int) -> UInt128 {
        guard line < header.lineCounts[table] else { return 0 }
        let start = section.lowerBound + bases + line * width
        return (0..<width).reduce(0) { $0 | UInt128(bytes[start + $1]) << UInt128(8 * $1) }
      }
      for line in 0..<header.lineCounts[table] {
        let start = section.lowerBound + lines + 64 * line
        let check = NetworkLine.check(
          of: bytes.rawSpan.extracting(start..<start + 64), base: base(line), next: base(line + 1))
        put(check, at: start + 60)
      }
    }
  }
}
