internal import FuseDBFormat
internal import FuseDBValues

// One field of an object, in place.

extension CompactLayout {
  /// Appends the MessagePack of what stands at a path, and says whether anything does.
  func field(
    _ path: FusePath, of reference: UInt64, in file: RawSpan, inSteps: Bool, into out: inout [UInt8]
  ) throws(FuseError) -> Bool {
    if !inSteps, let isFound = fieldQuickly(path, of: reference, in: file, into: &out) { return isFound }
    return try fieldInSteps(path, of: reference, in: file, into: &out)
  }

  @inline(never)
  private func fieldInSteps(
    _ path: FusePath, of reference: UInt64, in file: RawSpan, into out: inout [UInt8]
  ) throws(FuseError) -> Bool {
    var cursor = CompactCursor(file, try row(reference, in: file))
    var depth = 0
    // What stands in a part is no longer than one.
    var limit = out.count + FormatLimits.objectByteCount
    for (number, step) in path.steps.enumerated() {
      var head = try CompactHead(&cursor)
      if case .part(let part) = head {
        cursor = CompactCursor(file, try parts.item(part, in: file))
        _ = try cursor.varint()
        limit = out.count + CompactForm.partByteCounts.upperBound
        head = try CompactHead(&cursor)
      }
      switch head {
      case .array(let count):
        guard let index = step.number, index < count else { return false }
        for _ in 0..<index { try skip(&cursor, depth: depth + 1) }
      case .shape(let shape):
        guard try enter(shape, name: step.name, &cursor, depth: depth + 1) else { return false }
      case .map(let count):
        guard try enter(count, name: step.name, &cursor, depth: depth + 1) else { return false }
      case .raw:
        let value = try cursor.takeMessagePack(nesting: FormatLimits.nesting - depth)
        return try messagePackField(path.steps[number...], of: value, in: file, into: &out)
      case .part: throw .corrupted("a part is nothing but another part", at: cursor.at)
      default: return false
      }
      depth += 1
    }
    try expand(&cursor, depth: depth, isPart: false, limit: limit, into: &out)
    return true
  }

  /// Passes over a value; a part is not followed.
  @_lifetime(cursor: copy cursor)
  private func skip(_ cursor: inout CompactCursor, depth: Int) throws(FuseError) {
    switch try CompactHead(&cursor) {
    case .integer, .null, .no, .yes, .part: return
    case .decimal: _ = try cursor.take(try Self.decimalByteCount(&cursor).count)
    case .raw: _ = try cursor.takeMessagePack(nesting: FormatLimits.nesting &- depth)
    case .text(let count): _ = try cursor.take(count)
    case .array(let count): try skip(count, &cursor, depth: depth)
    case .shape(let number):
      let shape = try shapes.item(number, in: cursor.file)
      let count = try nameCount(ofShape: shape, in: cursor.file)
      try skip(count, &cursor, depth: depth)
    case .map(let count):
      guard depth < FormatLimits.nesting else { throw Self.tooDeep(cursor.at) }
      for _ in 0..<count {
        _ = try cursor.takeMessagePack(nesting: FormatLimits.nesting &- depth &- 1)
        try skip(&cursor, depth: depth &+ 1)
      }
    }
  }

  /// Passes over the values of an array or a map, which stands in `depth` others.
  @_lifetime(cursor: copy cursor)
  private func skip(_ count: Int, _ cursor: inout CompactCursor, depth: Int) throws(FuseError) {
    guard depth < FormatLimits.nesting else { throw Self.tooDeep(cursor.at) }
    for _ in 0..<count { try skip(&cursor, depth: depth &+ 1) }
  }

  /// Goes to the value under a name of a map with a shape, whose names differ.
  @_lifetime(cursor: copy cursor)
  private func enter(
    _ number: UInt64, name: [UInt8], _ cursor: inout CompactCursor, depth: Int
  ) throws(FuseError) -> Bool {
    let file = cursor.file
    var names = CompactCursor(file, try shapes.item(number, in: file))
    var place = 0
    while names.left > 0 {
      let each = try names.takeName()
      if file.extracting(each.text).equals(name) {
        for _ in 0..<place { try skip(&cursor, depth: depth) }
        return true
      }
      place += 1
    }
    return false
  }

  /// Goes to the value that stands last under a name of a map that has its own.
  @_lifetime(cursor: copy cursor)
  private func enter(
    _ count: Int, name: [UInt8], _ cursor: inout CompactCursor, depth: Int
  ) throws(FuseError) -> Bool {
    let file = cursor.file
    var found: Int?
    for _ in 0..<count {
      let each = try cursor.takeMessagePack(nesting: FormatLimits.nesting &- depth)
      if Self.isText(each, name, in: file) { found = cursor.at }
      try skip(&cursor, depth: depth)
    }
    guard let found else { return false }
    cursor = CompactCursor(file, found..<cursor.end)
    return true
  }

  /// Whether a value of MessagePack is this text, however its length is written.
  private static func isText(_ value: Range<Int>, _ text: [UInt8], in file: RawSpan) -> Bool {
    var cursor = MessagePackCursor(file.extracting(value))
    guard let found = try? cursor.readHead(), case .string(text.count) = found else { return false }
    return cursor.readPayload(byteCount: text.count).equals(text)
  }

  /// The same inside of a value that stands as MessagePack.
  private func messagePackField(
    _ steps: ArraySlice<FusePath.Step>, of value: Range<Int>, in file: RawSpan, into out: inout [UInt8]
  ) throws(FuseError) -> Bool {
    do {
      var cursor = MessagePackCursor(file.extracting(value))
      for step in steps {
        switch try cursor.readHead() {
        case .array(let count):
          guard let index = step.number, index < count else { return false }
          for _ in 0..<index { try cursor.skipValue() }
        case .map(let count):
          var found: Int?
          for _ in 0..<count {
            let name = try cursor.readText()
            if let name, name.equals(step.name) { found = cursor.offset }
            try cursor.skipValue()
          }
          guard let found else { return false }
          cursor = MessagePackCursor(file.extracting(value), at: found)
        default: return false
        }
      }
      let start = cursor.offset
      try cursor.skipValue()
      out.append(file.extracting(value.lowerBound + start..<value.lowerBound + cursor.offset))
      return true
    } catch {
      throw .corrupted("what should be MessagePack is not: \(error.message)", at: value.lowerBound)
    }
  }
}
