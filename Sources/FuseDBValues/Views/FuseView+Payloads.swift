// Values with a payload: text, bytes, extensions. [W19]
internal import FuseDBFormat

extension FuseView {
  /// A copy of a string, or nil for anything else, and for a string whose bytes are not UTF-8; ``stringBytes`` reads those.
  ///
  /// - Complexity: O(bytes). It allocates for more than 15 bytes.
  public var string: String? {
    guard let text = stringBytes else { return nil }
    return String(payload: text)
  }

  /// The bytes of a string in place, UTF-8 or not, or nil for anything else.
  public var stringBytes: RawSpan? {
    @_lifetime(copy self)
    get { payload(.string) }
  }

  /// The bytes of a binary in place, or nil for anything else.
  public var bytes: RawSpan? {
    @_lifetime(copy self)
    get { payload(.binary) }
  }

  /// The type of an extension, also of one that is a ``timestamp``, or nil for anything else.
  public var extensionType: Int8? {
    let head = head
    return head.kind == .extension ? Int8(truncatingIfNeeded: head.bits) : nil
  }

  /// The payload of an extension in place, also of one that is a ``timestamp``, or nil for anything else.
  public var extensionPayload: RawSpan? {
    @_lifetime(copy self)
    get { payload(.extension) }
  }

  @inline(__always)
  @_lifetime(copy self)
  private func payload(_ kind: MessagePackHead.Kind) -> RawSpan? {
    let head = head
    guard head.kind == kind else { return nil }
    return payload(of: head)
  }
}
