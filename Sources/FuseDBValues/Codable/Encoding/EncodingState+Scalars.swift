internal import FuseDBFormat

extension EncodingState {
  /// Appends `value` as what its type is in MessagePack, or as its type says.
  ///
  /// - Parameter step: which part of the value around it it is; nil where it is the whole.
  @inline(__always)
  func append<T: Encodable>(_ value: T, at step: @autoclosure () -> CodingStep?) throws {
    if !appendScalar(value) { try within(step()) { try appendOther(value) } }
  }

  // A function of its own, and some more below, so that what it needs is not on the stack of values inside each other.

  /// Appends `value` and returns true, if it is a scalar.
  @inline(__always)
  private func appendScalar<T: Encodable>(_ value: T) -> Bool {
    // Compiled for a scalar, only its own line is left.
    if let text = exactly(value, String.self) {
      packer.pack(text: text)
    } else if let number = exactly(value, Int.self) {
      packer.pack(Int64(number))
    } else if let truth = exactly(value, Bool.self) {
      packer.pack(truth)
    } else if let number = exactly(value, Double.self) {
      packer.pack(float64: number.bitPattern)
    } else if let number = exactly(value, Float.self) {
      packer.pack(float32: number.bitPattern)
    } else if let number = exactly(value, UInt.self) {
      packer.pack(UInt64(number))
    } else if let number = exactly(value, Int64.self) {
      packer.pack(number)
    } else if let number = exactly(value, UInt64.self) {
      packer.pack(number)
    } else if let number = exactly(value, Int32.self) {
      packer.pack(Int64(number))
    } else if let number = exactly(value, UInt32.self) {
      packer.pack(UInt64(number))
    } else if let number = exactly(value, Int16.self) {
      packer.pack(Int64(number))
    } else if let number = exactly(value, UInt16.self) {
      packer.pack(UInt64(number))
    } else if let number = exactly(value, Int8.self) {
      packer.pack(Int64(number))
    } else if let number = exactly(value, UInt8.self) {
      packer.pack(UInt64(number))
    } else {
      return false
    }
    return true
  }

  /// Appends what is no scalar.
  private func appendOther<T: Encodable>(_ value: T) throws {
    if try appendKnown(value) { return }
    let rule = Self.rules.rule(of: T.self)
    if rule == .own { try appendOwn(value) } else { try append(value, by: rule) }
  }

  /// Appends `value` and returns true, if it is of a type that is known here.
  @inline(never)
  private func appendKnown<T: Encodable>(_ value: T) throws -> Bool {
    if let bytes = exactly(value, [UInt8].self) {
      packer.pack(binary: bytes.rawSpan)
    } else if let texts = exactly(value, [String].self) {
      try texts.append(to: self)
    } else if let time = exactly(value, FuseTimestamp.self) {
      append(time)
    } else if let value = exactly(value, FuseValue.self) {
      do throws(FuseError) { try packer.pack(value, depth: containerCount) } catch {
        throw refusal(value, error.message)
      }
    } else if let number = exactly(value, Int128.self) {
      try append(wide: number)
    } else if let number = exactly(value, UInt128.self) {
      try append(wide: number)
    } else {
      return false
    }
    return true
  }

  @inline(never)
  private func append<T: Encodable>(_ value: T, by rule: CodingRule) throws {
    switch rule {
    case .own: try appendOwn(value)
    case .bytes:
      let bytes = value as! any RandomAccessCollection<UInt8>
      append(bytesOf: bytes)
    case .map: try inContainer { try (value as! any EncodedMap).append(to: self) }
    case .set: try inContainer { try (value as! any EncodedSet).append(to: self) }
    case .array: try inContainer { try (value as! any EncodedArray).append(to: self) }
    case .date: try appendDate(value)
    case .url: try appendURL(value)
    }
  }

  private static let rules = CodingRules { type in
    if CodingRule.isLikeData(type) { return .bytes }
    if type is any EncodedArray.Type { return .array }
    if type is any EncodedMap.Type { return .map }
    if type is any EncodedSet.Type { return .set }
    return CodingRule.ofFoundation(type)
  }

  private func append(bytesOf value: some RandomAccessCollection<UInt8>) {
    let isDone: Void? = value.withContiguousStorageIfAvailable { bytes in
      // SAFETY: the bytes are copied before the closure ends.
      unsafe packer.pack(binary: RawSpan(_unsafeBytes: UnsafeRawBufferPointer(bytes)))
    }
    if isDone == nil { packer.pack(binary: [UInt8](value).rawSpan) }
  }

  func append(_ time: FuseTimestamp) {
    packer.pack(extension: FuseTimestamp.extensionType, time.payload.rawSpan)
  }

  private func append(wide number: some BinaryInteger & Encodable) throws {
    if let number = Int64(exactly: number) {
      packer.pack(number)
    } else if let number = UInt64(exactly: number) {
      packer.pack(number)
    } else {
      throw refusal(
        number, "\(number) has more than the 64 bits that an integer has in MessagePack; write it as a text")
    }
  }
}
