import Testing

import FuseDB

struct `The directory of an extension block` {
  private static let file = ReferenceBlock(after: Samples.small, metadata: ["source": "here"])

  private static func parse(_ block: ReferenceBlock) throws(FuseError) -> ExtensionDirectory {
    let file = block.bytes.rawSpan
    return try ExtensionDirectory(
      parsing: file, footer: try ExtensionFooter(parsing: file, header: try Header(parsing: file)))
  }

  /// What is said about the file when entry `number` has `value` at `offset`.
  private static func refusal(_ number: Int, _ offset: Int, _ value: some FixedWidthInteger) -> FuseError? {
    var block = file
    block.bytes.put(value, at: block.directoryOffset + 32 * number + offset)
    block.sealFooter()
    return failure { _ = try parse(block) }
  }

  @Test func `is read as the model wrote it`() throws {
    let directory = try Self.parse(Self.file)
    let sections = [("HASH", directory.hash), ("ORDR", directory.order), ("META", directory.metadata)]
    for (kind, section) in sections {
      let range = try #require(Self.file.range(kind))
      #expect(section == .init(range: range, checksum: ReferenceFile.bitwiseCRC(Self.file.bytes[range])))
    }
  }

  @Test func `with any bit flipped is refused [X4]`() {
    for bit in 8 * Self.file.directoryOffset..<8 * Self.file.footer {
      let error = failure { _ = try Self.parse(ReferenceBlock(Self.file.bytes.flipping(bit: bit))) }
      #expect(error?.code == .corrupted)
      #expect(error?.offset == UInt64(Self.file.footer + 20))
    }
  }

  static let huge: [UInt64] = [1 << 31, 1 << 32, 1 << 47, 1 << 62, 1 << 63 - 1, 1 << 63, .max - 31, .max]

  @Test(arguments: 0..<3, huge + [0, 40, UInt64(Samples.small.bytes.count - 1)])
  func `with a section that begins outside the block is refused [X6]`(number: Int, offset: UInt64) {
    let error = Self.refusal(number, 8, offset)
    #expect(error?.code == .corrupted)
    #expect(error?.offset == UInt64(Self.file.directoryOffset + 32 * number))
  }

  @Test(arguments: 0..<3, huge)
  func `with a section that ends outside the block is refused, also where its end overflows [X6]`(
    number: Int, length: UInt64
  ) {
    for length in [length, length - UInt64(Self.file.directoryOffset)] {
      #expect(Self.refusal(number, 16, length)?.code == .corrupted, "length \(length)")
    }
  }

  @Test func `with sections that overlap, or stand in another order, is refused [X6]`() throws {
    let hash = try #require(Self.file.range("HASH"))
    let order = try #require(Self.file.range("ORDR"))
    #expect(Self.refusal(1, 8, UInt64(hash.upperBound - 1))?.code == .corrupted)
    #expect(Self.refusal(1, 8, UInt64(hash.lowerBound))?.code == .corrupted)
    // One byte more of the first reaches into the second.
    #expect(Self.refusal(0, 16, UInt64(order.lowerBound - hash.lowerBound + 1))?.code == .corrupted)
  }

  @Test func `with a kind that stands twice is refused, whichever [X7]`() {
    for (number, kind) in [(1, "HASH"), (2, "HASH"), (0, "ORDR"), (2, "ORDR"), (0, "META"), (1, "META")] {
      let error = Self.refusal(number, 0, UInt32([UInt8](kind.utf8).number(at: 0, 4)))
      #expect(error?.code == .corrupted, "\(kind) at \(number)")
    }
  }

  @Test func `passes over a section that it does not know, twice too, unless that is required [X7]`() throws {
    for flags in [0, 2, 0x8000_0000, 1, 3, 0xFFFF_FFFF] {
      let unknown = ReferenceBlock.Section(kind: "WHAT", flags: flags, bytes: [1, 2, 3])
      let sections = [unknown] + ReferenceBlock.sections(of: Samples.small) + [unknown]
      let block = ReferenceBlock(after: Samples.small, sections)
      guard flags & 1 == 1 else {
        let directory = try Self.parse(block)
        #expect(directory.hash != nil && directory.order != nil && directory.metadata == nil)
        continue
      }
      let error = failure { _ = try Self.parse(block) }
      #expect(error?.code == .unsupportedVersion)
      #expect(error?.offset == UInt64(block.directoryOffset))
    }
  }

  @Test func `ignores other flags, also of a section that it knows, and the reserved field [X7]`() {
    for number in 0..<3 {
      #expect(Self.refusal(number, 4, UInt32.max) == nil)
      #expect(Self.refusal(number, 28, UInt32.max) == nil)
    }
  }

  @Test func `has up to 256 sections, each as long as it likes, and none too [X3] [X6]`() throws {
    #expect(try Self.parse(ReferenceBlock(after: Samples.small, [])) == ExtensionDirectory())
    let empty = [ReferenceBlock.Section](repeating: .init(kind: "none", bytes: []), count: 257)
    let most = try Self.parse(ReferenceBlock(after: Samples.small, empty.dropLast()))
    #expect(most.hash == nil && most.order == nil && most.metadata == nil)
    let error = failure { _ = try Self.parse(ReferenceBlock(after: Samples.small, empty)) }
    #expect(error?.code == .corrupted)
  }

  @Test func `is written as the model writes it`() throws {
    let directory = try Self.parse(Self.file)
    let bytes =
      ExtensionDirectory.entry(.hash, try #require(directory.hash))
      + ExtensionDirectory.entry(.order, try #require(directory.order))
      + ExtensionDirectory.entry(.metadata, try #require(directory.metadata))
    #expect(bytes == [UInt8](Self.file.bytes[Self.file.directoryOffset..<Self.file.footer]))
  }
}
