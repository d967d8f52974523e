internal import CSimdjson
package import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

// SAFETY: the parser is made in init, freed in deinit and used by one thread at a time; nil is turned away. It reads a
// text and `padding` bytes after it, which the precondition of `withNode` puts inside the span.
/// Parses JSON texts with simdjson, one after the other. See spec/decisions/0001-layers-and-dependencies.md.
@safe
package final class JSONParser {
  /// Readable bytes that a text parsed in place must have after it.
  package static let padding = fuse_json_padding()
  /// Deep enough for any value of 128 levels, each spelled with three.
  private static let nesting = 3 * FormatLimits.nesting + 16

  /// Nil where memory was short.
  private let parser: OpaquePointer?

  package init() { unsafe parser = fuse_json_parser_create(Self.nesting) }

  deinit { if let parser = unsafe parser { unsafe fuse_json_parser_destroy(parser) } }

  /// The length of the longest text that it has memory for.
  package var capacity: Int { if let parser = unsafe parser { unsafe fuse_json_capacity(parser) } else { 0 } }

  /// How many values the text in `range` has at most, if it is JSON: the commas and brackets outside of strings say so.
  package static func valueCount(_ bytes: RawSpan, _ range: Range<Int>) -> Int {
    let text = bytes.extracting(range)
    // SAFETY: the count is of the span's bytes.
    return unsafe text.withUnsafeBytes { unsafe fuse_json_value_count($0.baseAddress, $0.count) }
  }

  /// What ends a record of a JSON document.
  package enum Stop {
    /// Nothing yet; the comma after it; the bracket that closes the list around it; its own last bracket.
    case more, comma, close, value
  }

  /// Where the record ends that begins in `range`, and what ends it: a comma or bracket, which is not part of it, or in a
  /// list its own bracket, which is. Strings and brackets are looked at, and nothing else.
  package static func elementEnd(_ bytes: RawSpan, _ range: Range<Int>, isList: Bool) -> (stop: Stop, offset: Int) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.byteCount, "the text lies inside the bytes")
    guard !range.isEmpty else { return (.more, range.upperBound) }
    var offset = 0
    // SAFETY: the range is one of the span's bytes, by the precondition.
    let stop = unsafe bytes.withUnsafeBytes { bytes in
      unsafe fuse_json_element_end(bytes.baseAddress!, range.lowerBound, range.upperBound, isList, &offset)
    }
    switch stop {
    case fuse_json_comma: return (.comma, offset)
    case fuse_json_close: return (.close, offset)
    case fuse_json_value: return (.value, offset)
    default: return (.more, offset)
    }
  }

  /// Calls `body` with the value that `bytes` spells in `range`.
  ///
  /// - Precondition: ``padding`` bytes follow the range.
  /// - Throws: ``FuseError`` with code `invalidValue` when the text is not JSON; and what `body` throws.
  package func withNode<Result>(
    of bytes: RawSpan, _ range: Range<Int>, _ body: (JSONNode) throws(FuseError) -> Result
  ) throws(FuseError) -> Result {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= bytes.byteCount &- Self.padding, "the text lacks its padding")
    guard let parser = unsafe parser else { throw Self.outOfMemory }
    if range.count >= MemoryRoom.leastByteCount { try checkRoom(for: range.count) }
    // SAFETY: the precondition keeps the parser inside the span, which lives until this call returns, as does the
    // tape.
    let parsed = unsafe bytes.withUnsafeBytes { bytes in
      unsafe fuse_json_parse(
        parser, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + range.lowerBound, range.count)
    }
    guard let tape = unsafe parsed.tape, let strings = unsafe parsed.strings else {
      if unsafe parsed.lacksMemory { throw Self.outOfMemory }
      throw .invalidValue("not JSON: \(unsafe String(cString: parsed.error))", at: 0)
    }
    return try body(unsafe JSONNode(tape: tape, strings: strings, index: 1))
  }

  /// Throws where memory is too short for a text that is longer than all before: the parser takes up to 14 bytes for
  /// each of it, and rounds up to a power of two.
  private func checkRoom(for byteCount: Int) throws(FuseError) {
    if byteCount > capacity { try MemoryRoom.check(28 * byteCount) }
  }

  private static var outOfMemory: FuseError { .outOfMemory("parse JSON") }

  /// Calls `body` with the value that `text` spells.
  ///
  /// - Throws: as ``withNode(of:_:_:)``.
  package func withNode<Result>(
    of text: RawSpan, _ body: (JSONNode) throws(FuseError) -> Result
  ) throws(FuseError) -> Result {
    var bytes = text.array()
    bytes.append(contentsOf: repeatElement(0, count: Self.padding))
    return try withNode(of: bytes.rawSpan, 0..<text.byteCount, body)
  }
}

