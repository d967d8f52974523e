import FuseDB
import Glibc
import ProgramSupport
import Testing

@testable import FuseDBStore

@Suite struct FolderReaderTests {
  @Test func `a folder's files come whole and in the order of their paths; links, pipes and what is no file stay out`()
    throws
  {
    let scratch = try ScratchStore()
    var random = SeededRandom.announced()
    var expected: [String: [UInt8]] = [:]
    let root = scratch.folder + "/in"
    let paths =
      ["a", "a.txt", "a0", "b/c", "b.c", "b/c.d/e", "b/c-d", "line\nfeed", "per%cent", "empty", ".hidden", "ä/ö"]
      + (0..<300).map { "many/\($0)" } + (0..<40).map { "same prefix of sixteen bytes and more \($0)" }
    unsafe mkdir(root, 0o755)
    for path in paths {
      for (place, byte) in path.utf8.enumerated() where byte == 47 {
        unsafe mkdir(root + "/" + String(path.utf8.prefix(place))!, 0o755)
      }
      let size = path == "empty" ? 0 : random.element([1, 500, 4096, 16_384, 16_385, 100_000])
      expected[path] = random.bytes(size)
      scratch.overwrite("../in/\(path)", with: expected[path]!)
    }
    unsafe symlink("a", root + "/link")
    unsafe mkfifo(root + "/pipe", 0o644)
    unsafe chmod(root + "/a0", 0o755)
    let writer = try StoreWriter(scratch.store)
    let stored = try writer.putFolder(path: root, named: "f")
    try writer.commit()
    #expect(stored.byteCount == expected.values.reduce(0) { $0 + $1.count })
    let files = try scratch.again().files(of: stored.id)
    let order = expected.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    #expect(files.map(\.path) == order)
    for file in files { #expect(try scratch.store.bytes(of: file.id) == expected[file.path]) }
    #expect(files.first { $0.path == "a0" }?.mode == 0o755)
    try scratch.store.writeFolder(stored.id, to: scratch.folder + "/out")
    for (path, bytes) in expected { #expect(Scratch.bytes(of: scratch.folder + "/out/" + path) ?? [] == bytes) }
    #expect(throws: FuseError.self) { try StoreWriter(scratch.store).putFolder(path: root + "/none", named: "g") }
    #expect(Self.counted(root) == stored.byteCount)
    #expect(Self.counted(root + "/empty folder that is none") == nil)
  }

  /// What another thread counts, once it has ended.
  private static func counted(_ path: String) -> Int? {
    let count = FolderCount(path)
    #expect(count.byteCount == nil)
    count.begin()
    count.begin()
    count.finish()
    return count.byteCount
  }

  @Test func `progress of a folder goes on inside of a large file`() throws {
    let scratch = try ScratchStore()
    unsafe mkdir(scratch.folder + "/in", 0o755)
    let sizes = ["a": 10, "large": 40 << 20, "z": 100]
    for (name, size) in sizes { scratch.overwrite("../in/\(name)", with: [UInt8](repeating: 7, count: size)) }
    let writer = try StoreWriter(scratch.store)
    var seen: [(path: String, done: Int)] = []
    let root = scratch.folder + "/in"
    _ = try writer.putFolder(path: root, named: "f") { seen.append(($0, writer.folderByteCount)) }
    #expect(seen.first?.path == root + "/a" && seen.first?.done == 0)
    #expect(seen.last?.path == root + "/z" && seen.last?.done == 10 + 40 << 20)
    let inside = seen.filter { $0.path == root + "/large" }.map { $0.done }
    #expect(inside.count > 5 && inside == inside.sorted() && Set(inside).count > 5)
    #expect(inside.first == 10 && inside.last == 10 + 40 << 20)
  }
}
