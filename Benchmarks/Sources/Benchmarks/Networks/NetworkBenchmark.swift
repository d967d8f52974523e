import CMaxMindDB
import Foundation
import FuseDB

/// Which block holds an address, beside libmaxminddb: the blocks of GeoLite2 City in both, the same questions, the same answers.
///
/// In every round each way has its turn, so that what disturbs the machine meets all of them. A ratio is that of one round.
struct NetworkBenchmark {
  private static let questionCount = 1_000_000
  private static let roundCount = 5

  private let folder: String
  private let command: String
  private let mmdbPath: String

  /// - Parameter python: one that has `maxminddb-geolite2`.
  init(folder: String, python: String, command: String) throws {
    self.folder = folder
    self.command = command
    mmdbPath = try Self.output(
      of: python,
      ["-c", "import glob, _maxminddb_geolite2 as m; print(glob.glob(list(m.__path__)[0] + '/*.mmdb')[0], end='')"])
  }

  /// Returns a table.
  func run() throws -> String {
    let city = try MaxMindTree(mmdbPath)
    let blocks = try CityBlocks(mmdbPath, nodeCount: city.nodeCount)
    let path = folder + "/city.fsdb"
    defer { try? FileManager.default.removeItem(atPath: path) }
    note("building of \(blocks.ipv4.count) IPv4 and \(blocks.ipv6.count) IPv6 blocks")
    let writer = FuseWriter()
    for block in blocks.ipv4 + blocks.ipv6 {
      let address = block.isIPv4 ? FuseAddress(ipv4: UInt32(block.address)) : FuseAddress(ipv6: block.address)
      let network = FuseNetwork(around: address, prefixLength: block.isIPv4 ? block.length - 96 : block.length)
      try writer.add(network.description, Int(block.record))
    }
    let report = try writer.build(to: path)
    guard report.networkCount == blocks.ipv4.count + blocks.ipv6.count else { throw WrongAnswer("blocks are missing") }
    let checked = try FuseReader(path: path)
    let skipped = try FuseReader(path: path, checksums: .skipped)
    var lines = [
      "| stream | libmaxminddb, ns | single | unchecked | one after the other | batch | batch unchecked |",
      "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for (family, blocks) in [("IPv4", blocks.ipv4), ("IPv6", blocks.ipv6)] {
      for (name, addresses) in streams(blocks, isIPv4: family == "IPv4") {
        note("\(family) \(name)")
        try compare(addresses, checked, city)
        lines.append(try measure("\(family) \(name)", addresses, checked, skipped, city))
      }
    }
    lines.append("")
    lines.append(try text(blocks, path))
    return lines.joined(separator: "\n")
  }

  // MARK: Questions

  /// Three streams: evenly over the space, evenly over blocks, and over blocks of which few are asked for often.
  private func streams(_ blocks: [CityBlocks.Block], isIPv4: Bool) -> [(String, [FuseAddress])] {
    var random = SplitMix64(seed: 14)
    func wide() -> UInt128 { UInt128(random.next()) << 64 | UInt128(random.next()) }
    func inside(_ block: CityBlocks.Block) -> FuseAddress {
      let host = block.length == 128 ? 0 : (~0 as UInt128) >> UInt128(block.length)
      let bits = block.address | wide() & host
      return isIPv4 ? FuseAddress(ipv4: UInt32(bits)) : FuseAddress(ipv6: bits)
    }
    let count = UInt64(blocks.count)
    let numbers = 0..<Self.questionCount
    return [
      (
        "space",
        numbers.map { _ in
          // Of IPv6, where addresses are given out: 2000::/3.
          isIPv4
            ? FuseAddress(ipv4: UInt32(truncatingIfNeeded: random.next())) : FuseAddress(ipv6: 1 << 125 | wide() >> 3)
        }
      ),
      ("blocks", numbers.map { _ in inside(blocks[Int(random.next() % count)]) }),
      (
        "Zipf",
        numbers.map { _ in
          let rank = min(count - 1, UInt64(pow(Double(count), Double(random.next() >> 11) / 0x1p53)) - 1)
          return inside(blocks[Int(rank &* 0x9E37_79B9_7F4A_7C15 % count)])
        }
      ),
    ]
  }

  /// Found, record and prefix length; but for 6to4 and Teredo, where that file answers for IPv4.
  private func compare(_ addresses: [FuseAddress], _ reader: FuseReader, _ city: MaxMindTree) throws {
    for address in addresses where address.family == .ipv4 || !Self.isAlias(address.bits) {
      let theirs = try city.answer(to: address)
      let match = try reader.longestMatch(of: address)
      var ours: (UInt32, Int)?
      if let match {
        let record = try match.view.int ?? -1
        ours = (UInt32(record), match.key.prefixLength)
      }
      guard ours?.0 == theirs?.record, ours?.1 == theirs?.length else {
        throw WrongAnswer(
          "\(address): \(String(describing: ours)), and libmaxminddb says \(String(describing: theirs))")
      }
    }
  }

  private static func isAlias(_ bits: UInt128) -> Bool { bits >> 112 == 0x2002 || bits >> 96 == 0x2001_0000 }

  // MARK: Time

