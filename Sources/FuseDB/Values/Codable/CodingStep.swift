/// One step of a coding path.
enum CodingStep {
  case key(any CodingKey)
  case index(Int)

  var key: any CodingKey {
    switch self {
    case .key(let key): key
    case .index(let number): PlaceKey(index: number)
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

  init(index: Int) { self.init(intValue: index) }

  static let superclass = PlaceKey(stringValue: "super")
}

extension FuseError {
  /// The steps of `path` as `get --field` takes them.
  static func text(of path: [any CodingKey]) -> String {
    path.map { key in
      key.stringValue.reduce(into: "") { text, character in
        if character == "." || character == "\\" { text.append("\\") }
        text.append(character)
      }
    }.joined(separator: ".")
  }
}
