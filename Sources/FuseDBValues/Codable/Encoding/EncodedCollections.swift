// What the standard library would write through containers, and dictionaries with other keys than text as arrays.
internal import FuseDBFormat

/// An array of what can be encoded.
protocol EncodedArray {
  func append(to state: EncodingState) throws
}

/// A set of what can be encoded.
protocol EncodedSet {
  func append(to state: EncodingState) throws
}

/// A dictionary whose keys and values can be encoded.
protocol EncodedMap {
  func append(to state: EncodingState) throws
}

extension Array: EncodedArray where Element: Encodable {
  func append(to state: EncodingState) throws {
    state.packer.packArray(count: count)
    for number in indices { try state.append(self[number], at: .index(number)) }
  }
}

extension Set: EncodedSet where Element: Encodable {
  func append(to state: EncodingState) throws {
    state.packer.packArray(count: count)
    var entries = SortedEntries(state.packer)
    for (number, element) in enumerated() {
      entries.begin()
      try state.append(element, at: .index(number))
    }
    entries.sort()
  }
}

extension Dictionary: EncodedMap where Key: Encodable, Value: Encodable {
  func append(to state: EncodingState) throws {
    state.packer.packMap(count: count)
    var entries = SortedEntries(state.packer)
    for (key, value) in self {
      entries.begin()
      if Key.self != String.self, let key = key as? any CodingKeyRepresentable, !(key is any BinaryInteger) {
        state.packer.pack(text: key.codingKey.stringValue)
      } else {
        try state.append(key, at: .entry(key))
      }
      try state.append(value, at: .entry(key))
    }
    guard entries.sort() else { throw state.refusal(self, "two keys of this dictionary are written alike") }
  }
}
