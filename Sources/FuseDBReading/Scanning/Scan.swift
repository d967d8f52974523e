public import FuseDBFormat
internal import FuseDBSystem
public import FuseDBValues

/// Goes through keys in order, one entry a step, reading the file as it goes.
///
///     var scan = try reader.prefix("8.8.")
///     while let entry = try scan.next() {
///       try entry.key                // a copy of the key's bytes
///       try entry.bytes.byteCount    // the object, in place
///     }
///
/// It is no `Sequence`, because a step can fail: a file that was damaged while it was open ends a scan with an error,
/// never early and in silence.
public struct Scan: FuseIterator, Sendable {
  private let reader: FuseReader
  private let direction: FuseReader.Direction
  private var lower: FuseReader.Position
  private var upper: FuseReader.Position
  /// Descending: where the entries from the start of their stride up to `upper` begin.
  private var block: [Int] = []
  private var previous: Range<Int>?
  /// The stride whose checksum was compared last.
  private var checkedStride = -1

  init(
    _ reader: FuseReader, from lower: FuseReader.Position, to upper: FuseReader.Position,
    _ direction: FuseReader.Direction
  ) {
    self.reader = reader
    self.lower = lower
    self.upper = upper
    self.direction = direction
  }

  /// How many entries are still to come.
  /// - Complexity: O(1).
  public var count: Int { max(0, upper.number - lower.number) }

  /// The next entry, or nil at the end.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  public mutating func next() throws(FuseError) -> Entry? {
    guard count > 0 else {
      // The entries between the two positions must have led from one to the other. [G4]
      guard lower.number > upper.number || lower.offset == upper.offset else { throw reader.changed(at: lower.offset) }
      return nil
    }
    let entry: IndexEntry
    switch direction {
    case .ascending:
      try checkStride(of: lower.number)
      entry = try reader.entry(at: lower.offset)
      lower = FuseReader.Position(number: lower.number + 1, offset: entry.end)
    case .descending:
      if block.isEmpty { try fillBlock() }
      entry = try reader.entry(at: block.removeLast())
      upper = FuseReader.Position(number: upper.number - 1, offset: entry.offset)
    }
    try checkOrder(of: entry)
    previous = entry.keyRange
    return Entry(reader: reader, entry: entry)
  }

  /// Passes over `count` entries, or as many as there are.
  ///
  /// - Throws: as ``next()``.
  public mutating func skip(_ count: Int) throws(FuseError) {
    for _ in 0..<min(count, self.count) { _ = try next() }
  }

  private mutating func fillBlock() throws(FuseError) {
    try checkStride(of: upper.number - 1)
    let stride = (upper.number - 1) / KeyOrder.stride
    let mapping = reader.mapping
    var offset = reader.index.order.offset(ofStride: stride, in: mapping.bytes)
    guard stride > 0 || offset == reader.dataEnd else { throw reader.changed(at: offset) }
    for _ in stride * KeyOrder.stride..<upper.number {
      block.append(offset)
      offset = try reader.entry(at: offset).end
    }
    guard offset == upper.offset else { throw reader.changed(at: upper.offset) }
  }

  private mutating func checkStride(of number: Int) throws(FuseError) {
    let stride = number / KeyOrder.stride
    guard stride != checkedStride else { return }
    try Cancellation.check()
    // A stride must begin where the one before it ends, the first with the index. [X18]
    if direction == .ascending, number % KeyOrder.stride == 0 {
      let mapping = reader.mapping
      guard lower.offset == reader.index.order.offset(ofStride: stride, in: mapping.bytes) else {
        throw reader.changed(at: lower.offset)
      }
    }
    try reader.checkStride(stride)
    checkedStride = stride
  }

  /// The order was checked when the file was opened; bytes that changed since are found here. [G4]
  private func checkOrder(of entry: IndexEntry) throws(FuseError) {
    let mapping = reader.mapping
    let file = mapping.bytes
    if let previous {
      let (first, second) = direction == .ascending ? (previous, entry.keyRange) : (entry.keyRange, previous)
      guard file.isAscending(first, second) else { throw reader.changed(at: entry.offset) }
    }
    try mapping.checkNotShrunk()
  }
}

/// A key and the object it points at, as a scan comes across them. It keeps the file open.
public struct Entry: Sendable {
  package let reader: FuseReader
  package let entry: IndexEntry

