import Foundation

/// The blocks of an MMDB file with records of 28 bits, each with the offset of its record; what is an alias is left out.
struct CityBlocks {
  struct Block {
    var address: UInt128
    /// Beyond 96 for IPv4.
    var length: Int
    var record: UInt32

    var isIPv4: Bool { length >= 96 && address >> 32 == 0 }
  }

  private(set) var ipv4: [Block] = []
  private(set) var ipv6: [Block] = []
  /// The search tree alone.
  let treeByteCount: Int

  private let bytes: [UInt8]
  private let nodeCount: UInt32
  private let ipv4Start: UInt32

  init(_ path: String, nodeCount: UInt32) throws {
    bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    self.nodeCount = nodeCount
    treeByteCount = 7 * Int(nodeCount)
    var start: UInt32 = 0
    for _ in 0..<96 { start = Self.children(bytes, start).left }
    ipv4Start = start
    walk(0, 0, 0)
  }

  private static func children(_ bytes: [UInt8], _ node: UInt32) -> (left: UInt32, right: UInt32) {
    let at = 7 * Int(node)
    let middle = UInt32(bytes[at + 3])
    return (
      (middle & 0xF0) << 20 | UInt32(bytes[at]) << 16 | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]),
      (middle & 0x0F) << 24 | UInt32(bytes[at + 4]) << 16 | UInt32(bytes[at + 5]) << 8 | UInt32(bytes[at + 6])
    )
  }

  private mutating func walk(_ node: UInt32, _ address: UInt128, _ length: Int) {
    guard node != nodeCount, node != ipv4Start || (address == 0 && length == 96) else { return }
    guard node < nodeCount else {
      let block = Block(address: address, length: length, record: node - nodeCount - 16)
      if block.isIPv4 { ipv4.append(block) } else { ipv6.append(block) }
      return
    }
    let (left, right) = Self.children(bytes, node)
    walk(left, address, length + 1)
    walk(right, address | 1 << UInt128(127 - length), length + 1)
  }
}
