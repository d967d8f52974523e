import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBStore

@Suite struct StoreFormatTests {
  @Test func `the worked bytes of the specification are what is written`() throws {
    let hello = Array("hello".utf8)
    let tools = try StoreTools.take()
    let id = try tools.digest(of: hello.rawSpan)
    var bytes = PackHead.bytes(store: (0..<16).map { UInt8($0) })
    let record = PackRecord(kind: .data, codec: .raw, isKept: true, storedByteCount: 5, byteCount: 5, digest: id)
    record.append(to: &bytes)
    // spec/store.md, "Worked bytes"; the checksums by Python's zlib.
    let text = """
      46 53 44 42 50 41 43 4b  00 01 01 00  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  e6 05 fe d6
      46 53 50 52  01 00 01 00  00 00 00 05  00 00 00 05
      2c f2 4d ba 5f b0 a3 0e 26 e8 3b 2a c5 b9 e2 9e 1b 16 1e 5c 1f a7 42 5e 73 04 33 62 93 8b 98 24  63 7d ef 81
      """
    let expected = text.split { $0 == " " || $0 == "\n" }.map { UInt8($0, radix: 16)! }
    #expect(bytes == expected)
    #expect(PackRecord(bytes.rawSpan, at: PackHead.byteCount) == record)
    let entry = PackEntry(kind: .data, codec: .raw, isKept: true, offset: 32, storedByteCount: 5, byteCount: 5)
    #expect(entry.value == [0x94, 0x09, 0x20, 0x05, 0x05])
  }

  @Test func `every changed bit of a head, and every cut, is none`() throws {
    let tools = try StoreTools.take()
    var bytes: [UInt8] = []
    let record = PackRecord(
      kind: .recipe, codec: .zstd, isKept: false, storedByteCount: 1000, byteCount: 70_000,
      digest: try tools.digest(of: bytes.rawSpan))
    record.append(to: &bytes)
    for bit in 0..<8 * bytes.count {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(PackRecord(damaged.rawSpan, at: 0) == nil)
    }
    for count in 0..<bytes.count { #expect(PackRecord(Array(bytes.prefix(count)).rawSpan, at: 0) == nil) }
  }

  @Test func `entries of an index come back, and those that lead out of the pack are none`() {
    var random = SeededRandom.announced()
    for _ in 0..<2000 {
      let kind = random.element([PackRecord.Kind.data, .recipe, .frame, .mark])
      let sizes = [random.below(100), random.below(60_000), random.below(1 << 24)]
      var entry = PackEntry(
        kind: kind, codec: random.element([.raw, .zlib, .zstd]), isKept: random.bool(), offset: random.element(sizes),
        storedByteCount: random.element(sizes), byteCount: random.element(sizes))
      if kind == .frame { (entry.inner, entry.frameByteCount) = (7, entry.byteCount + 7 + random.below(9)) }
      let end = entry.payload.upperBound
      #expect(PackEntry(entry.value.rawSpan, packByteCount: end) == entry)
      #expect(PackEntry(entry.value.rawSpan, packByteCount: end - 1) == nil)
      #expect(PackEntry((entry.value + [0]).rawSpan, packByteCount: end) == nil)
      #expect(PackEntry(Array(entry.value.dropLast()).rawSpan, packByteCount: end) == nil)
    }
  }

  @Test func `a tree comes back, and none leads out of its folder`() throws {
    let tools = try StoreTools.take()
    let nothing: [UInt8] = []
    let id = try tools.digest(of: nothing.rawSpan)
    let paths = ["a", "a/b c/d", "per%cent", "line\nfeed", "ä"]
    let tree = StoreTree(paths.map { StoreTree.File(id: id, byteCount: 3, mode: 0o755, path: Array($0.utf8)) })
    #expect(StoreTree(tree.bytes) == tree)
    for path in ["", "/a", "a/", "a//b", "..", "a/../b", ".", "a/.", "nul\0"] {
      #expect(
        StoreTree(StoreTree([.init(id: id, byteCount: 3, mode: 0o644, path: Array(path.utf8))]).bytes) == nil, "\(path)"
      )
    }
  }

  @Test func `names become files and come back`() throws {
    for name in ["a", "a/b", ".hidden", "100%", "ä ö", "x.y-z_1", String(repeating: "n", count: 255)] {
      let file = try StoreRef.fileName(name, path: "")
      #expect(!file.contains("/") && !file.hasPrefix(".") && StoreRef.name(ofFile: file) == name)
    }
    for name in ["", String(repeating: "n", count: 256), String(repeating: "/", count: 86)] {
      #expect(throws: FuseError.self) { try StoreRef.fileName(name, path: "") }
    }
  }
}
