internal import FuseDBFormat
internal import FuseDBStore
internal import FuseDBSystem

/// Where blocks are, by their hashes: sorted in a temporary file, so that memory does not grow with their number.
final class BlockTable {
  struct Block: BitwiseCopyable, Comparable {
    var hash: FuseStore.ObjectID
    var offset: Int
    var byteCount: Int

    static func < (left: Block, right: Block) -> Bool { left.hash < right.hash }
  }

  private let file: TemporaryFile
  private let count: Int

  private init(_ file: TemporaryFile, _ count: Int) {
    self.file = file
    self.count = count
  }

  /// Sorts blocks as they come.
  final class Maker {
    private static let folder = "/var/tmp"
    private let sorted = SortedRecords<Block>(
      Spill(in: Maker.folder, memory: 4 << 20, chunkByteCount: 1 << 18), memory: 16 << 20)

    func add(_ block: Block) throws(FuseError) { try sorted.add(block) }

    func finish() throws(FuseError) -> BlockTable {
      let file = try TemporaryFile(in: Maker.folder)
      var (count, pending): (Int, [Block]) = (0, [])
      func flush() throws(FuseError) {
        // SAFETY: a block has no gaps that could be read.
        _ = try file.append(unsafe pending.span.bytes)
        count += pending.count
        pending.removeAll(keepingCapacity: true)
      }
      try sorted.forEach { block throws(FuseError) in
        pending.append(block)
        if pending.count == 4096 { try flush() }
      }
      try flush()
      return BlockTable(file, count)
    }
  }

  /// Where the block of a hash is; nil where no block has it.
  func block(_ hash: FuseStore.ObjectID) throws(FuseError) -> Block? {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      let block = try block(at: middle)
      if block.hash == hash { return block }
      if block.hash < hash { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  private func block(at number: Int) throws(FuseError) -> Block {
    var block = Block(hash: Self.none, offset: 0, byteCount: 0)
    let size = MemoryLayout<Block>.size
    let result = unsafe withUnsafeMutableBytes(of: &block) { bytes in
      // SAFETY: a block is read into a block, from where one stands.
      Result { () throws(FuseError) in try unsafe file.read(into: bytes, at: number * size) }
    }
    try result.get()
    return block
  }

  private static let none = FuseStore.ObjectID(String(repeating: "0", count: 64))!
}