  private func measure(
    _ name: String, _ addresses: [FuseAddress], _ checked: FuseReader, _ skipped: FuseReader, _ city: MaxMindTree
  ) throws -> String {
    let ways: [() throws -> UInt64] = [
      { try Self.single(addresses, checked) }, { try Self.single(addresses, skipped) },
      { try Self.serial(addresses, checked) }, { try Self.batch(addresses, checked) },
      { try Self.batch(addresses, skipped) },
    ]
    let questions = addresses.map { MaxMindTree.Question($0) }
    var peer: [Double] = []
    var ratios = [[Double]](repeating: [], count: ways.count)
    for round in 0...Self.roundCount {
      var sum: UInt64 = 0
      let theirs = try timed { sum &+= try city.sum(questions) }
      for (number, way) in ways.enumerated() {
        let ours = try timed { sum &+= try way() }
        if round > 0 { ratios[number].append(ours / theirs) }
      }
      guard sum != 1 else { throw WrongAnswer("no answers") }
      if round > 0 { peer.append(theirs / Double(addresses.count)) }
    }
    let cells = ratios.map { String(format: "%.3f", $0.median) }
    return "| \(name) | \(String(format: "%.0f", peer.median)) | " + cells.joined(separator: " | ") + " |"
  }

  @inline(never)
  private static func single(_ addresses: [FuseAddress], _ reader: FuseReader) throws -> UInt64 {
    var sum: UInt64 = 0
    for address in addresses {
      if let match = try reader.longestMatch(of: address) {
        sum &+= match.objectOffset &+ UInt64(match.key.prefixLength)
      }
    }
    return sum
  }

  /// Each question depends on the answer before.
  @inline(never)
  private static func serial(_ addresses: [FuseAddress], _ reader: FuseReader) throws -> UInt64 {
    var sum: UInt64 = 0
    // It is 0, which the compiler doesn't know.
    let none = UInt64(addresses.count >> 40)
    for address in addresses {
      let bit = sum & none
      let asked =
        address.family == .ipv4
        ? FuseAddress(ipv4: UInt32(truncatingIfNeeded: address.bits) ^ UInt32(bit))
        : FuseAddress(ipv6: address.bits ^ UInt128(bit))
      if let match = try reader.longestMatch(of: asked) {
        sum &+= match.objectOffset &+ UInt64(match.key.prefixLength)
      }
    }
    return sum
  }

  @inline(never)
  private static func batch(_ addresses: [FuseAddress], _ reader: FuseReader) throws -> UInt64 {
    var sum: UInt64 = 0
    try reader.withLongestMatches(of: addresses) { _, match in
      if let match { sum &+= match.objectOffset &+ UInt64(match.key.prefixLength) }
    }
    return sum
  }

  // MARK: Text

  /// Addresses a second from the command, one thread, of lines on standard input.
  private func text(_ blocks: CityBlocks, _ path: String) throws -> String {
    let list = folder + "/addresses.txt"
    defer { try? FileManager.default.removeItem(atPath: list) }
    let lines = streams(blocks.ipv4, isIPv4: true)[1].1.map { $0.description + "\n" }
    try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: list))
    var rates: [Double] = []
    for _ in 0..<Self.roundCount {
      let time = try timed { _ = try Self.output(of: command, ["get", path, "--keys-from", list]) }
      rates.append(Double(lines.count) / time * 1e9)
    }
    return "`fusedb get city.fsdb --keys-from LIST`: \(Int(rates.median / 1000)),000 addresses a second."
  }

  private static func output(of program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  private func note(_ text: String) { FileHandle.standardError.write(Data("networks: \(text)\n".utf8)) }
}

/// The search tree of an MMDB file, by libmaxminddb.
final class MaxMindTree {
  /// An address as that library takes it.
  struct Question {
    var storage = sockaddr_in6()

    init(_ address: FuseAddress) {
      withUnsafeMutableBytes(of: &storage) { bytes in
        if address.family == .ipv4 {
          let number = UInt32(truncatingIfNeeded: address.bits)
          bytes.storeBytes(of: sa_family_t(AF_INET), as: sa_family_t.self)
          bytes.storeBytes(of: number.bigEndian, toByteOffset: 4, as: UInt32.self)
        } else {
          bytes.storeBytes(of: sa_family_t(AF_INET6), as: sa_family_t.self)
          bytes.storeBytes(of: address.bits.bigEndian, toByteOffset: 8, as: UInt128.self)
        }
      }
    }
  }

  private let mmdb: UnsafeMutablePointer<MMDB_s>

  init(_ path: String) throws {
    mmdb = .allocate(capacity: 1)
    let status = MMDB_open(path, UInt32(MMDB_MODE_MMAP), mmdb)
    guard status == MMDB_SUCCESS, mmdb.pointee.metadata.record_size == 28 else {
      mmdb.deallocate()
      throw MaxMindDatabase.failure(status)
    }
  }

  deinit {
    MMDB_close(mmdb)
    mmdb.deallocate()
  }

  var nodeCount: UInt32 { mmdb.pointee.metadata.node_count }

  @inline(__always)
  private func look(_ question: UnsafeRawPointer) throws -> MMDB_lookup_result_s {
    var status: CInt = 0
    let result = MMDB_lookup_sockaddr(mmdb, question.assumingMemoryBound(to: sockaddr.self), &status)
    guard status == MMDB_SUCCESS else { throw MaxMindDatabase.failure(status) }
    return result
  }

  func answer(to address: FuseAddress) throws -> (record: UInt32, length: Int)? {
    let result = try withUnsafeBytes(of: Question(address).storage) { try look($0.baseAddress!) }
    guard result.found_entry else { return nil }
    return (result.entry.offset, Int(result.netmask) - (address.family == .ipv4 ? 96 : 0))
  }

  @inline(never)
  func sum(_ questions: [Question]) throws -> UInt64 {
    var sum: UInt64 = 0
    try questions.withUnsafeBytes { bytes in
      for offset in stride(from: 0, to: bytes.count, by: MemoryLayout<Question>.stride) {
        let result = try look(bytes.baseAddress! + offset)
        if result.found_entry { sum &+= UInt64(result.entry.offset) &+ UInt64(result.netmask) }
      }
    }
    return sum
  }
}
