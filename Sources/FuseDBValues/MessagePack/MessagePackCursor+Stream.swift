package import FuseDBFormat

extension MessagePackCursor {
  /// More values than this cannot be to come: the input that has them all has as many bytes.
  private static let mostPending = 1 << 34

  /// How many bytes the value has that begins where `bytes` do, or nil when it ends past them.
  ///
  /// This is for cutting a stream into values before anybody reads them. It goes from head to head, without a depth:
  /// whether the value is nested too deep is for ``validate(_:)``.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when a byte begins no value, or more values are counted than any
  ///   input holds.
  /// - Complexity: O(heads of the value), without allocation.
  package static func byteCountOfFirstValue(in bytes: RawSpan) throws(FuseError) -> Int? {
    let count = bytes.byteCount
    var offset = 0
    var pending = 1
    while pending > 0 {
      guard offset < count else { return nil }
      let start = offset
      let first = bytes.loadInside(at: start, as: UInt8.self)
      pending -= 1
      offset += 1
      // How many bytes the length or count after the first byte has.
      let width: Int
      switch first {
      case 0x00...0x7F, 0xE0...0xFF, 0xC0, 0xC2, 0xC3: continue
      case 0x80...0x8F: pending += 2 * Int(first & 0x0F); continue
      case 0x90...0x9F: pending += Int(first & 0x0F); continue
      case 0xA0...0xBF: offset += Int(first & 0x1F); continue
      case 0xCC, 0xD0: offset += 1; continue
      case 0xCD, 0xD1: offset += 2; continue
      case 0xCA, 0xCE, 0xD2: offset += 4; continue
      case 0xCB, 0xCF, 0xD3: offset += 8; continue
      case 0xD4...0xD8: offset += 1 + 1 << Int(first - 0xD4); continue
      case 0xC4...0xC6: width = 1 << Int(first - 0xC4)
      case 0xC7...0xC9: width = 1 << Int(first - 0xC7)
      case 0xD9...0xDB: width = 1 << Int(first - 0xD9)
      case 0xDC...0xDD: width = 2 << Int(first - 0xDC)
      case 0xDE...0xDF: width = 2 << Int(first - 0xDE)
      default: throw .invalidValue("the byte 0xc1 begins no MessagePack value", at: start)
      }
      guard let length = length(at: offset, width: width, in: bytes) else { return nil }
      offset += width
      switch first {
      case 0xC7...0xC9: offset += 1 + length
      case 0xDC...0xDD: pending += length
      case 0xDE...0xDF: pending += 2 * length
      default: offset += length
      }
      guard pending <= mostPending else {
        throw .invalidValue("arrays and maps count more values than any input holds", at: start)
      }
    }
    return offset <= count ? offset : nil
  }

  private static func length(at offset: Int, width: Int, in bytes: RawSpan) -> Int? {
    switch width {
    case 1: bytes.load(at: offset, as: UInt8.self).map { Int($0) }
    case 2: bytes.load(at: offset, as: UInt16.self).map { Int($0) }
    default: bytes.load(at: offset, as: UInt32.self).map { Int($0) }
    }
  }
}

/// The members of a map with text keys: where names and values stand. Reading another map reuses the memory.
package struct MessagePackMembers {
  /// Where each name's text stands.
  package private(set) var names: [Range<Int>] = []
  /// Where each value stands.
  package private(set) var values: [Range<Int>] = []

  package init() {}

  /// Finds the members of `messagePack`; false when it is no map, or one with a key that is not UTF-8 text.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when the bytes are not one MessagePack value.
  package mutating func read(_ messagePack: RawSpan) throws(FuseError) -> Bool {
    names.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
    try MessagePackCursor.validate(messagePack)
    var cursor = MessagePackCursor(messagePack)
    guard case .map(let count) = try cursor.readHead() else { return false }
    for _ in 0..<count {
      guard let name = try cursor.readText(), name.isUTF8 else { return false }
      names.append(cursor.offset - name.byteCount..<cursor.offset)
      let start = cursor.offset
      try cursor.skipValue()
      values.append(start..<cursor.offset)
    }
    return true
  }
}
