internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// Values of a MaxMind DB, each part of them once: a part is a text, a number, or a map or an array of parts. See spec/mmdb.md §6.
///
/// Parts are compared by what they are, a map by the numbers of its parts. So equal ones are found however often they come.
struct MaxMindParts {
  private enum Kind: UInt8 { case scalar, map, array }
  /// No offset yet.
  private static let none = UInt32.max
  /// The longest of what has a size.
  private static let mostSize = 65_821 + (1 << 24) - 1

  private let seed = UInt64.random(in: 0 ... .max)
  /// What parts are: for scalars their bytes in the file, for others the numbers of what they hold, four bytes each; with the kind before.
  private var contents: [UInt8] = []
  private var starts: [Int] = [0]
  /// How many bytes a part has at least where it is written whole.
  private var sizes: [UInt32] = []
  /// Where it was written among the values.
  private var offsets: [UInt32] = []
  /// Numbers of parts by the hash of their contents.
  private var table: [UInt32] = [UInt32](repeating: none, count: 1 << 10)

  private var scratch: [UInt8] = []
  private var children: [UInt32] = []

  /// What was written.
  private(set) var data: [UInt8] = []

  init() {}

  // MARK: Taking values apart

  /// The number of a value of MessagePack.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` where the format has no place for it.
  mutating func part(of messagePack: RawSpan) throws(FuseError) -> UInt32 {
    var offset = 0
    children.removeAll(keepingCapacity: true)
    return try part(messagePack, at: &offset)
  }

  private mutating func part(_ bytes: RawSpan, at offset: inout Int) throws(FuseError) -> UInt32 {
    var cursor = MessagePackCursor(bytes, at: offset)
    let token = try cursor.readHead()
    offset = cursor.offset
    switch token {
    case .map(let count): return try composite(.map, 2 * count, bytes, at: &offset)
    case .array(let count): return try composite(.array, count, bytes, at: &offset)
    default: break
    }
    scratch.removeAll(keepingCapacity: true)
    scratch.append(Kind.scalar.rawValue)
    switch token {
    case .string(let byteCount):
      let text = cursor.readPayload(byteCount: byteCount)
      guard text.validUTF8Prefix == byteCount else { throw Self.refused("a text that is not UTF-8") }
      try appendHead(2, size: byteCount)
      append(text)
    case .binary(let byteCount):
      let payload = cursor.readPayload(byteCount: byteCount)
      try appendHead(4, size: byteCount)
      append(payload)
    case .extension(MaxMindDecoder.uint128Type, byteCount: 16):
      let number = cursor.readPayload(byteCount: 16).array().drop { $0 == 0 }
      try appendHead(10, size: number.count)
      scratch += number
    case .extension(let type, _): throw Self.refused("an extension of type \(type)")
    case .null: throw Self.refused("nil")
    case .bool(let value): try appendHead(14, size: value ? 1 : 0)
    case .unsigned(let value): try append(unsigned: value)
    case .signed(let value):
      if value >= 0 {
        try append(unsigned: UInt64(value))
      } else {
        guard let small = Int32(exactly: value) else { throw Self.refused("an integer below -2147483648") }
        try appendHead(8, size: 4)
        append(UInt64(UInt32(bitPattern: small)), byteCount: 4)
      }
    case .float32(let bits):
      try appendHead(15, size: 4)
      append(UInt64(bits), byteCount: 4)
    case .float64(let bits):
      try appendHead(3, size: 8)
      append(bits, byteCount: 8)
    case .map, .array: break
    }
    offset = cursor.offset
    return try intern(size: scratch.count - 1)
  }

  private mutating func composite(
    _ kind: Kind, _ count: Int, _ bytes: RawSpan, at offset: inout Int
  ) throws(FuseError) -> UInt32 {
    let first = children.count
    var size = 1
    for number in 0..<count {
      if kind == .map, number % 2 == 0 {
        var cursor = MessagePackCursor(bytes, at: offset)
        guard case .string = try cursor.readHead() else { throw Self.refused("a map with a key that is no text") }
      }
      let child = try part(bytes, at: &offset)
      size += min(Int(sizes[Int(child)]), 4)
      children.append(child)
    }
    scratch.removeAll(keepingCapacity: true)
    scratch.append(kind.rawValue)
    for child in children[first...] { scratch.append(littleEndian: child) }
    children.removeSubrange(first...)
    return try intern(size: size)
  }

  /// The smallest of the unsigned types that hold it. [MD11]
  private mutating func append(unsigned value: UInt64) throws(FuseError) {
    let byteCount = (64 - value.leadingZeroBitCount + 7) / 8
    try appendHead(byteCount <= 2 ? 5 : byteCount <= 4 ? 6 : 9, size: byteCount)
    append(value, byteCount: byteCount)
  }