// SAFETY: a node is used inside the body of `withNode` alone, before its parser parses again. `index` is that of a
// node: the root's, or one that the tape itself leads to, and simdjson ends the tape after the root.
/// A value on simdjson's tape, valid until its parser parses again.
///
/// The tape is simdjson's own documented form: a word a node with its type in the top byte, numbers in a second word,
/// strings beside the tape after their 32-bit length, containers with the index of the word after their end and their
/// (saturated) count.
@safe
package struct JSONNode {
  // SAFETY: `index` is that of a node: 1 is the root's, and the others come from `next` and `firstChild`.
  private let tape: UnsafePointer<UInt64>
  private let strings: UnsafePointer<UInt8>
  private let index: Int

  init(tape: UnsafePointer<UInt64>, strings: UnsafePointer<UInt8>, index: Int) {
    unsafe self.tape = tape
    unsafe self.strings = strings
    self.index = index
  }

  /// What a node is.
  package enum Kind { case null, bool(Bool), signed(Int64), unsigned(UInt64), double(UInt64), string, array, object }

  private var word: UInt64 { unsafe tape[index] }
  private var payload: Int { Int(word & 0x00FF_FFFF_FFFF_FFFF) }
  private func at(_ index: Int) -> JSONNode { unsafe JSONNode(tape: tape, strings: strings, index: index) }

  package var kind: Kind {
    switch UInt8(word >> 56) {
    case UInt8(ascii: "n"): .null
    case UInt8(ascii: "t"): .bool(true)
    case UInt8(ascii: "f"): .bool(false)
    case UInt8(ascii: "l"): .signed(Int64(bitPattern: unsafe tape[index + 1]))
    case UInt8(ascii: "u"): .unsigned(unsafe tape[index + 1])
    case UInt8(ascii: "d"): .double(unsafe tape[index + 1])
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "["): .array
    default: .object
    }
  }

  /// After this value and all inside it.
  private var next: Int {
    switch kind {
    case .signed, .unsigned, .double: index + 2
    case .array, .object: payload & 0xFFFF_FFFF
    default: index + 1
    }
  }

  /// The text of a string.
  /// - Precondition: this is one.
  package var text: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: the parser put a length in native order and that many bytes at the offset that the tape has.
      let start = unsafe UnsafeRawPointer(strings + payload)
      let byteCount = unsafe start.loadUnaligned(as: UInt32.self)
      return unsafe _overrideLifetime(RawSpan(_unsafeStart: start + 4, byteCount: Int(byteCount)), borrowing: self)
    }
  }

  /// Calls `body` with each value of an array.
  package func forEachElement(_ body: (JSONNode) throws(FuseError) -> Void) throws(FuseError) {
    let end = (payload & 0xFFFF_FFFF) - 1
    var child = index + 1
    while child < end {
      try body(at(child))
      child = at(child).next
    }
  }

  /// Calls `body` with the name and the value of each member of an object.
  package func forEachMember(
    _ body: (_ name: RawSpan, _ value: JSONNode) throws(FuseError) -> Void
  ) throws(FuseError) {
    let end = (payload & 0xFFFF_FFFF) - 1
    var child = index + 1
    while child < end {
      let name = at(child)
      let value = at(child + 1)
      try body(name.text, value)
      child = value.next
    }
  }

  /// Calls `body` with the name, a string, and the value of each member of an object.
  package func forEachMemberNode(
    _ body: (_ name: JSONNode, _ value: JSONNode) throws(FuseError) -> Void
  ) throws(FuseError) {
    let end = (payload & 0xFFFF_FFFF) - 1
    var child = index + 1
    while child < end {
      let value = at(child + 1)
      try body(at(child), value)
      child = value.next
    }
  }

  /// The number of values in an array, or of members in an object.
  package var count: Int {
    // The tape's own count saturates at 2^24 - 1.
    let counted = payload >> 32
    guard counted == 0xFF_FFFF else { return counted }
    let end = (payload & 0xFFFF_FFFF) - 1
    var child = index + 1
    var count = 0
    var isObject = false
    if case .object = kind { isObject = true }
    while child < end {
      child = at(isObject ? child + 1 : child).next
      count += 1
    }
    return count
  }

  /// The array's values at the given number.
  /// - Precondition: `number` is below ``count``.
  package func element(_ number: Int) -> JSONNode {
    var child = index + 1
    for _ in 0..<number { child = at(child).next }
    return at(child)
  }
}
