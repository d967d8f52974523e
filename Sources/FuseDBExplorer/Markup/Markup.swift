internal import FuseDBFormat

/// HTML that is made of this program's own literals and of escaped text, and of nothing else.
///
/// Names of elements and attributes are `StaticString`: no text that comes from a file or a request can be one. All other text goes through
/// ``text(_:)`` or the value of an ``Attribute``, and both escape it. There is no way to add HTML as a string.
struct Markup: Sendable {
  private(set) var bytes: [UInt8] = []

  init() {}

  /// Adds text. What would change how it reads is spelled: control characters, and those that turn the direction of text.
  mutating func text(_ text: String) { VisibleText.append(text, to: &bytes) }

  /// Adds an element with what `content` adds to it.
  mutating func element(
    _ name: StaticString, _ attributes: Attribute..., content: (inout Markup) -> Void
  ) {
    open(name, attributes)
    content(&self)
    bytes.append(contentsOf: "</".utf8)
    append(name)
    bytes.append(UInt8(ascii: ">"))
  }

  /// Adds an element with text.
  mutating func element(_ name: StaticString, _ attributes: Attribute..., text: String) {
    open(name, attributes)
    self.text(text)
    bytes.append(contentsOf: "</".utf8)
    append(name)
    bytes.append(UInt8(ascii: ">"))
  }

  /// Adds an element that can't have content, such as `input`.
  mutating func void(_ name: StaticString, _ attributes: Attribute...) { open(name, attributes) }

  /// Adds other markup as it is.
  mutating func append(_ other: Markup) { bytes.append(contentsOf: other.bytes) }

  /// What an HTML document begins with.
  mutating func documentType() { bytes.append(contentsOf: "<!DOCTYPE html>".utf8) }

  private mutating func open(_ name: StaticString, _ attributes: [Attribute]) {
    bytes.append(UInt8(ascii: "<"))
    append(name)
    for attribute in attributes { attribute.append(to: &bytes) }
    bytes.append(UInt8(ascii: ">"))
  }

  private mutating func append(_ name: StaticString) { bytes.append(contentsOf: name.description.utf8) }
}

/// A name and a value, which is escaped.
struct Attribute: Sendable {
  private let name: StaticString
  private let value: [UInt8]?

  /// An attribute with text.
  ///
  /// - Precondition: it is none that holds an address, a style or a script: addresses are made of a ``Link``.
  init(_ name: StaticString, _ value: String) {
    precondition(
      !Self.barred.contains(name.description) && !name.description.hasPrefix("on"), "this attribute takes no text")
    self.init(unchecked: name, value)
  }

  private init(unchecked name: StaticString, _ value: String?) {
    self.name = name
    self.value = value.map { Array($0.utf8) }
  }

  private static let barred: Set<String> = [
    "href", "src", "action", "formaction", "style", "srcdoc", "srcset", "data", "xlink:href", "poster", "ping",
  ]

  /// An attribute that is there or not, such as `hidden`.
  static func flag(_ name: StaticString) -> Attribute { Attribute(unchecked: name, nil) }
  static func id(_ id: StaticString) -> Attribute { Attribute(unchecked: "id", id.description) }
  static func `class`(_ names: StaticString) -> Attribute { Attribute(unchecked: "class", names.description) }
  static func href(_ link: Link) -> Attribute { Attribute(unchecked: "href", link.text) }
  static func source(_ link: Link) -> Attribute { Attribute(unchecked: "src", link.text) }
  static func action(_ link: Link) -> Attribute { Attribute(unchecked: "action", link.text) }

  fileprivate func append(to out: inout [UInt8]) {
    out.append(UInt8(ascii: " "))
    out.append(contentsOf: name.description.utf8)
    guard let value else { return }
    out.append(contentsOf: "=\"".utf8)
    for byte in value { Escaping.append(byte, to: &out) }
    out.append(UInt8(ascii: "\""))
  }
}

/// The one place where bytes of text become bytes of HTML.
enum Escaping {
  /// Appends a byte of UTF-8, so that it means itself between elements and in an attribute.
  @inline(__always)
  static func append(_ byte: UInt8, to out: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "&"): out.append(contentsOf: "&amp;".utf8)
    case UInt8(ascii: "<"): out.append(contentsOf: "&lt;".utf8)
    case UInt8(ascii: ">"): out.append(contentsOf: "&gt;".utf8)
    case UInt8(ascii: "\""): out.append(contentsOf: "&quot;".utf8)
    case UInt8(ascii: "'"): out.append(contentsOf: "&#39;".utf8)
    // HTML has no way to write it.
    case 0: out.append(contentsOf: "\u{FFFD}".utf8)
    case UInt8(ascii: "\n"): out.append(contentsOf: "&#10;".utf8)
    case UInt8(ascii: "\r"): out.append(contentsOf: "&#13;".utf8)
    default: out.append(byte)
    }
  }
}
