internal import FuseDBFormat
internal import FuseDBValues

// Objects: rows, and what they lean on.

extension CompactLayout {
  /// Where the value of a row stands, after its CRC-32 was compared.
  @inline(__always)
  func row(_ reference: UInt64, in file: RawSpan) throws(FuseError) -> Range<Int> {
    guard reference <= UInt64(rowsEnd) >> blocks.shift else {
      throw .corrupted("a reference leads out of the rows", at: rowsEnd)
    }
    return try row(at: Header.byteCount &+ Int(reference &<< blocks.shift), in: file)
  }

  /// The same of the row that begins at an offset.
  @inline(__always)
  func row(at offset: Int, in file: RawSpan) throws(FuseError) -> Range<Int> {
    guard offset &+ 5 <= rowsEnd else { throw .corrupted("a reference leads out of the rows", at: offset) }
    var cursor = CompactCursor(file, offset &+ 4..<rowsEnd)
    let count = try cursor.varint()
    let value = try cursor.take(count)
    guard Checksum.of(file.extracting(offset &+ 4..<value.upperBound)) == file.loadInside(at: offset, as: UInt32.self)
    else { throw .corrupted("a row differs from its checksum", at: offset) }
    return value
  }

  /// Appends the MessagePack of an object.
  @inline(__always)
  func expand(
    _ reference: UInt64, of file: RawSpan, inSteps: Bool, into out: inout [UInt8]
  ) throws(FuseError) {
    if !inSteps, expandQuickly(reference, of: file, into: &out) { return }
    try expandInSteps(reference, of: file, into: &out)
  }

  @inline(never)
  private func expandInSteps(
    _ reference: UInt64, of file: RawSpan, into out: inout [UInt8]
  ) throws(FuseError) {
    let row = try row(reference, in: file)
    try expand(row, of: file, into: &out)
  }

  /// Appends the MessagePack of a row's value.
  func expand(_ row: Range<Int>, of file: RawSpan, into out: inout [UInt8]) throws(FuseError) {
    var cursor = CompactCursor(file, row)
    try expand(&cursor, depth: 0, isPart: false, limit: out.count + FormatLimits.objectByteCount, into: &out)
    guard cursor.left == 0 else { throw .corrupted("bytes follow the value of a row", at: cursor.at) }
  }

  /// Appends the MessagePack of the next value.
  ///
  /// - Parameters:
  ///   - depth: how many arrays and maps it stands in; 128 at most, as in MessagePack, and parts are no level of their own.
  ///   - isPart: whether the value is that of a part, and so must not be a part itself: with `depth`, that bounds recursion.
  ///   - limit: how long `out` may become. Each value adds to it, so this bounds the time too.
  @_lifetime(cursor: copy cursor)
  func expand(
    _ cursor: inout CompactCursor, depth: Int, isPart: Bool, limit: Int, into out: inout [UInt8]
  ) throws(FuseError) {
    let file = cursor.file
    switch try CompactHead(&cursor) {
    case .integer(let number): out.append(messagePackInteger: number)
    case .null: out.append(0xC0)
    case .no: out.append(0xC2)
    case .yes: out.append(0xC3)
    case .decimal: try expandDecimal(&cursor, into: &out)
    case .raw:
      let value = try cursor.takeMessagePack(nesting: FormatLimits.nesting &- depth)
      out.append(file.extracting(value))
    case .text(let count):
      let text = try cursor.take(count)
      out.append(messagePackTextHead: count)
      out.append(file.extracting(text))
    case .array(let count):
      guard depth < FormatLimits.nesting else { throw Self.tooDeep(cursor.at) }
      out.append(messagePackHead: 0x90, 0xDC, count: count)
      for _ in 0..<count {
        try expand(&cursor, depth: depth &+ 1, isPart: false, limit: limit, into: &out)
      }
    case .shape(let number):
      guard depth < FormatLimits.nesting else { throw Self.tooDeep(cursor.at) }
      let shape = try shapes.item(number, in: file)
      out.append(messagePackHead: 0x80, 0xDE, count: try nameCount(ofShape: shape, in: file))
      var names = CompactCursor(file, shape)
      while names.left > 0 {
        let name = try names.takeName()
        out.append(file.extracting(name.all))
        try expand(&cursor, depth: depth &+ 1, isPart: false, limit: limit, into: &out)
      }
    case .map(let count):
      guard depth < FormatLimits.nesting else { throw Self.tooDeep(cursor.at) }
      out.append(messagePackHead: 0x80, 0xDE, count: count)
      for _ in 0..<count {
        let name = try cursor.takeMessagePack(nesting: FormatLimits.nesting &- depth &- 1)
        out.append(file.extracting(name))
        try expand(&cursor, depth: depth &+ 1, isPart: false, limit: limit, into: &out)
      }
    case .part(let number):
      guard !isPart else { throw .corrupted("a part is nothing but another part", at: cursor.at) }
      try expandPart(number, depth: depth, limit: limit, of: file, into: &out)
    }
    guard out.count <= limit else { throw .corrupted("a value is longer than it may be", at: cursor.at) }
  }

