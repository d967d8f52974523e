/// An address on this server: segments of a path and a query, percent-encoded byte by byte.
struct Link: Sendable {
  private var path: String
  private var query = ""
  private var fragment = ""

  /// The list of all files.
  static let root = Link(path: "/")
  static let styles = Link(path: "/~/explorer.css").with("v", Assets.stylesVersion)
  static let script = Link(path: "/~/explorer.js").with("v", Assets.scriptVersion)

  /// A picture without content.
  static let emptyIcon = Link(path: "data:,")

  private init(path: String) { self.path = path }

  /// A view of a file.
  init(_ database: String, _ view: View = .overview) {
    path = "/" + Self.encoded(database.utf8) + "/" + view.rawValue
  }

  /// What can be seen of a file.
  enum View: String, Sendable {
    case overview = ""
    case find, tree, shape, change, verify, rollback
  }

  /// The same with one more part of the query.
  func with(_ name: StaticString, _ value: some Sequence<UInt8>) -> Link {
    var link = self
    link.query += (query.isEmpty ? "?" : "&") + name.description + "=" + Self.encoded(value)
    return link
  }

  func with(_ name: StaticString, _ value: String) -> Link { with(name, Array(value.utf8)) }
  func with(_ name: StaticString, _ value: Int) -> Link { with(name, String(value)) }

  /// The same with what tells a place on the page.
  func at(_ fragment: StaticString) -> Link {
    var link = self
    link.fragment = "#" + fragment.description
    return link
  }

  /// The same as JSON.
  var twin: Link { with("format", "json") }

  var text: String { path + query + fragment }

  /// Bytes with all but letters, digits and `-._~` as `%HH`.
  static func encoded(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        out.append(byte)
      default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}

extension Link {
  /// So many bytes of a key stand in an address; a longer key is named by its number.
  static let keyByteCount = 128

  /// What is known of a key.
  static func key(_ key: [UInt8], number: Int?, of database: String) -> Link {
    let link = Link(database, .find)
    if key.count > keyByteCount, let number { return link.with("number", number) }
    return link.with("key", key)
  }
}
