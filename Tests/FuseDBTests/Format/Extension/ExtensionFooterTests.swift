import Testing

import FuseDB

@testable import FuseDBFormat

struct `The footer of an extension block` {
  /// A file with a block, its header, and where its footer stands.
  private static let file = ReferenceBlock(after: Samples.small)

  private static func parse(_ block: ReferenceBlock) throws(FuseError) -> ExtensionFooter {
    let file = block.bytes.rawSpan
    return try ExtensionFooter(parsing: file, header: try Header(parsing: file))
  }

  private static func refusal(_ change: (inout ReferenceBlock) -> Void) -> FuseError? {
    var block = file
    change(&block)
    return failure { _ = try parse(block) }
  }

  @Test func `is read as the model wrote it`() throws {
    let footer = try Self.parse(Self.file)
    #expect(footer.indexEnd == UInt64(Samples.small.bytes.count))
    #expect(footer.directoryOffset == UInt64(Self.file.directoryOffset))
    #expect(footer.sectionCount == 2)
    #expect(footer.headerChecksum == ReferenceFile.bitwiseCRC(Self.file.bytes[..<40]))
    #expect(
      footer.directoryChecksum
        == ReferenceFile.bitwiseCRC(Self.file.bytes[Self.file.directoryOffset..<Self.file.footer]))
  }

  @Test func `is written as the model writes it, and leaves the checksum of what comes before unchanged [X5]`() throws {
    let whole = ReferenceFile.bitwiseCRC(Self.file.bytes[40..<Self.file.footer])
    let bytes = try Self.parse(Self.file).bytes(following: whole)
    #expect(bytes == [UInt8](Self.file.bytes[Self.file.footer...]))
    #expect(ReferenceFile.bitwiseCRC(Self.file.bytes[40...]) == whole)
  }

  @Test func `is there if the last eight bytes are its magic [X2]`() {
    let sound = Self.file.bytes
    let isPresent = ExtensionFooter.isPresent(in: sound.rawSpan)
    #expect(isPresent)
    for bit in 8 * (sound.count - 8)..<8 * sound.count {
      let flipped = sound.flipping(bit: bit)
      let isPresent = ExtensionFooter.isPresent(in: flipped.rawSpan)
      #expect(!isPresent)
    }
    let number = sound.number(at: sound.count - 8, 8)
    #expect(number == 5_067_469_057_143_886_858)
  }

  @Test func `with any bit of its fields flipped is refused [X3]`() {
    for bit in 8 * Self.file.footer..<8 * (Self.file.footer + 36) {
      let error = Self.refusal { $0.bytes = $0.bytes.flipping(bit: bit) }
      #expect(error?.code == .corrupted, "bit \(bit)")
      #expect(error?.offset == UInt64(Self.file.footer))
    }
  }

  @Test(arguments: [0, 2, 3, 256, 0xFFFF])
  func `of another version is refused with the version error [X3]`(version: UInt16) {
    let error = Self.refusal {
      $0.bytes.put(version, at: $0.footer + 28)
      $0.sealFooter()
    }
    #expect(error?.code == .unsupportedVersion)
    #expect(error?.offset == UInt64(Self.file.footer + 28))
  }

  @Test func `may have flags, which say nothing yet [X3]`() {
    let error = Self.refusal {
      $0.bytes.put(UInt16.max, at: $0.footer + 30)
      $0.sealFooter()
    }
    #expect(error == nil)
  }

  @Test(
    arguments: [0, 8], [0, 39, 40, 64, 408, 1 << 31, 1 << 32, 1 << 47, 1 << 63 - 1, 1 << 63, UInt64.max - 47, .max])
  func `with an offset that does not fit the file is refused [X3]`(field: Int, value: UInt64) throws {
    let sound = Self.file.bytes.number(at: Self.file.footer + field, 8)
    let index = Samples.small.indexOffset
    // An end of the key index between its start and the directory fits as far as the footer tells.
    try #require(value != sound)
    let fits = field == 0 && value >= index && value <= UInt64(Self.file.directoryOffset)
    let error = Self.refusal {
      $0.bytes.put(value, at: $0.footer + field)
      $0.sealFooter()
    }
    #expect(error?.code == (fits ? nil : .corrupted))
  }

  @Test(arguments: [0, 1, 3, 256, 257, 1 << 20, 1 << 27, 1 << 31, UInt32.max])
  func `with a number of sections that is not its directory's is refused [X3]`(count: UInt32) {
    let error = Self.refusal {
      $0.bytes.put(count, at: $0.footer + 16)
      $0.sealFooter()
    }
    #expect(error?.code == .corrupted)
  }

  @Test(arguments: 40..<88) func `in a file too short for it is refused [X3]`(byteCount: Int) {
    // A header, and the end of a footer.
    let bytes = Self.file.bytes
    let short = ReferenceBlock([UInt8](bytes[..<40]) + [UInt8](bytes[(bytes.count - byteCount + 40)...]))
    #expect(failure { _ = try Self.parse(short) }?.code == .corrupted)
  }
}
