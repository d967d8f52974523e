// What arrays and maps hold.
public import FuseDBFormat

extension FuseValue {
  /// The elements of an array, or nil for anything else.
  public var elements: [FuseValue]? {
    guard case .array(let elements) = plain else { return nil }
    return elements
  }

  /// The pairs of a map in their order, or nil for anything else.
  public var pairs: [Pair]? {
    guard case .map(let pairs) = plain else { return nil }
    return pairs
  }

  /// How many elements an array has, or how many pairs a map; nil for anything else.
  public var count: Int? { elements?.count ?? pairs?.count }

  /// The element of an array, counted from 0; nil where it has fewer, or is no array.
  public subscript(index: Int) -> FuseValue? {
    guard let elements, elements.indices.contains(index) else { return nil }
    return elements[index]
  }

  /// What a map has under `name`; nil where it has no such name, or is no map. Of equal names the last counts.
  ///
  ///     value["geo"]?["city"]?.string
  ///
  /// - Complexity: O(pairs).
  public subscript(name: some FuseKey) -> FuseValue? {
    let keyBytes = name.keyBytes
    defer { keyBytes.hold() }
    return pairs?.last { pair in
      switch pair.key {
      case .string(let text): return text.hasBytes(keyBytes)
      case .verbatim:
        guard let bytes = pair.key.stringBytes else { return false }
        return bytes.rawSpan.equals(keyBytes)
      default: return false
      }
    }?.value
  }

  /// What a map has under a key of any type, however the key is written; nil where it has no such key, or is no map.
  /// Of equal keys the last counts.
  ///
  ///     value[key: 404]?.string
  ///
  /// - Complexity: O(pairs).
  public subscript(key key: FuseValue) -> FuseValue? {
    let key = key.plain
    return pairs?.last { $0.key.plain == key }?.value
  }
}
