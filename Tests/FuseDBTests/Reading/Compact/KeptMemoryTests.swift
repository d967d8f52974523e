import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBReading

/// What a reader of a compact file keeps of what it expanded: of matches, each key and each object once, and nothing where a call ends with them.
struct KeptMemoryTests {
  private static let names = (0..<40).map { "name-\($0).example.com" }

  private func path(in folder: TemporaryFolder) throws -> String {
    var options = FuseWriter.Options()
    options.form = .compact
    let writer = FuseWriter(options)
    for (number, name) in Self.names.enumerated() { try writer.add(name, ["number": number % 7, "name": 1]) }
    _ = try writer.build(to: folder.path("names.fsdb"))
    return folder.path("names.fsdb")
  }

  @Test
  func `a match that is asked for again is kept once`() throws {
    let folder = try TemporaryFolder()
    let reader = try FuseReader(path: try path(in: folder))
    func ask() throws {
      for name in Self.names {
        guard let suffix = try reader.longestSuffix(ofDomain: "www." + name),
          let prefix = try reader.longestPrefix(of: name + "/path")
        else {
          Issue.record("nothing covers \(name)")
          continue
        }
        #expect(String(keyBytes: suffix.key) == name && String(keyBytes: prefix.key) == name)
      }
    }
    try ask()
    let kept = reader.keptByteCount
    #expect(kept >= Self.names.reduce(0) { $0 + $1.utf8.count })
    for _ in 0..<3 { try ask() }
    #expect(reader.keptByteCount == kept)
  }

  @Test
  func `of a call that ends with its match, nothing is kept`() throws {
    let folder = try TemporaryFolder()
    let path = try path(in: folder)
    let store = try ReloadableReader(path: path)
    let layers = LayeredReader([.reloadable(store)])
    let reader = try FuseReader(path: path)
    let table = FuseTable<String, [String: Int]>(reader)
    for name in Self.names {
      let asked = "www." + name
      var found: [Int?] = []
      found.append(try store.withLongestSuffix(ofDomain: asked) { try $0.view["name"]?.int })
      found.append(try store.withLongestMatch(ofEmail: "a@" + asked) { try $0.view["name"]?.int })
      found.append(try store.withLongestPrefix(of: name + "/") { try $0.view["name"]?.int })
      found.append(try layers.withLongestSuffix(ofDomain: asked) { try $0.view["name"]?.int })
      found.append(try layers.withLongestMatch(ofEmail: "a@" + asked) { try $0.view["name"]?.int })
      found.append(try layers.withLongestPrefix(of: name + "/") { try $0.view["name"]?.int })
      found.append(try table.longestSuffix(ofDomain: asked)?.value["name"])
      found.append(try table.longestMatch(ofEmail: "a@" + asked)?.value["name"])
      found.append(try table.longestPrefix(of: name + "/")?.value["name"])
      #expect(found == [Int?](repeating: 1, count: 9))
    }
    #expect(store.snapshot().keptByteCount == 0)
    #expect(reader.keptByteCount == 0)
  }
}
