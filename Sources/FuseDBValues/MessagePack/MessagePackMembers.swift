package import FuseDBFormat

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
