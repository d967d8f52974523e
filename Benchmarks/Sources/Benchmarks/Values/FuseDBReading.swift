import FuseDB

/// What this library reads of a value in place, as a service would write it.
protocol FuseDBReading {
  /// What is summed; nil where the value is another than was written.
  func word(_ value: FuseView) -> UInt64?
}

struct StringReading: FuseDBReading {
  @inline(__always)
  func word(_ value: FuseView) -> UInt64? {
    guard let org = value["org"]?.stringBytes else { return nil }
    return Word.text(org)
  }
}

struct IntReading: FuseDBReading {
  @inline(__always)
  func word(_ value: FuseView) -> UInt64? { value["asn"]?.uint64 }
}

struct DoubleReading: FuseDBReading {
  @inline(__always)
  func word(_ value: FuseView) -> UInt64? { value["lat"]?.double?.bitPattern }
}

struct ElementReading: FuseDBReading {
  @inline(__always)
  func word(_ value: FuseView) -> UInt64? {
    guard let tag = value["tags"]?[0]?.stringBytes else { return nil }
    return Word.text(tag)
  }
}

struct TextReading: FuseDBReading {
  @inline(__always)
  func word(_ value: FuseView) -> UInt64? { value["org"]?.string.map { Word.text($0) } }
}

extension Word {
  @inline(__always)
  static func text(_ bytes: RawSpan) -> UInt64 {
    text(first: bytes.unsafeLoad(as: UInt8.self), count: bytes.byteCount)
  }

  static func value(_ value: FuseValue) -> UInt64? {
    guard case .map(let pairs) = value, pairs.count > 1, case .int(let asn) = pairs[1].value else { return nil }
    return Word.value(count: pairs.count, asn: UInt64(asn))
  }
}
