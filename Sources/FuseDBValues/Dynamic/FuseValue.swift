public import FuseDBFormat

/// Any value that a database can hold, for programs that don't know its type: tools, tests, what is only passed on.
///
///     let value = try FuseValue(messagePack: bytes)
///     value["org"]?.string           // "Google LLC"
///     value["tags"]?[0]?.string      // "cdn"
///     let made: FuseValue = ["asn": 15169, "tags": ["cdn", "dns"], "city": nil]
///     try made.messagePack           // the shortest MessagePack bytes of it
///
/// It keeps all that the bytes say: the order of a map's pairs, equal names, keys of any type, the bits of a NaN, and
/// encodings that are longer than needed. So `try FuseValue(messagePack: bytes).messagePack == bytes` holds for every
/// value. Two values are equal exactly when their bytes are: `.uint(5)` equals `.int(5)`, `0.0` and `-0.0` differ, and
/// so do maps with their pairs in another order, and texts that look alike.
///
/// For a few fields of a value, ``FuseView`` is quicker and allocates nothing. See spec/values.md.
public enum FuseValue: Sendable {
  /// Nil.
  case null
  /// True or false.
  case bool(Bool)
  /// An integer. Reading gives this case for all that an `Int64` holds.
  case int(Int64)
  /// An integer that may be beyond `Int64.max`.
  case uint(UInt64)
  /// A float of 32 bits.
  case float(Float)
  /// A float of 64 bits.
  case double(Double)
  /// Text in UTF-8; other bytes are a ``verbatim(_:)``.
  case string(String)
  /// Bytes that are no text: MessagePack's bin.
  case bytes([UInt8])
  /// An array: its elements in their order.
  case array([FuseValue])
  /// A map: its pairs in their order. Keys are of any type, and may be equal.
  case map([Pair])
  /// An extension that is no ``timestamp(_:)``.
  case ext(type: Int8, bytes: [UInt8])
  /// A moment: an extension of type -1.
  case timestamp(FuseTimestamp)
  /// What the other cases cannot say: an encoding that is longer than needed, or a string that is not UTF-8. Only
  /// reading makes it.
  case verbatim(Verbatim)

  /// A key and a value of a map.
  public struct Pair: Hashable, Sendable {
    /// A value of any type; a name, in most cases.
    public var key: FuseValue
    /// What the map has under the key.
    public var value: FuseValue

    /// Makes a pair.
    public init(key: FuseValue, value: FuseValue) {
      self.key = key
      self.value = value
    }
  }

  /// A value as it is written: its MessagePack bytes, with all that it contains. The accessors read it anew each time.
  public struct Verbatim: Hashable, Sendable {
    /// The bytes: exactly one value.
    public let messagePack: [UInt8]

    init(_ messagePack: [UInt8]) { self.messagePack = messagePack }

    /// What the value says, or nil for a string that is not UTF-8. What it contains may be verbatim again.
    ///
    /// - Complexity: O(bytes).
    public var value: FuseValue? {
      let bytes = messagePack.rawSpan
      var builder = FuseValueBuilder(bytes)
      let value = builder.value(head: .any)
      if case .verbatim = value { return nil }
      return value
    }
  }
}

// What arrays and maps hold.

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
  public subscript(name: some FuseKeyBytes) -> FuseValue? {
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

// Values as they are written in code: `["org": "Google LLC", "asn": 15169, "lat": 37.4, "tags": ["cdn"], "city": nil]`.

extension FuseValue: ExpressibleByNilLiteral {
  /// `nil`: nil.
  public init(nilLiteral: ()) { self = .null }
}

extension FuseValue: ExpressibleByBooleanLiteral {
  /// `true` and `false`: a bool.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension FuseValue: ExpressibleByIntegerLiteral {
  /// `5`: an integer.
  public init(integerLiteral value: Int64) { self = .int(value) }
}

extension FuseValue: ExpressibleByFloatLiteral {
  /// `1.5`: a float of 64 bits.
  public init(floatLiteral value: Double) { self = .double(value) }
}

extension FuseValue: ExpressibleByStringInterpolation {
  /// `"text"`: a string.
  public init(stringLiteral value: String) { self = .string(value) }
}

extension FuseValue: ExpressibleByArrayLiteral {
  /// `[1, "a"]`: an array.
  public init(arrayLiteral elements: FuseValue...) { self = .array(elements) }
}

extension FuseValue: ExpressibleByDictionaryLiteral {
  /// `["a": 1, 2: nil]`: a map of these pairs, in this order; equal keys stay.
  public init(dictionaryLiteral pairs: (FuseValue, FuseValue)...) {
    self = .map(pairs.map { Pair(key: $0.0, value: $0.1) })
  }
}
