// Values as they are written in code: `["org": "Google LLC", "asn": 15169, "lat": 37.4, "tags": ["cdn"], "city": nil]`.
internal import FuseDBFormat

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
