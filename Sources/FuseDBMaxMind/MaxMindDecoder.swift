package import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// Turns values of a MaxMind DB into MessagePack. See spec/mmdb.md §2.
///
/// What it takes is bounded: in depth, in bytes of one value, and in bytes of all.
package final class MaxMindDecoder {
  /// How many bytes a value may have beside as many as its file has.
  static let bytesMoreThanFile = 1 << 18
  /// The extension that holds a number of 128 bits, in 16 bytes.
  package static let uint128Type: Int8 = 77

  /// How many bytes all values of a file may have together. Values share parts; those of GeoLite2 City have seven times the bytes of the
  /// file.
  static func mostBytes(inAllOf byteCount: Int) -> Int {
    byteCount.multipliedReportingOverflow(by: 256).partialValue + 1 << 20
  }

  private let bytes: [UInt8]
  private let data: Range<Int>
  private let packer: MessagePackPacker
  private let mostBytes: Int
  /// How many bytes are left for all values.
  private var bytesLeft: Int
  private let languages: [[UInt8]]?
  /// How many bytes ``packer`` may have while a value is decoded.
  private var limit = 0

  private enum Kind: UInt8 {
    case pointer = 1
    case text, double, bytes, uint16, uint32, map, int32, uint64, uint128, array, container, endMarker, bool, float
  }

  /// What stands at a place: its kind, a size or a place that it points at, and where what follows begins.
  private struct Head {
    var kind: Kind
    var size: Int
    var next: Int
  }

  init(
    _ bytes: [UInt8], _ data: Range<Int>, to packer: MessagePackPacker, mostBytes: Int, mostBytesInAll: Int,
    languages: [[UInt8]]? = nil
  ) {
    self.bytes = bytes
    self.data = data
    self.packer = packer
    self.mostBytes = mostBytes
    bytesLeft = mostBytesInAll
    self.languages = languages
  }

  /// Appends the value at an offset of the values to the packer.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when it breaks the format, `limitExceeded` when it is larger than allowed. A part of it
  ///   may have been packed.
  package func decode(at offset: Int) throws(FuseError) {
    let before = packer.byteCount
    limit = before + min(mostBytes, bytesLeft)
    guard offset >= 0, offset < data.count else { throw outside(data.lowerBound) }
    _ = try value(at: data.lowerBound + offset, depth: 0)
    bytesLeft -= packer.byteCount - before
  }

  /// Packs the value at a place, and returns where the next one is.
  private func value(at place: Int, depth: Int) throws(FuseError) -> Int {
    var head = try head(at: place)
    var end: Int?
    if head.kind == .pointer {
      end = head.next
      head = try target(of: head, at: place)
    }
    let next = try pack(head, at: place, depth: depth)
    return end ?? next
  }

  /// What a pointer points at, which is no pointer. [MD3]
  private func target(of pointer: Head, at place: Int) throws(FuseError) -> Head {
    let head = try head(at: pointer.size)
    guard head.kind != .pointer else { throw .invalidValue("a pointer points at a pointer", at: place) }
    return head
  }

  private func pack(_ head: Head, at place: Int, depth: Int) throws(FuseError) -> Int {
    switch head.kind {
    case .text:
      let end = try end(of: head, at: place)
      try pack(text: head.next..<end)
      return end
    case .bytes:
      let end = try end(of: head, at: place)
      try checkRoom(for: head.size)
      let bytes = bytes
      packer.pack(binary: bytes.rawSpan.extracting(head.next..<end))
      return end
    case .uint16: packer.pack(try integer(head, at: place, byteCount: 2))
    case .uint32: packer.pack(try integer(head, at: place, byteCount: 4))
    case .uint64: packer.pack(try integer(head, at: place, byteCount: 8))
    case .int32:
      // Fewer bytes than four are the lower ones of a number that is not negative.
      let value = Int32(truncatingIfNeeded: try integer(head, at: place, byteCount: 4))
      packer.pack(Int64(value))
    case .uint128: try packUInt128(head, at: place)
    case .double: packer.pack(float64: try whole(head, at: place, byteCount: 8))
    case .float: packer.pack(float32: UInt32(truncatingIfNeeded: try whole(head, at: place, byteCount: 4)))
    case .bool:
      guard head.size < 2 else { throw .invalidValue("a boolean is neither 0 nor 1", at: place) }
      packer.pack(head.size == 1)
      try checkRoom(for: 0)
      return head.next
    case .map: return try packMap(head, at: place, depth: depth)
    case .array:
      try MessagePackPacker.checkNesting(depth)
      guard head.size <= data.upperBound - head.next else { throw countsTooMany(place) }
      packer.packArray(count: head.size)
      var next = head.next
      for _ in 0..<head.size { next = try value(at: next, depth: depth + 1) }
      try checkRoom(for: 0)
      return next
    case .pointer: throw .invalidValue("a pointer points at a pointer", at: place)
    case .container, .endMarker:
      throw .invalidValue("a value of a type that stands in no file: a cache container or an end marker", at: place)
    }
    try checkRoom(for: 0)
    return head.next + head.size
  }

  private func packMap(_ head: Head, at place: Int, depth: Int) throws(FuseError) -> Int {
    try MessagePackPacker.checkNesting(depth)
    guard head.size <= (data.upperBound - head.next) / 2 else { throw countsTooMany(place) }
    packer.packMap(count: head.size)
    var next = head.next
    for _ in 0..<head.size {
      let (name, end) = try text(at: next)
      guard let name else { throw .invalidValue("the name of a member is no text", at: next) }
      try pack(text: name)
      if let languages, isNames(name), let kept = try keptNames(at: end, languages) {
        try MessagePackPacker.checkNesting(depth + 1)
        packer.packMap(count: kept.parts.count)
        for (name, text) in kept.parts {
          try pack(text: name)
          try pack(text: text)
        }
        next = kept.next
      } else {
        next = try value(at: end, depth: depth + 1)
      }
    }
    try checkRoom(for: 0)
    return next
  }

  // MARK: Names

  private static let names = Array("names".utf8)
  private func isNames(_ name: Range<Int>) -> Bool { bytes[name].elementsEqual(Self.names) }

  /// The members of a map of texts whose names are among `languages`, and where what follows begins; nil where it is another value.
  private func keptNames(
    at place: Int, _ languages: [[UInt8]]
  ) throws(FuseError) -> (parts: [(name: Range<Int>, text: Range<Int>)], next: Int)? {
    var map = try head(at: place)
    var end: Int?
    if map.kind == .pointer {
      end = map.next
      map = try target(of: map, at: place)
    }
    guard map.kind == .map else { return nil }
    guard map.size <= (data.upperBound - map.next) / 2 else { throw countsTooMany(place) }
    var parts: [(name: Range<Int>, text: Range<Int>)] = []
    var next = map.next
    for _ in 0..<map.size {
      let name = try text(at: next)
      guard let nameRange = name.range else { return nil }
      let value = try text(at: name.next)
      guard let valueRange = value.range else { return nil }
      if languages.contains(where: { bytes[nameRange].elementsEqual($0) }) { parts.append((nameRange, valueRange)) }
      next = value.next
    }
    return (parts, end ?? next)
  }

  /// Where the bytes of the text at a place are, nil where it is another value, and where what follows begins.
  private func text(at place: Int) throws(FuseError) -> (range: Range<Int>?, next: Int) {
    var head = try head(at: place)
    var next: Int?
    if head.kind == .pointer {
      next = head.next
      head = try target(of: head, at: place)
    }
    guard head.kind == .text else { return (nil, place) }
    let end = try end(of: head, at: place)
    return (head.next..<end, next ?? end)
  }

  private func pack(text range: Range<Int>) throws(FuseError) {
    try checkRoom(for: range.count)
    let bytes = bytes
    let text = bytes.rawSpan.extracting(range)
    guard text.validUTF8Prefix == range.count else { throw .invalidValue("a text is not UTF-8", at: range.lowerBound) }
    packer.pack(string: text)
  }

  // MARK: Numbers

  private func integer(_ head: Head, at place: Int, byteCount: Int) throws(FuseError) -> UInt64 {
    guard head.size <= byteCount else {
      throw .invalidValue("an integer has \(head.size) bytes, and its type \(byteCount) at most", at: place)
    }
    let end = try end(of: head, at: place)
    var value: UInt64 = 0
    for i in head.next..<end { value = value << 8 | UInt64(bytes[i]) }
    return value
  }

  private func whole(_ head: Head, at place: Int, byteCount: Int) throws(FuseError) -> UInt64 {
    guard head.size == byteCount else {
      throw .invalidValue("a float has \(head.size) bytes, and its type \(byteCount)", at: place)
    }
    return try integer(head, at: place, byteCount: byteCount)
  }

  private func packUInt128(_ head: Head, at place: Int) throws(FuseError) {
    guard head.size <= 16 else {
      throw .invalidValue("an integer has \(head.size) bytes, and its type 16 at most", at: place)
    }
    let end = try end(of: head, at: place)
    let number = [UInt8](repeating: 0, count: 16 - head.size) + bytes[head.next..<end]
    packer.pack(extension: Self.uint128Type, number.rawSpan)
  }

  // MARK: Heads

  /// Reads the control bytes at a place.
  private func head(at place: Int) throws(FuseError) -> Head {
    guard place >= data.lowerBound, place < data.upperBound else { throw outside(place) }
    let control = bytes[place]
    var next = place + 1
    var number = control >> 5
    if number == Kind.pointer.rawValue { return try pointer(control, next) }
    if number == 0 {
      guard next < data.upperBound else { throw outside(next) }
      // Those that have numbers of their own are never written so, and what is beyond is none.
      guard bytes[next] > 0, bytes[next] <= Kind.float.rawValue - 7 else {
        throw .invalidValue("there is no type \(Int(bytes[next]) + 7)", at: place)
      }
      number = bytes[next] + 7
      next += 1
    }
    guard let kind = Kind(rawValue: number) else { throw .invalidValue("there is no type \(number)", at: place) }
    var size = Int(control & 0x1F)
    if size >= 29 {
      let byteCount = size - 28
      guard byteCount <= data.upperBound - next else { throw outside(place) }
      var more = 0
      for i in next..<next + byteCount { more = more << 8 | Int(bytes[i]) }
      size = [29, 285, 65_821][byteCount - 1] + more
      next += byteCount
    }
    return Head(kind: kind, size: size, next: next)
  }

  private func pointer(_ control: UInt8, _ start: Int) throws(FuseError) -> Head {
    let byteCount = Int(control >> 3 & 3) + 1
    guard byteCount <= data.upperBound - start else { throw outside(start) }
    var target = byteCount == 4 ? 0 : Int(control & 7)
    for i in start..<start + byteCount { target = target << 8 | Int(bytes[i]) }
    target += [0, 2048, 526_336, 0][byteCount - 1]
    guard target < data.count else { throw .invalidValue("a pointer leads out of the values", at: start - 1) }
    return Head(kind: .pointer, size: data.lowerBound + target, next: start + byteCount)
  }

  /// Where the bytes of a value end.
  private func end(of head: Head, at place: Int) throws(FuseError) -> Int {
    guard head.size <= data.upperBound - head.next else {
      throw .invalidValue("a value of \(head.size) bytes does not end within the values", at: place)
    }
    return head.next + head.size
  }

  private func checkRoom(for byteCount: Int) throws(FuseError) {
    guard byteCount > limit - packer.byteCount else { return }
    throw FuseError(
      .limitExceeded,
      "the value is larger than \(limit) bytes with all that its pointers lead to, which is more than a value here may have"
    )
  }

  private func outside(_ place: Int) -> FuseError {
    .invalidValue("a value begins or ends outside of the values", at: place)
  }

  private func countsTooMany(_ place: Int) -> FuseError {
    .invalidValue("a map or an array counts more values than there is room for", at: place)
  }
}
