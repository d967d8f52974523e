import Foundation

/// The files of Tests/Fixtures and what is expected of them.
enum Fixtures {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
      "Fixtures")

  struct Good: Decodable {
    var layout: String
    var bytes: Int
    var keyCount: Int
    var objectCount: Int
    var unreachedObjects: Int
    var keys: [String: String]
    var objects: [String]
    /// The kinds of the sections, of a file with the block.
    var sections: [String]?
    var meta: [String: String]?
  }

  struct Bad: Decodable {
    struct Damage: Decodable {
      var kind: String
      var offset: UInt64
      var finding: ReferenceFile.Finding { ReferenceFile.Finding(kind, offset) }
    }
    /// What a question that concerns the whole file comes to: the right answer, an error, either, or a wrong answer
    /// that no check tells.
    enum Outcome: String, Decodable { case answers, fails, either, lost }

    var wrong: String
    var damage: [Damage]
    var open: String
    var code: String?
    var answers: [String: String]?
    var fails: [String]?
    var invalid: [String]?
    /// Keys that a look-up may call absent.
    var lost: [String]?
    var scan: Outcome?
    var absent: Outcome?
    var meta: Outcome?

    var findings: [ReferenceFile.Finding] { damage.map(\.finding).sorted() }
    /// All keys of the file that this one was made from.
    var keys: Set<Key> {
      Set(((answers?.keys).map(Array.init) ?? []).map { Key([UInt8](hex: $0)) }).union(
        [fails, invalid, lost].flatMap { $0 ?? [] }.map { Key([UInt8](hex: $0)) })
    }
  }

  /// The names of the sound files, from the folder itself.
  static let goodNames = names(in: "good")
  /// The names of the damaged files, from the folder itself.
  static let badNames = names(in: "bad")

  static func good() throws -> [String: Good] { try allGood.get() }
  static func bad() throws -> [String: Bad] { try allBad.get() }

  // Read once: a test of each file asks for one of them.
  private static let allGood = Result { try JSONDecoder().decode([String: Good].self, from: expected("good")) }
  private static let allBad = Result { try JSONDecoder().decode([String: Bad].self, from: expected("bad")) }

  static func path(good name: String) -> String { folder.appendingPathComponent("good/" + name).path }
  static func path(bad name: String) -> String { folder.appendingPathComponent("bad/" + name).path }

  private static func expected(_ kind: String) throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent(kind + "/expected.json"))
  }

  private static func names(in kind: String) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent(kind).path)
    return (names ?? []).filter { $0.hasSuffix(".fsdb") }.sorted()
  }
}
