internal import CFuseHandles
internal import FuseDB
internal import FuseDBFormat

/// Memory that is given to Arrow, or freed.
final class ColumnMemory {
  private(set) var start: UnsafeMutableRawPointer
  private(set) var byteCount: Int

  /// Zeros; never less than a cache line, which Arrow likes.
  init(byteCount: Int) throws(FuseError) {
    let count = max(64, byteCount)
    guard let made = fuse_memory_grow(nil, count) else { throw .outOfMemory("make a column of \(count) bytes") }
    made.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    start = made
    self.byteCount = count
  }

  deinit { fuse_memory_free(start) }

  /// Makes room for so many bytes.
  @inline(__always)
  func reserve(_ count: Int) throws(FuseError) {
    if count > byteCount { try grow(to: count) }
  }

  @inline(never)
  private func grow(to count: Int) throws(FuseError) {
    let wanted = max(count, byteCount + byteCount / 2)
    guard let grown = fuse_memory_grow(start, wanted) else { throw .outOfMemory("make a column of \(wanted) bytes") }
    start = grown
    byteCount = wanted
  }
}

/// A column that is being made; rows that nothing is set in are null.
final class ColumnBuilder {
  let type: ColumnType
  let rowCount: Int
  /// Whether offsets have 32 bits.
  let isSmall: Bool
  let validity: ColumnMemory
  /// Bits, words of 64 bits, or where each value begins.
  let fixed: ColumnMemory
  /// The bytes of values with lengths of their own.
  let data: ColumnMemory?
  /// Both of those stay where they are.
  private let validityStart: UnsafeMutableRawPointer
  private let fixedStart: UnsafeMutableRawPointer
  private let isVariable: Bool
  private(set) var setCount = 0
  private var dataEnd = 0

  init(_ type: ColumnType, rowCount: Int, isSmall: Bool = false) throws(FuseError) {
    self.type = type
    self.rowCount = rowCount
    self.isSmall = isSmall
    validity = try ColumnMemory(byteCount: (rowCount + 7) / 8)
    fixed = try ColumnMemory(byteCount: type == .bool ? (rowCount + 7) / 8 : 8 * (rowCount + 1))
    data = type.isVariable ? try ColumnMemory(byteCount: 8 * rowCount) : nil
    (validityStart, fixedStart, isVariable) = (validity.start, fixed.start, data != nil)
  }

  /// Ends a row, whether something was set in it or not. Rows end in order.
  @inline(__always)
  func end(_ row: Int) {
    guard isVariable else { return }
    if isSmall {
      fixedStart.storeBytes(of: Int32(truncatingIfNeeded: dataEnd), toByteOffset: 4 * (row + 1), as: Int32.self)
    } else {
      fixedStart.storeBytes(of: Int64(dataEnd), toByteOffset: 8 * (row + 1), as: Int64.self)
    }
  }

  /// Sets a row of a column of bits.
  func set(_ isTrue: Bool, in row: Int) {
    mark(row)
    if isTrue { Self.setBit(row, in: fixedStart) }
  }

  /// Puts a value into a row. Returns false where it is of another type.
  func set(_ view: FuseView, in row: Int) throws(FuseError) -> Bool {
    switch type {
    case .bool:
      guard let value = view.bool else { return false }
      set(value, in: row)
    case .int64:
      guard let value = view.int64 else { return false }
      set(UInt64(bitPattern: value), in: row)
    case .uint64:
      guard let value = view.uint64 else { return false }
      set(value, in: row)
    case .float64:
      guard let value = view.double else { return false }
      set(value.bitPattern, in: row)
    case .timestamp: return setTimestamp(view, in: row)
    case .string:
      guard let text = view.stringBytes, text.isUTF8 else { return false }
      try append(text, in: row)
    case .bytes:
      guard let bytes = view.bytes else { return false }
      try append(bytes, in: row)
    case .json:
      let json = Array(view.json.utf8)
      try append(json.rawSpan, in: row)
    case .messagePack: try append(view.messagePack, in: row)
    }
    return true
  }

  private func setTimestamp(_ view: FuseView, in row: Int) -> Bool {
    guard let moment = view.timestamp else { return false }
    let (seconds, isLong) = moment.seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (value, isLonger) = seconds.addingReportingOverflow(Int64(moment.nanoseconds))
    guard !isLong, !isLonger else { return false }
    set(UInt64(bitPattern: value), in: row)
    return true
  }

  @inline(__always)
  private func set(_ word: UInt64, in row: Int) {
    mark(row)
    fixedStart.storeBytes(of: word, toByteOffset: 8 * row, as: UInt64.self)
  }

  @inline(__always)
  private func append(_ bytes: RawSpan, in row: Int) throws(FuseError) {
    mark(row)
    let count = bytes.byteCount
    guard count > 0, let data else { return }
    if isSmall, dataEnd + count > Int(Int32.max) { throw Self.tooLarge(row) }
    try data.reserve(dataEnd + count)
    bytes.withUnsafeBytes { (data.start + dataEnd).copyMemory(from: $0.baseAddress!, byteCount: count) }
    dataEnd += count
  }

  @inline(never)
  private static func tooLarge(_ row: Int) -> FuseError {
    FuseError(
      .limitExceeded,
      "a column with offsets of 32 bits holds 2 GiB, and is full at row \(row); look fewer keys up at once, or take offsets of 64 bits"
    )
  }

  @inline(__always)
  private func mark(_ row: Int) {
    Self.setBit(row, in: validityStart)
    setCount += 1
  }

  @inline(__always)
  private static func setBit(_ bit: Int, in bits: UnsafeMutableRawPointer) {
    let byte = bits + (bit >> 3)
    byte.storeBytes(of: byte.load(as: UInt8.self) | 1 << UInt8(bit & 7), as: UInt8.self)
  }
}
