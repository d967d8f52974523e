import FuseDB

@testable import FuseDBWriting

/// Puts the library's block after a plain file.
struct BlockMaker {
  var slotsPerLine: HashSection.SlotsPerLine?
  var metadata: [UInt8]?
  var sections = SectionRequest(networks: .never)
  /// Blocks in the section of networks, whatever the keys are; all stand for the first object.
  var forgedNetworks: [String]?
  var memory = 64 << 20
  var threadCount = 2
  /// Whether the collector is told that the file may be larger than 4 GiB, so that its records are wide.
  var mayBeLarge = false

  /// The file with its block.
  func block(of plain: ReferenceFile) throws -> ReferenceBlock {
    let folder = try TemporaryFolder()
    let (file, header) = try file(of: plain, in: folder, named: "made.fsdb")
    try file.publish(header: header.bytes)
    return ReferenceBlock(try folder.read("made.fsdb"))
  }

  /// The file with its block, not yet published, and its header.
  func file(
    of plain: ReferenceFile, in folder: TemporaryFolder, named name: String
  ) throws -> (file: AtomicFile, header: Header) {
    let file = try AtomicFile(replacing: PinnedPath(folder.path(name)))
    let body = [UInt8](plain.bytes[40...])
    try file.write(body.rawSpan)
    try file.flush()
    let index = Int(plain.indexOffset)..<plain.bytes.count
    let collector = try BlockCollector(
      keyCountAtMost: plain.keyCount,
      indexEndAtMost: mayBeLarge ? 1 << 40 : index.upperBound, sections: sections,
      limits: BlockLimits(memory: memory, temporaryFolder: folder.path, threadCount: threadCount))
    for entry in plain.entries { try collector.add(key: entry.key.bytes.rawSpan, object: entry.target) }
    if let forgedNetworks {
      let forged = NetworkCollector(.init(networks: .always), .init(temporaryFolder: folder.path), collector.sizes)
      for text in forgedNetworks { _ = try forged.add(key: text.keyBytes, object: 40) }
      collector.networks = forged
    }
    var writer = ExtensionWriter(to: file, index: index, checksum: file.checksum)
    let header = try writer.write(
      header: try Header(parsing: plain.bytes.rawSpan), metadata: metadata, from: collector, slotsPerLine: slotsPerLine)
    return (file, header)
  }
}
