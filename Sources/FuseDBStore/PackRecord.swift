internal import FuseDBFormat

/// The head of a pack. [SP1]
enum PackHead {
  static let byteCount = 32
  private static let magic = Array("FSDBPACK".utf8)

  static func bytes(store: [UInt8]) -> [UInt8] {
    var bytes = magic
    bytes.append(bigEndian: UInt16(1))
    bytes += [1, 0]
    bytes += store
    bytes.append(bigEndian: Checksum.of(bytes.rawSpan))
    return bytes
  }

  /// Throws unless these bytes begin a pack of the store.
  static func check(_ bytes: RawSpan, store: [UInt8], path: String) throws(FuseError) {
    guard bytes.byteCount >= byteCount, bytes.extracting(first: 8).array() == magic else {
      throw FuseError(.corrupted, "this is no pack of a store", offset: 0, path: path)
    }
    guard bytes.load(at: 28, as: UInt32.self) == Checksum.of(bytes.extracting(first: 28)) else {
      throw FuseError(.corrupted, "the head of the pack is damaged", offset: 0, path: path)
    }
    guard bytes.load(at: 8, as: UInt16.self) == 1, bytes.load(at: 10, as: UInt8.self) == 1 else {
      throw FuseError(.unsupportedVersion, "the pack is of a later version; use a later fusedb", path: path)
    }
    guard bytes.extracting(12..<28).array() == store else {
      throw FuseError(.corrupted, "the pack belongs to another store", offset: 12, path: path)
    }
  }
}

/// What stands before each payload in a pack, and in a loose object. [SR1]
struct PackRecord: Equatable {
  enum Kind: UInt8 {
    /// Bytes whose SHA-256 is the record's digest.
    case data = 1
    /// What an object is made of; the digest is the object's.
    case recipe = 2
    /// Small objects, packed together; the digest is that of the payload.
    case frame = 3
    /// No payload: an object that is kept, and stands elsewhere.
    case mark = 4
    /// What another object and patches make; the digest is the object's. [SV1]
    case patched = 5
    /// Chunks, packed after the bytes of others; the digest is that of the payload. [SD1]
    case deep = 6

    /// Whether it holds several objects.
    var isFrame: Bool { self == .frame || self == .deep }
    /// Whether it says what an object is made of.
    var isRecipe: Bool { self == .recipe || self == .patched }
  }

  static let byteCount = 52
  static let magic: UInt32 = 0x4653_5052  // FSPR

  var kind: Kind
  var codec: StoreCodec
  var isKept: Bool
  var storedByteCount: Int
  var byteCount: Int
  var digest: FuseStore.ObjectID

  func append(to bytes: inout [UInt8]) {
    let start = bytes.count
    bytes.append(bigEndian: Self.magic)
    bytes += [kind.rawValue, codec.rawValue, isKept ? 1 : 0, 0]
    bytes.append(bigEndian: UInt32(storedByteCount))
    bytes.append(bigEndian: UInt32(byteCount))
    bytes += digest.bytes
    bytes.append(bigEndian: Checksum.of(bytes.rawSpan.extracting(start..<start + 48)))
  }

  /// nil where no whole record head stands. [SR2]
  init?(_ bytes: RawSpan, at offset: Int) {
    guard offset >= 0, offset <= bytes.byteCount - Self.byteCount,
      bytes.load(at: offset, as: UInt32.self) == Self.magic,
      bytes.load(at: offset + 48, as: UInt32.self) == Checksum.of(bytes.extracting(offset..<offset + 48)),
      let kind = bytes.load(at: offset + 4, as: UInt8.self).flatMap(Kind.init(rawValue:)),
      let codec = bytes.load(at: offset + 5, as: UInt8.self).flatMap(StoreCodec.init(rawValue:)),
      let flags = bytes.load(at: offset + 6, as: UInt8.self), flags <= 1,
      bytes.load(at: offset + 7, as: UInt8.self) == 0,
      let stored = bytes.load(at: offset + 8, as: UInt32.self),
      let whole = bytes.load(at: offset + 12, as: UInt32.self),
      let digest = FuseStore.ObjectID(bytes, at: offset + 16)
    else { return nil }
    self.init(
      kind: kind, codec: codec, isKept: flags == 1, storedByteCount: Int(stored), byteCount: Int(whole), digest: digest)
  }

  init(
    kind: Kind, codec: StoreCodec, isKept: Bool, storedByteCount: Int, byteCount: Int, digest: FuseStore.ObjectID
  ) {
    self.kind = kind
    self.codec = codec
    self.isKept = isKept
    self.storedByteCount = storedByteCount
    self.byteCount = byteCount
    self.digest = digest
  }
}