  /// Appends a part, which says how long it is.
  func expandPart(
    _ number: UInt64, depth: Int, limit: Int, of file: RawSpan, into out: inout [UInt8]
  ) throws(FuseError) {
    var cursor = CompactCursor(file, try parts.item(number, in: file))
    let count = try cursor.varint()
    guard count <= min(CompactForm.partByteCounts.upperBound, limit &- out.count) else {
      throw .corrupted("a part is longer than it may be", at: cursor.at)
    }
    let end = out.count &+ count
    try expand(&cursor, depth: depth, isPart: true, limit: end, into: &out)
    guard cursor.left == 0, out.count == end else {
      throw .corrupted("a part has another length than it says", at: cursor.at)
    }
  }

  /// Appends a double that stands as an integer and a power of ten.
  @_lifetime(cursor: copy cursor)
  private func expandDecimal(_ cursor: inout CompactCursor, into out: inout [UInt8]) throws(FuseError) {
    let byteCount = try Self.decimalByteCount(&cursor)
    let exponent = Int(byteCount.exponent)
    let bits = try cursor.number(byteCount: byteCount.count) << UInt64(64 &- 8 &* byteCount.count)
    // The sign is that of the first byte.
    let number = Int64(bitPattern: bits) >> Int64(64 &- 8 &* byteCount.count)
    var power = 1.0
    for _ in 0..<exponent { power *= 10 }
    out.append(0xCB)
    out.append(bigEndian: (Double(number) / power).bitPattern)
  }

  @inline(__always)
  @_lifetime(cursor: copy cursor)
  static func decimalByteCount(_ cursor: inout CompactCursor) throws(FuseError) -> (exponent: UInt8, count: Int) {
    let kind = try cursor.byte()
    let (exponent, count) = (kind >> 4, Int(kind & 15))
    guard exponent <= 6, 1...4 ~= count else { throw .corrupted("this is no decimal", at: cursor.at - 1) }
    return (exponent, count)
  }

  /// How many names a shape has.
  @inline(__always)
  func nameCount(ofShape shape: Range<Int>, in file: RawSpan) throws(FuseError) -> Int {
    var names = CompactCursor(file, shape)
    var count = 0
    while names.left > 0 {
      _ = try names.takeName()
      count &+= 1
    }
    guard 1...CompactForm.mostShapeNames ~= count else {
      throw .corrupted("a shape has \(counted(count, "name"))", at: shape.lowerBound)
    }
    return count
  }

  @inline(never)
  static func tooDeep(_ offset: Int) -> FuseError {
    .corrupted("a value is nested deeper than \(FormatLimits.nesting) levels", at: offset)
  }
}

extension CompactCursor {
  /// Passes over a name of a shape, a text in its shortest spelling; says where its MessagePack stands, and where its bytes do.
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func takeName() throws(FuseError) -> (all: Range<Int>, text: Range<Int>) {
    let start = at
    let head = try byte()
    let count: Int
    if 0xA0...0xBF ~= head {
      count = Int(head & 0x1F)
    } else if head == 0xD9 || head == 0xDA {
      count = Int(try number(byteCount: head == 0xD9 ? 1 : 2))
      guard count > (head == 0xD9 ? 31 : 255) else { throw noName(start) }
    } else {
      throw noName(start)
    }
    let text = try take(count)
    return (start..<text.upperBound, text)
  }

  @inline(never)
  private func noName(_ offset: Int) -> FuseError { .corrupted("this is no name of a shape", at: offset) }
}

extension [UInt8] {
  /// Appends an integer in its shortest spelling.
  @inline(__always)
  mutating func append(messagePackInteger number: UInt64) {
    if number < 0x80 {
      append(UInt8(truncatingIfNeeded: number))
    } else if number <= 0xFF {
      append(0xCC)
      append(UInt8(truncatingIfNeeded: number))
    } else if number <= 0xFFFF {
      append(0xCD)
      append(bigEndian: UInt16(truncatingIfNeeded: number))
    } else {
      append(0xCE)
      append(bigEndian: UInt32(truncatingIfNeeded: number))
    }
  }

  /// Appends the head of a text in its shortest spelling.
  @inline(__always)
  mutating func append(messagePackTextHead count: Int) {
    if count < 32 {
      append(0xA0 | UInt8(truncatingIfNeeded: count))
    } else if count <= 0xFF {
      append(0xD9)
      append(UInt8(truncatingIfNeeded: count))
    } else if count <= 0xFFFF {
      append(0xDA)
      append(bigEndian: UInt16(truncatingIfNeeded: count))
    } else {
      append(0xDB)
      append(bigEndian: UInt32(clamping: count))
    }
  }

  /// Appends the head of an array or a map: with its count in it, or in two bytes, or in four.
  @inline(__always)
  mutating func append(messagePackHead short: UInt8, _ long: UInt8, count: Int) {
    if count < 16 {
      append(short | UInt8(truncatingIfNeeded: count))
    } else if count <= 0xFFFF {
      append(long)
      append(bigEndian: UInt16(truncatingIfNeeded: count))
    } else {
      append(long + 1)
      append(bigEndian: UInt32(clamping: count))
    }
  }
}
