import FuseDB
import FuseDBFormat
import FuseDBReading
import FuseDBWeb
import ProgramSupport
import Testing

@testable import FuseDBExplorer

struct KeyTreeTests {
  /// A reader of a file with these keys, in order.
  static func reader(_ keys: Set<[UInt8]>, networks: Bool = false, _ files: ExplorerFiles) throws -> FuseReader {
    try files.serve(
      "a", keys.sorted { $0.lexicographicallyPrecedes($1) }.enumerated().map { ([$1], .int(Int64($0 % 3))) }
    )
    .reader.snapshot()
  }

  @Test(arguments: [1, 2, 5])
  func `counts of all levels are those of a list`(letters: Int) throws {
    var random = SeededRandom.announced()
    var keys: Set<[UInt8]> = []
    for _ in 0..<3000 {
      keys.insert((0..<random.below(12)).map { _ in UInt8(97 + random.below(letters)) } + random.bytes(random.below(2)))
    }
    let files = ExplorerFiles()
    let reader = try Self.reader(keys, files)
    var found: [[UInt8]] = []
    func visit(_ beginning: [UInt8], _ count: Int) throws {
      let model = keys.filter { $0.starts(with: beginning) }.count
      #expect(count == model)
      var from: Int?
      repeat {
        let tree = try KeyTree(reader, beginning: beginning, from: from)
        #expect(tree.numbers.count == model)
        found += tree.keys.map(\.key)
        for child in tree.children {
          #expect(child.beginning.count > beginning.count && child.beginning.starts(with: beginning))
          try visit(child.beginning, child.count)
        }
        from = tree.next
      } while from != nil
    }
    try visit([], keys.count)
    #expect(found.count == keys.count && Set(found) == keys)
  }

  @Test func `a level has at most 256 children, and says where it goes on`() throws {
    var keys: Set<[UInt8]> = []
    for first in 0...255 { for second in 0...1 { keys.insert([UInt8(first), UInt8(second)]) } }
    keys.insert([])
    let files = ExplorerFiles()
    let reader = try Self.reader(keys, files)
    let tree = try KeyTree(reader, beginning: [])
    #expect(tree.children.count + tree.keys.count == KeyTree.mostChildren)
    #expect(tree.keys.map(\.key) == [[]])
    let rest = try KeyTree(reader, beginning: [], from: tree.next)
    #expect(rest.children.map(\.beginning) == [[255]] && rest.next == nil)
  }

  @Test func `what all keys of a child have in common is passed over`() throws {
    let keys = (0..<200).map { [UInt8]("prefix/\($0 % 2)/\($0)") }
    let files = ExplorerFiles()
    let tree = try KeyTree(try Self.reader(Set(keys), files), beginning: [])
    #expect(tree.children.map(\.beginning) == [[UInt8]("prefix/")])
    let next = try KeyTree(try #require(files.databases.first).reader.snapshot(), beginning: [UInt8]("prefix/"))
    #expect(next.children.map(\.beginning) == [[UInt8]("prefix/0/"), [UInt8]("prefix/1/")])
    #expect(next.children.map(\.count) == [100, 100])
  }

  @Test func `networks are counted by the bytes of their addresses`() throws {
    var random = SeededRandom.announced()
    var networks: Set<FuseNetwork> = []
    for _ in 0..<2000 {
      let length = 8 + random.below(25)
      networks.insert(
        FuseNetwork(
          around: FuseAddress(ipv4: UInt32(random.below(40)) << 24 | UInt32(random.below(1 << 24))),
          prefixLength: length))
    }
    for number in 0..<300 {
      networks.insert(FuseNetwork("2001:\(String(number % 7, radix: 16)):\(String(number, radix: 16))::/48")!)
    }
    let files = ExplorerFiles()
    let reader = try Self.reader(Set(networks.map { [UInt8]($0.description) }), files)
    #expect(reader.hasNetworks)
    let root = try KeyTree(reader, beginning: [], .networks)
    #expect(root.otherCount == networks.count { $0.family == .ipv6 })
    for child in root.children {
      let block = try #require(KeyTree.block(of: child.beginning))
      #expect(child.count == networks.count { block.contains($0.address) })
      #expect(KeyTree.beginning(of: block) == child.beginning)
    }
    #expect(root.children.map(\.count).reduce(0, +) + root.otherCount == networks.count)
    let others = try KeyTree(reader, beginning: [], .others)
    #expect(others.children.map(\.beginning) == [[UInt8]("2001:")])
    #expect(KeyTree.block(of: [UInt8]("2001:db8:"))?.description == "2001:db8::/32")
    #expect(KeyTree.block(of: [UInt8]("8.8."))?.description == "8.8.0.0/16")
    #expect(KeyTree.block(of: [UInt8]("x.")) == nil)
  }
}

struct BlockPageTests {
  @Test func `pages of a block have each network once, in order`() throws {
    var random = SeededRandom.announced()
    var networks: Set<FuseNetwork> = [FuseNetwork("10.0.0.0/8")!, FuseNetwork("10.0.0.0/9")!]
    for _ in 0..<1500 {
      networks.insert(
        FuseNetwork(
          around: FuseAddress(ipv4: 10 << 24 | UInt32(random.below(1 << 24))), prefixLength: 12 + random.below(21)))
    }
    networks.insert(FuseNetwork("11.0.0.0/8")!)
    let files = ExplorerFiles()
    let sorted = networks.sorted()
    let reader = try files.serve(
      "a", sorted.enumerated().map { ([[UInt8]($1.description)], ["n": .int(Int64($0 % 5))]) }
    ).reader.snapshot()
    for filter in [nil, FieldFilter(field: [UInt8]("n"), value: [UInt8]("3"))] {
      var found: [FuseNetwork] = []
      var after: FuseNetwork?
      repeat {
        let page = try BlockPage(reader, in: FuseNetwork("10.0.0.0/8")!, after: after, filter)
        #expect(page.listed.count <= BlockPage.mostListed)
        found += page.listed.map(\.network)
        after = page.last
      } while after != nil
      #expect(
        found == sorted.enumerated().filter { (filter == nil || $0 % 5 == 3) && $1 != sorted.last }.map(\.element))
    }
  }

  @Test func `the rest of a block is made of blocks`() {
    let parts = BlockPage.parts(of: FuseNetwork("8.0.0.0/8")!, from: FuseAddress("8.200.0.4")!)
    #expect(parts.first?.description == "8.200.0.4/30")
    for (part, next) in zip(parts, parts.dropFirst()) { #expect(part.lastBits + 1 == next.address.bits) }
    #expect(parts.last?.lastBits == FuseNetwork("8.0.0.0/8")!.lastBits)
    #expect(BlockPage.parts(of: FuseNetwork("::/0")!, from: FuseAddress("::")!).map(\.description) == ["::/0"])
  }
}
