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
  }

  struct Bad: Decodable {
    struct Damage: Decodable {
      var kind: String
      var offset: UInt64
    }
    var wrong: String
    var damage: [Damage]
    var open: String
    var code: String?
    var answers: [String: String]?
    var fails: [String]?
    var invalid: [String]?

    var findings: [ReferenceFile.Finding] { damage.map { ReferenceFile.Finding($0.kind, $0.offset) }.sorted() }
  }

  /// The names of the sound files, from the folder itself.
  static let goodNames = names(in: "good")
  /// The names of the damaged files, from the folder itself.
  static let badNames = names(in: "bad")

  static func good() throws -> [String: Good] { try JSONDecoder().decode([String: Good].self, from: expected("good")) }
  static func bad() throws -> [String: Bad] { try JSONDecoder().decode([String: Bad].self, from: expected("bad")) }

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
