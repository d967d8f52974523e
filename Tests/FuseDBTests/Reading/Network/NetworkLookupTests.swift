import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBReading
@testable import FuseDBWriting

struct `An address is answered by its block` {
  private static let texts = [
    "0.0.0.0/0", "8.0.0.0/8", "8.8.8.0/24", "8.8.8.8", "10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25",
    "255.255.255.255/32",
    "2001:db8::/32", "2001:db8::/65", "2001:db8::1", "::/0", "ffff::/16",
  ]

  /// A file of blocks, each with its own text as its object.
  private static func file(_ texts: [String], _ options: FuseWriter.Options = .init()) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(options)
    for text in texts { try writer.add(text, text) }
    try writer.build(to: folder.path("file.fsdb"))
    return try folder.read("file.fsdb")
  }

  private static func model(_ texts: [String]) -> NetworkModel { NetworkModel(texts) }

  @Test(arguments: [FuseWriter.Networks.automatic, .never], [FuseReader.Checksums.verified, .skipped])
  func `as a plain list says, with the section and without`(
    networks: FuseWriter.Networks, checksums: FuseReader.Checksums
  ) throws {
    let model = Self.model(Self.texts)
    let reader = try FuseReader(bytes: Self.file(Self.texts, .init(networks: networks)), checksums: checksums)
    #expect(reader.hasNetworks == (networks == .automatic))
    #expect(reader.networkCount == (networks == .automatic ? Self.texts.count : 0))
    let addresses = model.telltaleAddresses
    for address in addresses {
      let expected = model.containing(address)
      let match = try reader.longestMatch(of: address)
      #expect(match?.key == expected.first?.network, "\(address)")
      if let match {
        let text = try match.view.string
        #expect(text.flatMap { FuseNetwork($0) } == expected.first?.network)
        #expect(try match.bytes.byteCount > 1)
        #expect(match.scope == (networks == .automatic ? model.scope(address) : Self.alone(address)))
        #expect(match.address == address)
      }
      #expect(try reader.containing(address).map(\.network) == expected.map(\.network))
      for entry in try reader.containing(address) {
        #expect(try entry.view.string.flatMap { FuseNetwork($0) } == entry.network)
      }
    }
    var found: [FuseNetwork?] = []
    try reader.withLongestMatches(of: addresses) { number, match in
      #expect(number == found.count)
      found.append(match?.key)
    }
    #expect(found == addresses.map { model.containing($0).first?.network })
  }

  private static func alone(_ address: FuseAddress) -> FuseNetwork {
    FuseNetwork(around: address, prefixLength: address.family.bitCount)
  }

  @Test func `from text, bytes and numbers, IPv6 with an IPv4 address in it too [A2]`() throws {
    let reader = try FuseReader(bytes: Self.file(["8.8.8.0/24", "2001:db8::/32"]))
    for text in ["8.8.8.8", "::ffff:8.8.8.8", "::FFFF:808:808"] {
      #expect(try reader.longestMatch(of: text)?.key == FuseNetwork("8.8.8.0/24"))
    }
    #expect(try reader.longestMatch(of: "2001:DB8:0::1")?.key == FuseNetwork("2001:db8::/32"))
    for text in ["", "8.8.8", "08.8.8.8", "8.8.8.8/24", "google", "8.8.8.8 "] {
      #expect(try reader.longestMatch(of: text) == nil)
    }
    let bytes: [UInt8] = [8, 8, 8, 8]
    #expect(try reader.longestMatch(of: FuseAddress(bytes: bytes.rawSpan)!)?.key == FuseNetwork("8.8.8.0/24"))
    let key = try reader.withLongestMatch(of: FuseAddress(ipv4: 0x0808_0808)) { $0.key }
    #expect(key == FuseNetwork("8.8.8.0/24"))
    #expect(try reader.withLongestMatch(of: FuseAddress(ipv4: 1)) { $0.key } == nil)
  }

  @Test func `an empty map is an answer`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter()
    try writer.add(["8.0.0.0/8"], messagePack: [0x81, 0xA1, 0x61, 1])
    try writer.add(["8.8.8.0/24"], messagePack: [0x80])
    try writer.build(to: folder.path("file.fsdb"))
    let reader = try FuseReader(path: folder.path("file.fsdb"))
    #expect(try reader.longestMatch(of: "8.8.8.8")?.bytes.byteCount == 1)
  }

  @Test func `blocks inside of one come in order, each once`() throws {
    let reader = try FuseReader(bytes: Self.file(Self.texts))
    let model = Self.model(Self.texts)
    for block in ["0.0.0.0/0", "8.0.0.0/7", "8.8.8.8/32", "10.0.0.0/24", "::/0", "2001:db8::/64", "9.0.0.0/8"] {
      var scan = try reader.networks(within: FuseNetwork(block)!)
      var found: [FuseNetwork] = []
      while let entry = try scan.next() { found.append(entry.network) }
      #expect(found == model.within(FuseNetwork(block)!).map(\.network), "\(block)")
    }
    let without = try FuseReader(bytes: Self.file(Self.texts, .init(networks: .never)))
    let refusal = failure { _ = try without.networks(within: FuseNetwork("::/0")!) }
    #expect(refusal?.code == .notFound)
  }

  // MARK: Which files have the section

  @Test(arguments: [
    (["8.8.8.0/24"], true), (["8.8.8.0/24", "1.1.1.1", "::1"], true),
    // No block at all, a key that is none, one in another spelling, one with bits after its prefix.
    ([], false), (["1.1.1.1"], false), (["8.8.8.0/24", "gmail.com"], false), (["8.8.8.0/24", "2001:DB8::/32"], false),
    (["8.8.8.0/24", "8.8.8.8/16"], false), (["8.8.8.0/24", "::ffff:8.8.8.0/120"], false), (["8.8.8.0/024"], false),
  ])
  func `without being told, those of canonical blocks and addresses alone`(keys: [String], hasNetworks: Bool) throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter()
    for key in keys { try writer.add(key, key) }
    let report = try writer.build(to: folder.path("file.fsdb"))
    #expect(report.networkCount == (hasNetworks ? keys.count : nil))
    #expect(report.literalKeyCount == 0)
    let reader = try FuseReader(path: folder.path("file.fsdb"))
    #expect(reader.hasNetworks == hasNetworks)
    for key in keys { #expect(try reader.contains(key)) }
    #expect(try reader.verify().isSound)
  }

  @Test func `of two keys for one block with two objects there is none, or an error that names both [A6]`() throws {
    let texts = ["8.8.8.8", "8.8.8.8/32", "8.0.0.0/8"]
    #expect(try !FuseReader(bytes: Self.file(texts)).hasNetworks)
    let refusal = failure { _ = try Self.file(texts, .init(networks: .always)) }
    #expect(refusal?.code == .duplicateKey)
    #expect(refusal?.message.contains("8.8.8.8 and 8.8.8.8/32") == true)
  }

  @Test(arguments: [
    ("8.8.8.8/16", "8.8.0.0/16"), ("2001:DB8::/32", "2001:db8::/32"), ("2001:db8:0::/32", "2001:db8::/32"),
    ("::ffff:8.8.8.0/120", "8.8.8.0/24"), ("::FFFF:8.8.8.8", "8.8.8.8"),
  ])
  func `told to, a key in another spelling is refused with the right one, and others stay literal`(
    key: String, canonical: String
  ) throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(.init(networks: .always))
    let refusal = failure { try writer.add(key, 1) }
    #expect(refusal?.code == .invalidValue)
    #expect(refusal?.message.contains("write \(canonical)") == true)
    for literal in ["gmail.com", canonical, ""] { try writer.add(literal, 2) }
    let report = try writer.build(to: folder.path("file.fsdb"))
    #expect(report.networkCount == 1 && report.literalKeyCount == 2)
    let reader = try FuseReader(path: folder.path("file.fsdb"))
    #expect(try reader.contains("gmail.com") && reader.verify().isSound)
  }

  // MARK: What becomes of it

  @Test func `a merge, a patch and a new index keep it`() throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.file(["8.8.8.0/24", "a"], .init(networks: .always)), as: "mixed.fsdb")
    try folder.write(Self.file(["b"]), as: "plain.fsdb")
    let report = try FuseWriter.merge(
      [folder.path("mixed.fsdb"), folder.path("plain.fsdb")], to: folder.path("merged.fsdb"))
    #expect(report.networkCount == 1 && report.literalKeyCount == 2)
    let merged = try folder.read("merged.fsdb")
    let expected = try Self.file(["8.8.8.0/24", "a", "b"], .init(networks: .always))
    #expect(merged == expected)
    let reindexed = try FuseWriter.reindex(folder.path("merged.fsdb"))
    #expect(reindexed.networkCount == 1 && reindexed.literalKeyCount == 2)
    #expect(try folder.read("merged.fsdb") == expected)

    let bench = try PatchBench()
    for (old, new) in [
      (merged, try folder.read("mixed.fsdb")), (try Self.file(["b"]), merged), (merged, try Self.file(["b"])),
    ] {
      #expect(try bench.apply(bench.patch(from: old, to: new), to: old) == new)
    }
  }

  @Test func `a new index adds it, where it is told to for keys that are none`() throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.file(["8.8.8.0/24"], .init(layout: .plain)), as: "blocks.fsdb")
    #expect(try FuseWriter.reindex(folder.path("blocks.fsdb")).networkCount == 1)
    try folder.write(Self.file(["8.8.8.0/24", "a"], .init(layout: .plain)), as: "mixed.fsdb")
    #expect(try FuseWriter.reindex(folder.path("mixed.fsdb")).networkCount == nil)
    #expect(try FuseWriter.reindex(folder.path("mixed.fsdb"), networks: .always).literalKeyCount == 1)
    #expect(try FuseWriter.reindex(folder.path("mixed.fsdb"), networks: .never).networkCount == nil)
    #expect(try !FuseReader(path: folder.path("mixed.fsdb")).hasNetworks)
  }

  @Test func `the file's bytes don't depend on how it was built`() throws {
    var random = SeededRandom.announced()
    let texts = (0..<3000).map { _ in
      FuseNetwork(
        around: FuseAddress(ipv4: UInt32(truncatingIfNeeded: random.next())), prefixLength: 8 + random.below(25)
      )
      .description
    }
    let expected = try Self.file(Array(Set(texts)))
    // So little memory that blocks are sorted in several runs.
    let small = try Self.file(Array(Set(texts)).shuffled(using: &random), .init(memory: 16 << 20, threadCount: 1))
    #expect(small == expected)
    #expect(try FuseReader(bytes: expected).networkCount == Set(texts).count)
  }

  // MARK: Damage

  @Test func `verification names every bit of the section that is wrong [A17]`() throws {
    let folder = try TemporaryFolder()
    let bytes = try Self.file(["8.8.8.0/24", "8.0.0.0/8", "2001:db8::/32", "2001:db8::1", "2001:db8:0:1::/64"])
    let range = try #require(ReferenceBlock(bytes).range("NETW"))
    for bit in 8 * range.lowerBound..<8 * range.upperBound {
      let offset = bit / 8
      var damaged = bytes
      damaged[offset] ^= 1 << UInt8(bit % 8)
      let path = try folder.write(damaged, as: "damaged.fsdb")
      let damage = try FuseReader.verify(path: path).damage
      let found = damage.filter { $0.kind == .network }.map { Int($0.offset) }
      // A line is named as a whole, a header too.
      #expect(
        found.count == 1 && found[0] <= offset && offset - found[0] < 128,
        "bit \(bit % 8) of byte \(offset - range.lowerBound): \(found)")
      #expect(damage.contains { $0.kind == .sectionChecksum && $0.offset == UInt64(range.lowerBound) })
    }
  }

  @Test func `verification finds a section of other keys under right checksums`() throws {
    let folder = try TemporaryFolder()
    for networks in [["8.8.8.0/24", "9.0.0.0/8"], ["8.8.8.0/24"], ["8.8.9.0/24"]] {
      let plain = ReferenceFile(objects: [[1]], keys: [(Array("8.8.8.0/24".utf8), 0), (Array("9.0.0.0/8".utf8), 0)])
      var maker = BlockMaker()
      maker.forgedNetworks = networks
      let (file, header) = try maker.file(of: plain, in: folder, named: "forged.fsdb")
      try file.publish(header: header.bytes)
      let damage = try FuseReader.verify(path: folder.path("forged.fsdb")).damage
      #expect(damage.isEmpty == (networks.count == 2))
      #expect(damage.allSatisfy { $0.kind == .network })
    }
  }
}
