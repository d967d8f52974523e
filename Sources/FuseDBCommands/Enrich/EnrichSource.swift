internal import FuseDB

/// A file that answers, what it is asked, and what is taken of its answers.
struct EnrichSource {
  /// What of an answer goes into a line, and where.
  struct Field {
    enum Content {
      case value
      case part(FusePath)
      /// The key that answers.
      case key
    }

    let content: Content
    /// Where it goes.
    let target: FusePath

    var isKey: Bool { if case .key = content { true } else { false } }
    /// What its column in a table is called.
    var columnName: [UInt8] { target.columnName }
  }

  /// The path of the file.
  let path: String
  /// The field of a line that holds the key.
  var key: FusePath
  /// Nil where the file and the question decide.
  var matching: Get.Matching?
  /// That of the key, if there is one, comes last.
  var fields: [Field] = []

  /// The name under which a whole value goes: that of the file, without its ending.
  var defaultName: [UInt8] {
    let name = path.utf8.split(separator: UInt8(ascii: "/")).last ?? path.utf8[...]
    let stem = name.lastIndex(of: UInt8(ascii: ".")).map { name[..<$0] } ?? name
    return Array(stem)
  }
}

extension FusePath {
  /// The path as the name of a column.
  var columnName: [UInt8] { Array(steps.map { $0.name }.joined(separator: [UInt8(ascii: ".")])) }

  /// The path that is one name, whatever its characters.
  init(name: [UInt8]) {
    self.init(name.flatMap { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "\\") ? [UInt8(ascii: "\\"), $0] : [$0] })
  }
}
