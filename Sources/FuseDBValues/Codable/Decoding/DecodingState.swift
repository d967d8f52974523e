internal import FuseDBFormat

/// The bytes of a value that is being decoded.
///
/// All decoders and containers of one value share it. They hold places in the bytes, and no bytes: when the value is
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
    // SAFETY: the pointer is only kept here; whoever makes the state calls `end` before the bytes go.
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
  /// Begins after the member that was found last, so that whoever asks in the order of the bytes finds each at once. That is
  /// kept for the map decoded last at each depth, so that members don't make their map forget.
  ///
  /// - Parameter depth: that of the state, when the map's decoding began.
  func value(of name: RawSpan, number: Int?, first: Int, count: Int, depth: Int) -> Int? {
    let place = depth & 7
    let last = lastMembers[place]
    let isKnown = last.first == first
    let begin = isKnown ? last.number + 1 : 0
    if let found = value(
      of: name, number: number, in: begin..<max(begin, count), at: isKnown ? end(ofValueAt: last.value) : first)
    {
      lastMembers[place] = LastMember(first: first, number: found.member, value: found.value)
      return found.value
    }
    guard begin > 0, let found = value(of: name, number: number, in: 0..<begin, at: first) else { return nil }
    lastMembers[place] = LastMember(first: first, number: found.member, value: found.value)
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