/// Where a pack has an object, as its index says. [SI2]
struct PackEntry: Equatable, Sendable {
  var kind: PackRecord.Kind
  var codec: StoreCodec
  var isKept: Bool
  /// Of the record.
  var offset: Int
  var storedByteCount: Int
  /// Of the object; of a recipe, the recipe's own.
  var byteCount: Int
  /// Where the object begins in a frame that is unpacked.
  var inner = 0
  /// How many bytes the frame has, unpacked.
  var frameByteCount = 0

  /// Whether a payload stands there, and no mark alone.
  var hasPayload: Bool { kind != .mark }
  var payload: Range<Int> {
    let start = offset + PackRecord.byteCount
    return start..<start + storedByteCount
  }

  /// One MessagePack array of unsigned integers.
  var value: [UInt8] {
    var bytes: [UInt8] = [kind.isFrame ? 0x96 : 0x94]
    bytes.append(kind.rawValue | (isKept ? 8 : 0) | codec.rawValue << 4)
    Self.append(offset, to: &bytes)
    Self.append(storedByteCount, to: &bytes)
    Self.append(byteCount, to: &bytes)
    guard kind.isFrame else { return bytes }
    Self.append(inner, to: &bytes)
    Self.append(frameByteCount, to: &bytes)
    return bytes
  }

  private static func append(_ number: Int, to bytes: inout [UInt8]) {
    switch number {
    case ..<0x80: bytes.append(UInt8(number))
    case ..<0x100: bytes += [0xCC, UInt8(number)]
    case ..<0x1_0000:
      bytes.append(0xCD)
      bytes.append(bigEndian: UInt16(number))
    case ..<0x1_0000_0000:
      bytes.append(0xCE)
      bytes.append(bigEndian: UInt32(number))
    default:
      bytes.append(0xCF)
      bytes.append(bigEndian: UInt64(number))
    }
  }

  init(
    kind: PackRecord.Kind, codec: StoreCodec, isKept: Bool, offset: Int, storedByteCount: Int, byteCount: Int,
    inner: Int = 0, frameByteCount: Int = 0
  ) {
    self.kind = kind
    self.codec = codec
    self.isKept = isKept
    self.offset = offset
    self.storedByteCount = storedByteCount
    self.byteCount = byteCount
    self.inner = inner
    self.frameByteCount = frameByteCount
  }

  /// nil where the bytes are no entry that a pack of so many bytes can have. [SI3]
  init?(_ bytes: RawSpan, packByteCount: Int) {
    guard let head = bytes.load(at: 0, as: UInt8.self), let tag = bytes.load(at: 1, as: UInt8.self), tag < 0x80,
      let kind = PackRecord.Kind(rawValue: tag & 7), let codec = StoreCodec(rawValue: tag >> 4),
      head == (kind.isFrame ? 0x96 : 0x94)
    else { return nil }
    var place = 2
    var numbers: [5 of Int] = [0, 0, 0, 0, 0]
    for number in 0..<(kind.isFrame ? 5 : 3) {
      guard let read = Self.number(in: bytes, at: &place) else { return nil }
      numbers[number] = read
    }
    let (offset, stored) = (numbers[0], numbers[1])
    guard place == bytes.byteCount, offset <= packByteCount, stored <= packByteCount,
      offset + PackRecord.byteCount + stored <= packByteCount, numbers[2] <= StoreLimits.recordByteCount,
      numbers[4] <= StoreLimits.recordByteCount, !kind.isFrame || numbers[3] + numbers[2] <= numbers[4]
    else { return nil }
    self.init(
      kind: kind, codec: codec, isKept: tag & 8 != 0, offset: offset, storedByteCount: stored, byteCount: numbers[2],
      inner: numbers[3], frameByteCount: numbers[4])
  }

  private static func number(in bytes: RawSpan, at place: inout Int) -> Int? {
    guard let head = bytes.load(at: place, as: UInt8.self) else { return nil }
    place += 1
    let read: UInt64?
    let size: Int
    switch head {
    case ..<0x80: return Int(head)
    case 0xCC: (read, size) = (bytes.load(at: place, as: UInt8.self).map { UInt64($0) }, 1)
    case 0xCD: (read, size) = (bytes.load(at: place, as: UInt16.self).map { UInt64($0) }, 2)
    case 0xCE: (read, size) = (bytes.load(at: place, as: UInt32.self).map { UInt64($0) }, 4)
    case 0xCF: (read, size) = (bytes.load(at: place, as: UInt64.self), 8)
    default: return nil
    }
    place += size
    // Far above what any pack has, and far below what sums of two would not hold.
    return read.flatMap { $0 < 1 << 60 ? Int($0) : nil }
  }
}
