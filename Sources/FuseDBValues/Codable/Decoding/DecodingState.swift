internal import FuseDBFormat

/// The bytes of a value that is being decoded.
///
/// All decoders and containers of one value share it. They hold offsets of the bytes, and no bytes: when the value is
/// decoded, the state forgets them, and who kept a container is told that there is nothing.
@safe
final class DecodingState {
  let decoder: FuseDecoder
  // SAFETY: given at init, good until `end`; read by `bytes` alone.
  private var start: UnsafeRawPointer?
  private var byteCount: Int
  private var lastMembers = InlineArray<8, LastMember>(repeating: LastMember())
  /// The way to the value whose coding path was asked for last.
  var lastPath: [PathStep] = []
  /// How many values are being decoded by their types inside each other.
  var depth = 0

  /// Which member of a map was found last: the next one asked for is mostly the one after it.
  private struct LastMember {
    /// Where the map's first key is.
    var first = -1
    var number = 0
    /// Where the member's value is.
    var value = 0
  }

  @unsafe
  init(_ decoder: FuseDecoder, _ bytes: UnsafeRawBufferPointer) {
    self.decoder = decoder
    // SAFETY: the pointer is only kept here; the maker of the state calls `end` before the bytes go.
    unsafe start = bytes.baseAddress
    byteCount = bytes.count
  }

  /// Forgets the bytes.
  func end() {
    // SAFETY: no pointer and no bytes: nothing is left that could be read.
    unsafe start = nil
    byteCount = 0
  }

  /// The bytes; none when the value is decoded.
  @inline(__always)
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: `end` is called before the bytes go, by the function that decodes; this object's users are inside it.
      unsafe _overrideLifetime(
        RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: start, count: byteCount)), borrowing: self)
    }
  }

  /// The head of the value at `offset`.
  @inline(__always)
  func head(at offset: Int) -> MessagePackHead { MessagePackHead(at: offset, in: bytes) }

  /// Where the value at `offset` ends.
  @inline(__always)
  func end(ofValueAt offset: Int) -> Int { MessagePackHead.end(ofValueAt: offset, in: bytes) }

  // MARK: Members of maps

  /// Where the value of the member `name` stands, in a map of `count` pairs whose first key is at `first`.
  ///
  /// Begins after the member that was found last, so that asking in the order of the bytes finds each at once. That is
  /// kept for the map decoded last at each depth, so that members don't make their map forget.
  ///
  /// - Parameter depth: that of the state, when the map's decoding began.
  func value(of name: RawSpan, number: Int?, first: Int, count: Int, depth: Int) -> Int? {
    let index = depth & 7
    let last = lastMembers[index]
    let isKnown = last.first == first
    let begin = isKnown ? last.number + 1 : 0
    if let found = value(
      of: name, number: number, in: begin..<max(begin, count), at: isKnown ? end(ofValueAt: last.value) : first)
    {
      lastMembers[index] = LastMember(first: first, number: found.member, value: found.value)
      return found.value
    }
    guard begin > 0, let found = value(of: name, number: number, in: 0..<begin, at: first) else { return nil }
    lastMembers[index] = LastMember(first: first, number: found.member, value: found.value)
    return found.value
  }

  @inline(__always)
  private func value(
    of name: RawSpan, number: Int?, in members: Range<Int>, at start: Int
  ) -> (member: Int, value: Int)? {
    var offset = start
    let bytes = bytes
    for member in members {
      let key = MessagePackHead(at: offset, in: bytes)
      let value: Int
      switch key.kind {
      case .string:
        value = key.end &+ key.count
        guard value <= bytes.byteCount else { return nil }
        if key.count == name.byteCount, bytes.extracting(key.end..<value).equals(name) { return (member, value) }
      case .nothing: return nil
      case .unsigned, .signed:
        value = key.end
        if let number, key.integer(Int.self) == number { return (member, value) }
      default: value = MessagePackHead.end(ofValueAt: offset, in: bytes)
      }
      offset = MessagePackHead.end(ofValueAt: value, in: bytes)
    }
    return nil
  }
}

