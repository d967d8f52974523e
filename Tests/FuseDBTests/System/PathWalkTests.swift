import Glibc
import Testing

import FuseDB

@testable import FuseDBSystem

@Suite struct `The way to a file` {
  /// Where a name was looked up, in a folder of the test, and the file at the end.
  private func way(_ path: String, in folder: TemporaryFolder) -> (visits: [String], end: String?) {
    let root = folder.path.split(separator: "/").map { "/" + $0 }.joined()
    var visits: [String] = []
    let end = PathWalk.take(path) { folder, name in
      visits.append(String(decoding: folder, as: UTF8.self) + ": " + String(decoding: name, as: UTF8.self))
    }
    let inside = visits.filter { $0.hasPrefix(root) }.map { String($0.dropFirst(root.utf8.count)) }
    return (inside, end.map { String(String(decoding: $0, as: UTF8.self).dropFirst(root.utf8.count)) })
  }

  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["..1", "a", "a/b"] { try makeFolder(folder.path(name)) }
    for name in ["..1/f", "a/b/f"] { try folder.write([], as: name) }
    let links = [
      ("..data", "..1"), ("f", "..data/f"), ("far", folder.path + "/a//b/./f"), ("up", "a/b/../../f"), ("loop", "loop"),
      ("dangling", "a/none/f"), ("a/back", ".."),
    ]
    for (name, target) in links { try makeLink(to: target, at: folder.path(name)) }
    return folder
  }

  /// A path, where its names are looked up, and what is at its end.
  typealias Example = (path: String, visits: [String], end: String?)

  static let examples: [Example] = [
    ("/a/b/f", [": a", "/a: b", "/a/b: f"], "/a/b/f"),
    ("//a/./b//f", [": a", "/a: b", "/a/b: f"], "/a/b/f"),
    ("/f", [": f", ": ..data", ": ..1", "/..1: f"], "/..1/f"),
    ("/far", [": far", ": a", "/a: b", "/a/b: f"], "/a/b/f"),
    ("/up", [": up", ": a", "/a: b", ": f", ": ..data", ": ..1", "/..1: f"], "/..1/f"),
    ("/a/back/a/b/f", [": a", "/a: back", ": a", "/a: b", "/a/b: f"], "/a/b/f"),
    ("/a", [": a"], nil),
    ("/a/b/f/", [": a", "/a: b", "/a/b: f"], "/a/b/f"),
    ("/a/b/f/x", [": a", "/a: b", "/a/b: f"], nil),
    ("/none", [": none"], nil),
    ("/none/f", [": none"], nil),
    ("/dangling", [": dangling", ": a", "/a: none"], nil),
    ("/loop", [String](repeating: ": loop", count: 41), nil),
  ]

  @Test(arguments: examples)
  func `goes through all folders and links`(_ example: Example) throws {
    let folder = try folder()
    let way = way(folder.path + example.path, in: folder)
    #expect(way.visits == example.visits)
    #expect(way.end == example.end)
  }

  @Test func `begins with all folders above, or in the working folder`() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      for name in ["a", "a/b"] { try makeFolder(folder.path(name)) }
      try folder.write([], as: "f")
      try succeed(unsafe chdir(folder.path("a/b")))
      func way(_ path: String) -> (visits: [String], end: String?) {
        var visits: [String] = []
        let end = PathWalk.take(path) { visits.append(String(decoding: $0 + [0x20] + $1, as: UTF8.self)) }
        return (visits, end.map { String(decoding: $0, as: UTF8.self) })
      }
      try #require(way("../x/.././../f") == (["./.. x"], nil))
      try #require(way("../b/.././../f") == (["./.. b", "./../.. f"], "./../../f"))
      try #require(way("/tmp/x").visits.first == "/ tmp")
    }
  }
}
