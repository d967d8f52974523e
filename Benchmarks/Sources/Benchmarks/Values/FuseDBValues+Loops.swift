import FuseDB

extension FuseDBValues {
  /// The loops over what is wanted, from keys and from values found before.
  func loops(_ workload: ValueWorkload) -> [ValueLoop] {
    let find = Find(reader: reader)
    func fromKeys(_ wanted: Wanted, _ lookUp: some LookUp) -> [ValueLoop] {
      ValueLoop.fromKeys(.fuseDB, wanted, workload.hits, lookUp, over: find)
    }
    func found(_ wanted: Wanted, _ lookUp: some LookUp) -> [ValueLoop] {
      [ValueLoop(.fuseDB, wanted, found: workload.places, lookUp)]
    }
    func field(_ wanted: Wanted, _ reading: some FuseDBReading) -> [ValueLoop] {
      fromKeys(wanted, ViewLookUp(reader: reader, reading: reading)) + found(wanted, ViewFound(reading: reading))
    }
    return fromKeys(.bytes, find)
      + field(.string, StringReading()) + field(.int, IntReading()) + field(.double, DoubleReading())
      + field(.element, ElementReading()) + field(.text, TextReading())
      + fromKeys(.structure, DecodedLookUp<DecodedRecord>(reader: reader))
      + found(.structure, DecodedFound<DecodedRecord>())
      + ValueLoop.fromKeys(
        .fuseDB, .flatStructure, workload.hits, DecodedLookUp<DecodedFlatRecord>(reader: flatReader),
        over: Find(reader: flatReader))
      + fromKeys(.value, ValueLookUp(reader: reader)) + found(.value, ValueFound())
  }
}

/// Finds an object and touches its first bytes.
private struct Find: LookUp {
  let reader: FuseReader

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    // All begin with the head of a map of five.
    try reader.withBytes(forKey: RawSpan(_unsafeBytes: key)) { $0.firstWord & 0xFF == 0x85 ? 1 : 0 }
  }
}

/// Finds a value and reads something of it in place.
private struct ViewLookUp<Reading: FuseDBReading>: LookUp {
  let reader: FuseReader
  let reading: Reading

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    try reader.withValue(forKey: RawSpan(_unsafeBytes: key)) { reading.word($0) } ?? nil
  }
}

/// Reads something of a value that was found before.
private struct ViewFound<Reading: FuseDBReading>: LookUp {
  let reading: Reading

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    reading.word(try FuseView(validating: RawSpan(_unsafeBytes: key.loadUnaligned(as: UnsafeRawBufferPointer.self))))
  }
}

/// Finds a value and makes all of it.
private struct ValueLookUp: LookUp {
  let reader: FuseReader

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    try reader.withBytes(forKey: RawSpan(_unsafeBytes: key)) { Word.value(try FuseValue(messagePack: $0)) } ?? nil
  }
}

/// Makes all of a value that was found before.
private struct ValueFound: LookUp {
  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    Word.value(try FuseValue(messagePack: RawSpan(_unsafeBytes: key.loadUnaligned(as: UnsafeRawBufferPointer.self))))
  }
}

/// Finds a value and decodes it into a struct.
private struct DecodedLookUp<Record: FuseDBDecoded>: LookUp {
  let reader: FuseReader

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    try reader.value(Record.self, forKey: RawSpan(_unsafeBytes: key))?.word
  }
}

/// Decodes a value that was found before into a struct.
private struct DecodedFound<Record: FuseDBDecoded>: LookUp {
  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    let bytes = RawSpan(_unsafeBytes: key.loadUnaligned(as: UnsafeRawBufferPointer.self))
    return try FuseDecoder().decode(Record.self, from: bytes).word
  }
}
