// What the standard library would read through containers.
internal import FuseDBFormat

/// An array of what can be decoded.
protocol DecodedArray {
  static func decode(state: DecodingState, at offset: Int) throws -> Self
}

/// A dictionary whose keys and values can be decoded.
protocol DecodedMap {
  static func decode(state: DecodingState, at offset: Int) throws -> Self
}

extension Array: DecodedArray where Element: Decodable {
  static func decode(state: DecodingState, at offset: Int) throws -> Self { try elements(state: state, at: offset) }

  static func elements(state: DecodingState, at offset: Int) throws -> Self {
    let head = state.head(at: offset)
    guard head.kind == .array else { throw state.mismatch(Self.self, at: offset, expected: "an array") }
    var elements: Self = []
    // Types that are larger than a text grow as they come. The bytes are as many, unless the file was overwritten.
    if MemoryLayout<Element>.stride <= MemoryLayout<String>.stride {
      let bytes = state.bytes
      elements.reserveCapacity(Swift.min(head.count, bytes.byteCount))
    }
    var element = head.end
    let end = state.bytes.byteCount
    while elements.count < head.count, element < end {
      elements.append(try state.decode(Element.self, at: element))
      element = state.end(ofValueAt: element)
    }
    return elements
  }
}

extension Dictionary: DecodedMap where Key: Decodable, Value: Decodable {
  static func decode(state: DecodingState, at offset: Int) throws -> Self {
    let head = state.head(at: offset)
    guard head.kind == .map else { throw state.mismatch(Self.self, at: offset, expected: "a map") }
    var pairs: Self = [:]
    var keyOffset = head.end
    let end = state.bytes.byteCount
    var left = head.count
    while left > 0, keyOffset < end {
      left -= 1
      let value = state.end(ofValueAt: keyOffset)
      let key = try key(state: state, at: keyOffset)
      guard pairs.updateValue(try state.decode(Value.self, at: value), forKey: key) == nil else {
        throw state.doubled(keyOffset, in: offset)
      }
      keyOffset = state.end(ofValueAt: value)
    }
    return pairs
  }

  private static func key(state: DecodingState, at offset: Int) throws -> Key {
    guard Key.self != String.self, state.head(at: offset).kind == .string else {
      return try state.decode(Key.self, at: offset)
    }
    // JSON has texts alone for keys: so "5" may stand for 5, and for what has its own text.
    let number = Key.self as? any FixedWidthInteger.Type
    let named = number == nil ? Key.self as? any CodingKeyRepresentable.Type : nil
    guard number != nil || named != nil else { return try state.decode(Key.self, at: offset) }
    let text = try state.string(at: offset)
    let key: Any? =
      if let number {
        number.init(text).flatMap { String($0) == text ? $0 : nil }
      } else {
        named?.init(codingKey: PathKey(textOfKey: text))
      }
    guard let key = key as? Key else {
      let message = "the key \(quoted(text.keyBytes)) is no \(Key.self)"
      throw Key.self is any FixedWidthInteger.Type
        ? state.mismatch(Key.self, at: offset, message) : state.corrupted(message, at: offset)
    }
    return key
  }
}
