internal import FuseDBFormat

extension DecodingState {
  /// The error that says that something else stands at `offset`.
  @inline(never)
  func mismatch(_ type: Any.Type, at offset: Int, expected: String) -> DecodingError {
    let head = head(at: offset)
    let context = context(at: offset, "\(expected) was expected, and here is \(head.spoken)")
    return head.kind == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
  }

  /// The error that says that what stands at `offset` cannot be made into the type.
  @inline(never)
  func mismatch(_ type: Any.Type, at offset: Int, _ message: String) -> DecodingError {
    .typeMismatch(type, context(at: offset, message))
  }

  /// The error that says that what stands at `value` is no such thing, found at `offset`.
  @inline(never)
  func corrupted(_ message: String, at value: Int, offset: Int? = nil) -> DecodingError {
    .dataCorrupted(context(at: value, message, offset: offset))
  }

  /// The error that says that the map at `map` has no such member.
  @inline(never)
  func missing(_ key: some CodingKey, in map: Int) -> DecodingError {
    .keyNotFound(key, context(at: map, "there is no member \(quoted(key.stringValue.keyBytes))"))
  }

  /// The error that says that the key at `offset` stood in the map at `map` already.
  @inline(never)
  func doubled(_ offset: Int, in map: Int) -> DecodingError {
    let name = quoted(key(at: offset).stringValue.keyBytes)
    return corrupted("the key \(name) stands twice in this map", at: map, offset: offset)
  }

  /// The error that says that the array at `array` has no more elements.
  @inline(never)
  func noElement(_ type: Any.Type, in array: Int, count: Int) -> DecodingError {
    let message = "one element more was expected than the \(count) of this array"
    return .valueNotFound(type, context(at: array, message, then: PathKey(index: count)))
  }

  private func context(
    at value: Int, _ message: String, offset: Int? = nil, then step: PathKey? = nil
  ) -> DecodingError.Context {
    DecodingError.Context(
      codingPath: codingPath(to: value) + (step.map { [$0] } ?? []), debugDescription: message,
      underlyingError: FuseError.invalidValue(message, at: offset ?? value))
  }

  /// The library's error for `error`: with the offset, which is that of the coding path where a type has made the error
  /// itself.
  func fuseError(_ error: DecodingError) -> FuseError {
    let context: DecodingError.Context
    switch error {
    case .typeMismatch(_, let its), .valueNotFound(_, let its), .keyNotFound(_, let its), .dataCorrupted(let its):
      context = its
    @unknown default: return FuseError(.invalidValue, "\(error)")
    }
    let known = (context.underlyingError as? FuseError)?.offset
    return FuseError(
      .invalidValue, context.debugDescription, offset: known ?? UInt64(offset(of: context.codingPath)),
      codingPath: FuseError.text(of: context.codingPath))
  }

  /// Where the value stands that `path` leads to, or as far as it leads.
  private func offset(of path: [any CodingKey]) -> Int {
    var here = 0
    let byteCount = bytes.byteCount
    for step in path {
      let head = head(at: here)
      switch head.kind {
      case .map:
        var pair = head.end
        var left = head.count
        while left > 0, pair < byteCount, key(at: pair).stringValue != step.stringValue {
          pair = end(ofValueAt: end(ofValueAt: pair))
          left -= 1
        }
        guard left > 0, pair < byteCount else { return here }
        here = end(ofValueAt: pair)
      case .array:
        guard let number = step.intValue, number >= 0, number < head.count else { return here }
        here = head.end
        var left = number
        while left > 0, here < byteCount {
          here = end(ofValueAt: here)
          left -= 1
        }
      default: return here
      }
    }
    return here
  }
}

extension MessagePackHead {
  /// What it is, in words.
  fileprivate var spoken: String {
    switch kind {
    case .null: "nil"
    case .bool: bits == 1 ? "true" : "false"
    case .unsigned: "the integer \(bits)"
    case .signed: "the integer \(Int64(bitPattern: bits))"
    case .float32: "the number \(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))"
    case .float64: "the number \(Double(bitPattern: bits))"
    case .string: "a string"
    case .binary: "binary data"
    case .extension: "an extension of type \(Int8(truncatingIfNeeded: bits))"
    case .array: "an array"
    case .map: "a map"
    case .nothing: "nothing; a decoder can be used only while its value is decoded"
    }
  }
}