  /// A copy of the key's bytes.
  ///
  /// - Throws: ``FuseError`` with code `truncated` when the file shrank.
  public var key: [UInt8] {
    get throws(FuseError) {
      let key = try keyBytes.array()
      try reader.checkNotShrunk()
      return key
    }
  }

  /// The key's bytes, in place. What is read from them is the file's if ``FuseReader/checkNotShrunk()`` returns
  /// afterwards.
  ///
  /// - Throws: ``FuseError`` with code `truncated` when the file shrank.
  public var keyBytes: RawSpan {
    @_lifetime(borrow self)
    get throws(FuseError) {
      let mapping = reader.mapping
      try mapping.checkNotShrunk()
      // SAFETY: the mapping lives as long as the reader, which this entry keeps.
      return unsafe _overrideLifetime(mapping.bytes.extracting(entry.keyRange), borrowing: self)
    }
  }

  /// Where the object's record begins in the file: equal for keys that share an object.
  public var objectOffset: UInt64 { entry.objectOffset }

  /// The object's bytes, in place, their checksum compared, as ``FuseReader/bytes(forKey:)-(RawSpan)`` returns them.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated`.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get throws(FuseError) {
      let record = try reader.record(at: entry.objectOffset)
      let mapping = reader.mapping
      // SAFETY: the mapping lives as long as the reader, which this entry keeps.
      return unsafe _overrideLifetime(mapping.bytes.extracting(record.range), borrowing: self)
    }
  }

  /// The object as a value, in place. What is read from it is the file's if ``FuseReader/checkNotShrunk()`` returns
  /// afterwards.
  ///
  /// - Throws: ``FuseError`` as ``bytes``; with code `invalidValue` as ``FuseReader/view(forKey:)-(RawSpan)``.
  /// - Complexity: O(heads of the value).
  public var view: FuseView {
    @_lifetime(borrow self)
    get throws(FuseError) { try reader.view(of: bytes) }
  }
}

/// An object as it stands in the file. It keeps the file open.
public struct StoredObject: Sendable {
  let reader: FuseReader
  let record: ObjectRecord

  /// Where the object's record begins in the file: what keys point at.
  public var offset: UInt64 { UInt64(record.offset) }

  /// The object's bytes, in place; their checksum was compared when the scan came across it. What is read from them is
  /// the file's if ``FuseReader/checkNotShrunk()`` returns afterwards.
  ///
  /// - Throws: ``FuseError`` with code `truncated` when the file shrank.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get throws(FuseError) {
      let mapping = reader.mapping
      try mapping.checkNotShrunk()
      // SAFETY: the mapping lives as long as the reader, which this object keeps.
      return unsafe _overrideLifetime(mapping.bytes.extracting(record.range), borrowing: self)
    }
  }

  /// The object as a value, in place. What is read from it is the file's if ``FuseReader/checkNotShrunk()`` returns
  /// afterwards.
  ///
  /// - Throws: ``FuseError`` as ``bytes``; with code `invalidValue` as ``FuseReader/view(forKey:)-(RawSpan)``.
  /// - Complexity: O(heads of the value).
  public var view: FuseView {
    @_lifetime(borrow self)
    get throws(FuseError) { try reader.view(of: bytes) }
  }
}

/// Goes through the objects in the order of the file.
public struct ObjectScan: FuseIterator, Sendable {
  private let reader: FuseReader
  private var offset = UInt64(Header.byteCount)
  private var found = 0

  init(_ reader: FuseReader) { self.reader = reader }

  /// The next object, its checksum compared, or nil after the last.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` when a record breaks the format, when its checksum differs, or
  ///   when the section does not hold as many objects as the header says; `truncated` when the file shrank.
  public mutating func next() throws(FuseError) -> StoredObject? {
    guard offset < UInt64(reader.dataEnd) else {
      guard found == Int(reader.header.objectCount) else {
        throw FuseError.corrupted(
          "the header counts \(counted(reader.header.objectCount, "object")) and the data section holds \(found)",
          at: Header.Field.objectCount
        ).at(path: reader.path)
      }
      return nil
    }
    if found & 0xFF == 0 { try Cancellation.check() }
    let record = try reader.record(at: offset)
    offset = UInt64(record.end)
    found += 1
    return StoredObject(reader: reader, record: record)
  }
}