  private mutating func append(_ value: UInt64, byteCount: Int) {
    for i in (0..<byteCount).reversed() { scratch.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * i))) }
  }

  private mutating func append(_ bytes: RawSpan) { scratch += bytes.array() }

  private mutating func appendHead(_ type: Int, size: Int) throws(FuseError) {
    try Self.appendHead(type, size: size, to: &scratch)
  }

  /// The number of the part that the scratch holds.
  private mutating func intern(size: Int) throws(FuseError) -> UInt32 {
    if 2 * sizes.count >= table.count { try growTable() }
    var slot = scratch.rawSpan.hash(seed: seed) & UInt64(table.count - 1)
    while table[Int(slot)] != Self.none {
      let number = Int(table[Int(slot)])
      if contents.rawSpan.extracting(starts[number]..<starts[number + 1]).equals(scratch.rawSpan) {
        return UInt32(number)
      }
      slot = (slot + 1) & UInt64(table.count - 1)
    }
    guard sizes.count < MaxMindTree.most else {
      throw FuseError(.limitExceeded, "there are more than \(MaxMindTree.most) parts of values")
    }
    let number = UInt32(sizes.count)
    table[Int(slot)] = number
    try contents.makeRoom(for: scratch.count)
    contents += scratch
    try starts.grow(by: contents.count)
    try sizes.grow(by: UInt32(clamping: size))
    try offsets.grow(by: Self.none)
    return number
  }

  private mutating func growTable() throws(FuseError) {
    var larger = try [UInt32](2 * table.count, of: Self.none)
    for number in sizes.indices {
      let part = contents.rawSpan.extracting(starts[number]..<starts[number + 1])
      var slot = part.hash(seed: seed) & UInt64(larger.count - 1)
      while larger[Int(slot)] != Self.none { slot = (slot + 1) & UInt64(larger.count - 1) }
      larger[Int(slot)] = UInt32(number)
    }
    table = larger
  }

  private static func refused(_ what: String) -> FuseError {
    FuseError(.invalidValue, "the value has \(what), which a MaxMind DB cannot hold")
  }

  // MARK: Writing

  /// Writes the value of a number, unless it stands there already.
  ///
  /// - Returns: where it stands among the values.
  mutating func write(_ number: UInt32) throws(FuseError) -> UInt32 {
    if offsets[Int(number)] == Self.none { try writeWhole(number) }
    return offsets[Int(number)]
  }

  private mutating func writeWhole(_ number: UInt32) throws(FuseError) {
    guard data.count < Int(UInt32.max) else {
      throw FuseError(.limitExceeded, "the values have 4 GiB or more, and records of a MaxMind DB have 32 bits")
    }
    if offsets[Int(number)] == Self.none { offsets[Int(number)] = UInt32(data.count) }
    let range = starts[Int(number)] + 1..<starts[Int(number) + 1]
    guard let kind = Kind(rawValue: contents[range.lowerBound - 1]) else { return }
    switch kind {
    case .scalar:
      try data.makeRoom(for: range.count)
      data += contents[range]
    case .map: try writeParts(7, range, count: range.count / 8)
    case .array: try writeParts(11, range, count: range.count / 4)
    }
  }

  private mutating func writeParts(_ type: Int, _ range: Range<Int>, count: Int) throws(FuseError) {
    try Self.appendHead(type, size: count, to: &data)
    for place in stride(from: range.lowerBound, to: range.upperBound, by: 4) {
      let child = UInt32(
        littleEndian: UInt32(contents[place]) | UInt32(contents[place + 1]) << 8 | UInt32(contents[place + 2]) << 16
          | UInt32(contents[place + 3]) << 24)
      let offset = offsets[Int(child)]
      // A pointer stands where that takes fewer bytes. [MD13]
      if offset != Self.none, Self.pointerByteCount(to: offset) < sizes[Int(child)] {
        appendPointer(to: offset)
      } else {
        try writeWhole(child)
      }
    }
  }

  private static func pointerByteCount(to offset: UInt32) -> Int {
    offset < 2048 ? 2 : offset < 526_336 ? 3 : offset < 134_744_064 ? 4 : 5
  }

  private mutating func appendPointer(to offset: UInt32) {
    let byteCount = Self.pointerByteCount(to: offset) - 1
    let number = offset - [0, 2048, 526_336, 0][byteCount - 1]
    let high = byteCount == 4 ? 0 : UInt8(number >> UInt32(8 * byteCount))
    data.append(1 << 5 | UInt8(byteCount - 1) << 3 | high)
    for i in (0..<byteCount).reversed() { data.append(UInt8(truncatingIfNeeded: number >> UInt32(8 * i))) }
  }

  /// Appends the bytes that say a type and a size.
  static func appendHead(_ type: Int, size: Int, to bytes: inout [UInt8]) throws(FuseError) {
    let more: (count: Int, value: Int)
    switch size {
    case ..<29: more = (0, size)
    case ..<285: more = (1, size - 29)
    case ..<65_821: more = (2, size - 285)
    case ...mostSize: more = (3, size - 65_821)
    default: throw refused("a text, binary, array or map of \(size) bytes or members")
    }
    let low = UInt8(more.count == 0 ? size : 28 + more.count)
    if type < 8 { bytes.append(UInt8(type) << 5 | low) } else { bytes += [low, UInt8(type - 7)] }
    for i in (0..<more.count).reversed() { bytes.append(UInt8(truncatingIfNeeded: more.value >> (8 * i))) }
  }
}