// Types of Foundation, from what they decode themselves.

extension DecodingState {
  /// A `Date`, from the one float64 that it decodes itself.
  func date<T: Decodable>(_ type: T.Type, at offset: Int) throws -> T {
    let seconds: Double
    switch decoder.dates {
    case .own: return try T(from: ValueDecoder(state: self, offset: offset))
    case .timestamp: seconds = FuseDateStrategy.referenceSeconds(of: try timestamp(at: offset))
    case .secondsSince1970: seconds = try double(at: offset) - FuseDateStrategy.reference
    case .text:
      guard let time = FuseTimestamp(try string(at: offset)) else {
        throw corrupted("this is no time by RFC 3339, such as 2026-11-21T16:11:12Z", at: offset)
      }
      seconds = FuseDateStrategy.referenceSeconds(of: time)
    }
    let packer = MessagePackPacker()
    packer.pack(float64: seconds.bitPattern)
    return try FuseDecoder(dates: .own).decode(type, fromValid: packer.bytes)
  }

  /// A `URL`, from the map that it decodes itself, in which a text stands for the URL.
  func url<T: Decodable>(_ type: T.Type, at offset: Int) throws -> T {
    let head = head(at: offset)
    if head.kind == .map { return try T(from: ValueDecoder(state: self, offset: offset)) }
    guard let text = text(head) else { throw mismatch(type, at: offset, expected: "the text of a URL") }
    let packer = MessagePackPacker()
    packer.packMap(count: 1)
    packer.pack(text: "relative")
    packer.pack(text: text)
    guard let url = try? decoder.decode(type, fromValid: packer.bytes) else {
      throw corrupted("the text \(quoted(text.keyBytes)) is no URL", at: offset)
    }
    return url
  }
}

/// One step of the way to the value whose coding path was asked for last.
struct PathStep {
  /// Where the map or the array begins.
  let container: Int
  /// The element or pair that the way goes through, where it begins, and its value.
  var number = 0
  var element: Int
  var value = 0
  /// Where that ends; 0 where nothing was looked at.
  var end = 0
}

extension DecodingState {
  /// The steps from the whole value to the one at `offset`.
  ///
  /// - Complexity: O(heads before it). A caller that goes forward through a value, and tries what each element is, pays
  ///   that once for all: at each level, the search goes on where it was last.
  func codingPath(to offset: Int) -> [any CodingKey] {
    var path: [any CodingKey] = []
    var here = 0
    while here < offset {
      let head = head(at: here)
      guard head.kind == .map || head.kind == .array else { break }
      let level = path.count
      var step = PathStep(container: here, element: head.end)
      if level < lastPath.count, lastPath[level].container == here, lastPath[level].element <= offset {
        step = lastPath[level]
      }
      while step.end <= offset {
        if step.end > 0 {
          step.number += 1
          step.element = step.end
        }
        guard step.number < head.count else { return path }
        step.value = head.kind == .map ? end(ofValueAt: step.element) : step.element
        step.end = end(ofValueAt: step.value)
        guard step.end > step.element else { return path }
      }
      lastPath.removeSubrange(min(level, lastPath.count)...)
      lastPath.append(step)
      path.append(head.kind == .map ? key(at: step.element) : PathKey(index: step.number))
      here = step.value
    }
    return path
  }

  /// The key of a map's pair, as a coding path shows it.
  func key(at offset: Int) -> any CodingKey {
    let head = head(at: offset)
    if let text = text(head) { return PathKey(stringValue: text) }
    if let number = head.integer(Int.self) { return PathKey(intValue: number) }
    let key = bytes.extracting(offset..<max(offset, end(ofValueAt: offset)))
    return PathKey(stringValue: (try? FuseJSON.text(from: key)) ?? "")
  }
}
