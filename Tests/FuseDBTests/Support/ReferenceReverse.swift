/// The section `REVS` by the letter of spec/reverse.md: made slowly, with nothing of the library's in it.
struct ReferenceReverse {
  private struct Block {
    var object: UInt64
    var first: Int
    var numbers: [UInt8] = []
  }

  private var blocks: [Block] = []

  init(of plain: ReferenceFile) {
    let entries = plain.entries
    let lists = Dictionary(grouping: entries.indices) { entries[$0].target }.filter { $0.value.count > 1 }
    for (object, list) in lists.sorted(by: { $0.key < $1.key }) {
      var before: (object: UInt64, first: Int) = (0, 0)
      if let block = blocks.last { before = last(of: block) }
      for (position, number) in list.enumerated() {
        let addition =
          position == 0
          ? [0] + Self.leb(Int(object) - Int(before.object)) + Self.leb(Self.zigzag(number - before.first))
          : Self.leb(number - list[position - 1])
        if let block = blocks.last, block.numbers.count + addition.count <= 240 {
          blocks[blocks.count - 1].numbers += addition
        } else {
          blocks.append(Block(object: object, first: number))
        }
      }
    }
  }

  /// The object of the last list in a block, and its first entry there.
  private func last(of block: Block) -> (object: UInt64, first: Int) {
    var (object, first) = (block.object, block.first)
    var numbers = block.numbers[...]
    while !numbers.isEmpty {
      guard Self.number(&numbers) == 0 else { continue }
      object += UInt64(Self.number(&numbers))
      let step = Self.number(&numbers)
      first += step % 2 == 0 ? step / 2 : -(step + 1) / 2
    }
    return (object, first)
  }

  static func zigzag(_ number: Int) -> Int { number < 0 ? -2 * number - 1 : 2 * number }

  static func leb(_ number: Int) -> [UInt8] {
    number < 128 ? [UInt8(number)] : [UInt8(number % 128) + 128] + leb(number / 128)
  }

  private static func number(_ bytes: inout ArraySlice<UInt8>) -> Int {
    let byte = Int(bytes.removeFirst())
    return byte < 128 ? byte : byte - 128 + 128 * number(&bytes)
  }

  /// The section's bytes.
  var bytes: [UInt8] {
    blocks.indices.flatMap { number in
      let block = blocks[number]
      let body =
        ReferenceFile.big(Int(block.object), 8) + ReferenceFile.big(block.first, 4) + block.numbers
        + [UInt8](repeating: 0, count: 240 - block.numbers.count)
      let next = number + 1 < blocks.count ? Int(blocks[number + 1].object) : -1
      return Self.sealed(body, number: number, next: next)
    }
  }

  /// The 252 bytes of a block with their check.
  static func sealed(_ body: [UInt8], number: Int, next: Int) -> [UInt8] {
    body
      + ReferenceFile.big(Int(ReferenceFile.crc(ReferenceFile.big(number, 8) + ReferenceFile.big(next, 8) + body)), 4)
  }

  /// A file with a canonical block, and this section in it.
  static func file(_ plain: ReferenceFile, section: [UInt8]? = nil) -> ReferenceBlock {
    let section = ReferenceBlock.Section(kind: "REVS", bytes: section ?? ReferenceReverse(of: plain).bytes)
    return ReferenceBlock(after: plain, ReferenceBlock.sections(of: plain) + [section])
  }
}
