internal import FuseDBFormat

/// One step of a coding path.
enum CodingStep {
  case key(any CodingKey)
  case index(Int)
  /// A dictionary's key. Its text may take long, and only an error needs it.
  case entry(Any)

  var key: any CodingKey {
    switch self {
    case .key(let key): key
    case .index(let number): PlaceKey(index: number)
    case .entry(let key): PlaceKey(stringValue: "\(key)")
    }
  }
}

/// A key for what has none in any type: an element of an array, an entry of a map, the part of a superclass.
struct PlaceKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  init(stringValue: String) {
    self.stringValue = stringValue
    intValue = nil
  }

  init(intValue: Int) {
    stringValue = String(intValue)
    self.intValue = intValue
  }

  /// A dictionary's key, with the number that its text may be: a type with numbers for its keys asks for that.
  init(textOfKey text: String) {
    stringValue = text
    intValue = Int(text).flatMap { String($0) == text ? $0 : nil }
  }

  init(index: Int) { self.init(intValue: index) }

  static let superclass = PlaceKey(stringValue: "super")
}

extension FuseError {
  /// The steps of `path` as `get --field` takes them.
  static func text(of path: [any CodingKey]) -> String {
    path.map { key in
      key.stringValue.unicodeScalars.reduce(into: "") { text, character in
        if character == "." || character == "\\" { text.append("\\") }
        text.unicodeScalars.append(character)
      }
    }.joined(separator: ".")
  }
}
