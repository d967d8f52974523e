/// A place inside a value: names of map entries and numbers of array elements, one inside the other.
package struct MessagePackPath: Equatable {
  /// What to look for at each level.
  package let steps: [[UInt8]]

  /// Takes `text` apart at its dots; behind a backslash, any character is part of a name.
  package init(_ text: [UInt8]) {
    var steps: [[UInt8]] = [[]]
    var isEscaped = false
    for byte in text {
      switch byte {
      case UInt8(ascii: "\\") where !isEscaped:
        isEscaped = true
        continue
      case UInt8(ascii: ".") where !isEscaped: steps.append([])
      default: steps[steps.count - 1].append(byte)
      }
      isEscaped = false
    }
    self.steps = steps
  }

  /// Where the value stands that the path leads to, or nil when it leads nowhere. Values beside the way are passed
  /// over, not decoded.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` when the bytes are not one MessagePack value.
  package func range(in messagePack: RawSpan) throws(FuseError) -> Range<Int>? {
    try MessagePackCursor.validate(messagePack)
    var start = 0
    for step in steps {
      guard let next = try Self.child(step, at: start, of: messagePack) else { return nil }
      start = next
    }
    var cursor = MessagePackCursor(messagePack, at: start)
    try cursor.skipValue()
    return start..<cursor.offset
  }

  /// Where the child begins that `step` names.
  private static func child(_ step: [UInt8], at start: Int, of messagePack: RawSpan) throws(FuseError) -> Int? {
    var cursor = MessagePackCursor(messagePack, at: start)
    switch try cursor.readHead() {
    case .map(let count):
      var found: Int?
      for _ in 0..<count {
        let isStep = try cursor.readText()?.equals(step.rawSpan) ?? false
        // Of equal names the last counts, as for whoever decodes the map into a dictionary.
        if isStep { found = cursor.offset }
        try cursor.skipValue()
      }
      return found
    case .array(let count):
      guard let number = elementNumber(step), number < count else { return nil }
      for _ in 0..<number { try cursor.skipValue() }
      return cursor.offset
    default: return nil
    }
  }

  private static func elementNumber(_ step: [UInt8]) -> Int? {
    guard step.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else { return nil }
    return Int(String(decoding: step, as: UTF8.self))
  }
}
