import FuseDB
import FuseDBFormat
import FuseDBMaxMind
import FuseDBSystem
import FuseDBValues
import ProgramSupport

/// Reads MaxMind DB files with a million random changes: each is read or refused, the walk ends, and no value is larger than its file allows.
/// Under AddressSanitizer, no byte outside is read, and no piece of memory is larger than what its options say.
///
///     HostileMaxMind [--count COUNT] [--seed NUMBER]
///
/// The last line says whether all was well; so does the exit code.
struct HostileMaxMind {
  /// With room for a sanitizer.
  private static let mostMemory = 1 << 30
  private static let marker: [UInt8] = [0xAB, 0xCD, 0xEF] + Array("MaxMind.com".utf8)

  private let files: [[UInt8]]
  private var random: SeededRandom
  private let packer = MessagePackPacker()
  private var networkCount = 0

  static func run(_ arguments: [String]) -> Int32 {
    HostileProgram.run("HostileMaxMind", arguments, changing: "files") { count, seed in
      var program = HostileMaxMind(seed: seed)
      for file in program.files { try program.checkSound(file) }
      var errorCount = 0
      for _ in 0..<count { errorCount += try program.readOne() }
      guard let peak = MachineMemory.peakByteCount, peak < mostMemory else { throw Violation("memory grew") }
      return errorCount
    }
  }

  private init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    files = [24, 28, 32].flatMap { bits in [4, 6].map { Self.file(bits: bits, version: $0) } }
  }

  // MARK: Files

  private static func text(_ text: String) -> [UInt8] { [0x40 | UInt8(text.utf8.count)] + text.utf8 }
  private static func number(_ type: UInt8, _ value: Int) -> [UInt8] {
    let head: [UInt8] = type < 8 ? [type << 5 | 4] : [4, type - 7]
    return head + (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }

  /// A value of each type, with pointers to parts that come before.
  private static let (values, first): ([UInt8], Int) = {
    var bytes = text("names") + text("en") + text("a text that many have")
    let shared = 0
    let language = UInt8(bytes.count - 22 - 3)
    let long = UInt8(bytes.count - 22)
    let first = bytes.count
    // A map of eight.
    bytes += [0xE8, 0x20, UInt8(shared), 0xE1, 0x20, language, 0x20, long]
    bytes += text("d") + [0x68] + [0x3F, 0xF8, 0, 0, 0, 0, 0, 0]
    bytes += text("b") + [0x82, 0xFF, 0]
    bytes += text("i") + number(8, -7)
    bytes += text("w") + [0x10, 0x03] + [UInt8](repeating: 7, count: 16)
    bytes += text("l") + [0x03, 0x04, 0x01, 0x07, 0x00, 0x07, 0xA1, 0x05]
    bytes += text("f") + [0x04, 0x08, 0x3F, 0x80, 0, 0]
    bytes += text("u") + [0x08, 0x02] + [UInt8](repeating: 1, count: 8)
    return (bytes, first)
  }()

  private static func file(bits: Int, version: Int) -> [UInt8] {
    // 30 nodes one under another, and in a tree of IPv6 96 before them, to one of which an alias leads.
    let before = version == 6 ? 96 : 0
    let count = before + 30
    func value(_ offset: Int) -> Int { count + 16 + offset }
    var nodes: [(Int, Int)] = []
    for i in 0..<count {
      let next = i + 1 < count ? i + 1 : value(first)
      if i < before {
        nodes.append((next, i == 2 ? before : i == 5 ? value(0) : count))
      } else {
        nodes.append(i % 3 == 0 ? (next, value(first)) : i % 3 == 1 ? (value(6), next) : (next, count))
      }
    }
    var bytes: [UInt8] = []
    func put(_ number: Int, _ byteCount: Int) {
      for i in (0..<byteCount).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * i))) }
    }
    for (left, right) in nodes {
      if bits == 28 {
        put(left, 3)
        put((left >> 24) * 16 + (right >> 24), 1)
        put(right, 3)
      } else {
        put(left, bits / 8)
        put(right, bits / 8)
      }
    }
    bytes += [UInt8](repeating: 0, count: 16) + values + marker
    bytes += [0xE8] + text("node_count") + number(6, count) + text("record_size") + [0xA1, UInt8(bits)]
    bytes += text("ip_version") + [0xA1, UInt8(version)] + text("binary_format_major_version") + [0xA1, 2]
    bytes += text("build_epoch") + number(9, 1_700_000_000) + text("database_type") + text("Test")
    bytes += text("languages") + [0x01, 0x04] + text("en") + text("description") + [0xE1] + text("en") + text("x")
    return bytes
  }

  // MARK: Reading

  private mutating func checkSound(_ file: [UInt8]) throws {
    guard try read(file) > 20 else { throw Violation("a sound file has too few networks") }
  }

  /// Reads a file with changes; returns how many errors there were.
  private mutating func readOne() throws -> Int {
    var bytes = files[random.below(files.count)]
    for _ in 0...random.below(3) { change(&bytes) }
    do {
      _ = try read(bytes)
      return 0
    } catch let error as FuseError {
      guard [.invalidValue, .limitExceeded].contains(error.code) else { throw error }
      return 1
    }
  }

  /// How many networks a file has; each value is decoded once.
  private mutating func read(_ bytes: [UInt8]) throws -> Int {
    packer.clear()
    let file = try MaxMindFile(bytes)
    _ = file.metadata.texts(keeping: [Array("en".utf8)])
    let decoder = file.decoder(
      to: packer, mostBytes: 1 << 30, languages: random.below(2) == 0 ? [Array("en".utf8)] : nil)
    var known: Set<Int> = []
    var count = 0
    let packer = packer
    _ = try file.forEachNetwork { network, value throws(FuseError) in
      count += 1
      guard known.insert(value).inserted else { return }
      packer.clear()
      try decoder.decode(at: value)
      try MessagePackCursor.validate(packer.bytes)
      precondition(packer.byteCount <= bytes.count + 1 << 18, "a value is larger than allowed")
    }
    // No more than a tree of so many nodes can have, and the one that IPv4 gets of a larger block.
    guard count <= file.metadata.nodeCount + 2 else {
      throw Violation("\(count) networks in \(file.metadata.nodeCount) nodes")
    }
    return count
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    // The values and the metadata are at the end.
    let place =
      random.below(3) == 0 ? random.below(bytes.count) : max(0, bytes.count - 1 - random.below(min(bytes.count, 420)))
    switch random.below(6) {
    case 0: bytes[place] ^= 1 << UInt8(random.below(8))
    case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
    case 2: bytes[place] = [0x20, 0x28, 0x38, 0xE1, 0x00, 0x1F, 0xFF, 0x1E][random.below(8)]
    case 3:
      let count = min(random.below(16), bytes.count - place)
      let other = random.below(bytes.count - count + 1)
      for i in 0..<count { bytes[place + i] = bytes[other + i] }
    case 4:
      let count = min(random.below(12), bytes.count - place)
      bytes.removeSubrange(place..<place + count)
    default:
      let other = random.below(bytes.count)
      let part = Array(bytes[other..<min(bytes.count, other + random.below(24))])
      bytes.insert(contentsOf: part, at: place)
    }
  }
}
