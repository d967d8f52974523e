internal import FuseDB

/// Goes over a line of JSON once: checks that it is JSON, by RFC 8259, and finds the members that matter.
///
/// Whether text is UTF-8 is checked elsewhere, for many lines at once. Numbers are taken as they are written, of any size. Of members with one name
/// the last one counts.
struct JSONLineScanner {
  /// Where a member stands in the line.
  struct Place {
    fileprivate var line = 0
    /// The first byte of its value.
    fileprivate(set) var start = 0
    /// After its value.
    fileprivate(set) var end = 0
    /// Of an array or object: after its last element, or after the bracket that opens it.
    fileprivate(set) var contentEnd = 0
    /// Of an array or object: whether it has no elements.
    fileprivate(set) var isEmpty = false
    /// Whether it is an object.
    fileprivate(set) var isObject = false
    /// Of a string: whether it has escapes.
    fileprivate(set) var hasEscapes = false

    var range: Range<Int> { start..<end }
  }

  /// An array or object that is open.
  private struct Level {
    var node = 0
    var child = 0
    var start = 0
    var index = 0
    var isObject = false
  }

  /// How deep arrays and objects may be nested.
  static let mostLevels = 1024
  /// So many bytes after a line must be readable, the first of them a line feed.
  static let padding = RawSpan.plainTextByteCount

  let wanted: WantedPaths
  private let names: WantedNames
  private var places: [Place]
  private var levels: [Level]
  /// The number of the line among those that were scanned, from 1.
  private var line = 0
  /// Why the last line is no JSON: where that shows, and the end of a sentence.
  private(set) var flaw: (offset: Int, reason: StaticString) = (0, "")

  init(_ wanted: WantedPaths) {
    self.wanted = wanted
    names = WantedNames(wanted)
    places = [Place](repeating: Place(), count: wanted.nodes.count)
    levels = [Level](repeating: Level(), count: Self.mostLevels)
  }

  /// Where a wanted member stands in the line that was scanned last; nil where the line has none.
  @inline(__always)
  func place(of node: Int) -> Place? { places[node].line == line ? places[node] : nil }

  /// Scans the line from `start` on, which a line feed ends. Returns where that is, or nil where the line is no JSON: ``flaw`` says why.
  mutating func scan(_ bytes: RawSpan, from start: Int) -> Int? {
    line &+= 1
    var offset = Self.skippingSpace(bytes, start)
    // Of the array or object that is open: the node that it is, or -1, whether it is an object, and how many elements came before.
    var depth = 0
    var node = -1
    var isObject = false
    var index = 0
    // The node that the value at hand is, or -1.
    var child = 0
    // Whether its name comes first, and the lengths of the names that matter.
    var needsName = false
    var lengths: UInt64 = 0
    while true {
      if needsName {
        guard Self.byte(bytes, offset) == UInt8(ascii: "\"") else {
          return fail(offset, "a name in double quotes is missing")
        }
        let start = offset &+ 1
        var hasEscapes = false
        offset = endOfString(bytes, offset, &hasEscapes)
        guard offset >= 0 else { return nil }
        child = -1
        if lengths != 0 {
          let name = bytes.extracting(start..<offset &- 1)
          if hasEscapes {
            child = JSONText.unescaped(name).map { names.child(of: node, named: $0.rawSpan) } ?? -1
          } else if WantedNames.has(name.byteCount, lengths) {
            child = names.child(of: node, named: name)
          }
        }
        offset = Self.skippingSpace(bytes, offset)
        guard Self.byte(bytes, offset) == UInt8(ascii: ":") else { return fail(offset, "':' is missing") }
        offset = Self.skippingSpace(bytes, offset &+ 1)
      }
      let first = Self.byte(bytes, offset)
      let valueStart = offset
      if child >= 0, places[child].line == line { forget(child) }
      switch first {
      case UInt8(ascii: "\""):
        var hasEscapes = false
        offset = endOfString(bytes, offset, &hasEscapes)
        guard offset >= 0 else { return nil }
        if child >= 0 { note(child, valueStart, offset, hasEscapes: hasEscapes) }
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard depth < Self.mostLevels else { return fail(offset, "arrays and objects are nested too deeply") }
        levels[depth] = Level(node: node, child: child, start: valueStart, index: index, isObject: isObject)
        depth &+= 1
        lengths = child >= 0 ? names.lengths(of: child) : 0
        node = lengths != 0 ? child : -1
        isObject = first == UInt8(ascii: "{")
        index = 0
        let contentStart = offset &+ 1
        offset = Self.skippingSpace(bytes, contentStart)
        guard Self.byte(bytes, offset) == first &+ 2 else {
          needsName = isObject
          if !isObject { child = node >= 0 ? wanted.child(of: node, numbered: 0) : -1 }
          continue
        }
        offset &+= 1
        depth &-= 1
        let level = levels[depth]
        if level.child >= 0 {
          note(
            level.child, valueStart, offset, contentEnd: contentStart, isEmpty: true,
            isObject: first == UInt8(ascii: "{"))
        }
        (node, index, isObject) = (level.node, level.index, level.isObject)
        lengths = node >= 0 ? names.lengths(of: node) : 0
      case UInt8(ascii: "t"): offset = endOfWord(bytes, offset, "true")
      case UInt8(ascii: "f"): offset = endOfWord(bytes, offset, "false")
      case UInt8(ascii: "n"): offset = endOfWord(bytes, offset, "null")
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): offset = endOfNumber(bytes, offset)
      default: return fail(offset, "a value is missing")
      }
      guard offset >= 0 else { return nil }
      // Strings, arrays and objects are noted already.
      if child >= 0, places[child].line != line { note(child, valueStart, offset) }

      // What follows the value: another one, or brackets that close.
      var goesOn = false
      while depth > 0 {
        let contentEnd = offset
        offset = Self.skippingSpace(bytes, offset)
        let next = Self.byte(bytes, offset)
        if next == UInt8(ascii: ",") {
          offset = Self.skippingSpace(bytes, offset &+ 1)
          needsName = isObject
          if !isObject {
            index &+= 1
            child = node >= 0 ? wanted.child(of: node, numbered: index) : -1
          }
          goesOn = true
          break
        }
        guard next == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
          return fail(offset, isObject ? "',' or '}' is missing" : "',' or ']' is missing")
        }
        offset &+= 1
        depth &-= 1
        let level = levels[depth]
        if level.child >= 0 { note(level.child, level.start, offset, contentEnd: contentEnd, isObject: isObject) }
        (node, index, isObject) = (level.node, level.index, level.isObject)
        lengths = node >= 0 ? names.lengths(of: node) : 0
      }
      if goesOn { continue }
      offset = Self.skippingSpace(bytes, offset)
      return Self.byte(bytes, offset) == UInt8(ascii: "\n") ? offset : fail(offset, "more follows the value")
    }
  }

  // MARK: Places

  private mutating func note(
    _ node: Int, _ start: Int, _ end: Int, contentEnd: Int = 0, isEmpty: Bool = false, isObject: Bool = false,
    hasEscapes: Bool = false
  ) {
    places[node] = Place(
      line: line, start: start, end: end, contentEnd: contentEnd, isEmpty: isEmpty, isObject: isObject,
      hasEscapes: hasEscapes)
  }

  /// Forgets a member and what is in it: another one has its name.
  private mutating func forget(_ node: Int) {
    places[node].line = 0
    for child in wanted.nodes[node].children { forget(child) }
  }

  // MARK: Parts of a line

  private mutating func fail(_ offset: Int, _ reason: StaticString) -> Int? {
    flaw = (offset, reason)
    return nil
  }

  /// Notes the flaw and returns -1.
  private mutating func stop(_ offset: Int, _ reason: StaticString) -> Int {
    flaw = (offset, reason)
    return -1
  }

  @inline(__always)
  private static func byte(_ bytes: RawSpan, _ offset: Int) -> UInt8 { bytes.loadInside(at: offset, as: UInt8.self) }

  /// The first offset from `offset` on that is no space; a line feed is none here.
  @inline(__always)
  private static func skippingSpace(_ bytes: RawSpan, _ offset: Int) -> Int {
    var offset = offset
    while case let byte = byte(bytes, offset), byte <= 0x20, byte == 0x20 || byte == 0x09 || byte == 0x0D {
      offset &+= 1
    }
    return offset
  }

  /// After the string at `offset`; -1 where it is none.
  @inline(__always)
  private mutating func endOfString(_ bytes: RawSpan, _ offset: Int, _ hasEscapes: inout Bool) -> Int {
    var end = offset &+ 1
    while true {
      let count = bytes.plainTextByteCount(at: end)
      end &+= count
      if count == RawSpan.plainTextByteCount { continue }
      let byte = Self.byte(bytes, end)
      if byte == UInt8(ascii: "\"") { return end &+ 1 }
      guard byte == UInt8(ascii: "\\") else {
        return stop(end, byte == UInt8(ascii: "\n") ? "'\"' is missing" : "a control character must be escaped")
      }
      hasEscapes = true
      end = endOfEscape(bytes, end)
      if end < 0 { return -1 }
    }
  }

  @inline(never)
  private mutating func endOfEscape(_ bytes: RawSpan, _ offset: Int) -> Int {
    switch Self.byte(bytes, offset + 1) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      return offset + 2
    case UInt8(ascii: "u"):
      for i in 2..<6 where JSONText.digit(Self.byte(bytes, offset + i)) == nil {
        return stop(offset + 1, "four hexadecimal digits must follow '\\u'")
      }
      return offset + 6
    case UInt8(ascii: "\n"): return stop(offset + 1, "'\"' is missing")
    default: return stop(offset + 1, "there is no such escape")
    }
  }

  private mutating func endOfWord(_ bytes: RawSpan, _ offset: Int, _ word: StaticString) -> Int {
    for i in 0..<word.utf8CodeUnitCount {
      // SAFETY: a static string has this many bytes for ever.
      guard Self.byte(bytes, offset + i) == (unsafe word.utf8Start[i]) else {
        return stop(offset, "a value is missing")
      }
    }
    return offset + word.utf8CodeUnitCount
  }

  @inline(__always)
  private mutating func endOfNumber(_ bytes: RawSpan, _ offset: Int) -> Int {
    var end = offset
    if Self.byte(bytes, end) == UInt8(ascii: "-") { end &+= 1 }
    let start = end
    end = Self.skippingDigits(bytes, end)
    guard end > start else { return stop(end, "a digit is missing") }
    guard end == start &+ 1 || Self.byte(bytes, start) != UInt8(ascii: "0") else {
      return stop(offset, "a number does not begin with 0")
    }
    if Self.byte(bytes, end) == UInt8(ascii: ".") {
      let start = end &+ 1
      end = Self.skippingDigits(bytes, start)
      guard end > start else { return stop(end, "a digit is missing") }
    }
    if Self.byte(bytes, end) | 0x20 == UInt8(ascii: "e") {
      end &+= 1
      let sign = Self.byte(bytes, end)
      if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { end &+= 1 }
      let start = end
      end = Self.skippingDigits(bytes, start)
      guard end > start else { return stop(end, "a digit is missing") }
    }
    return end
  }

  @inline(__always)
  private static func skippingDigits(_ bytes: RawSpan, _ offset: Int) -> Int {
    var offset = offset
    while byte(bytes, offset) &- UInt8(ascii: "0") < 10 { offset &+= 1 }
    return offset
  }
}
