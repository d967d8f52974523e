public import FuseDBFormat

/// A value in place: one MessagePack value, each part of which is decoded when it is asked for.
///
///     try reader.withValue(forKey: "8.8.8.8") { value in
///       value["org"]?.string          // "Google LLC"
///       value["tags"]?[1]?.string     // "dns"
///       value["asn"]?.string          // nil: it is an integer
///     }
///
/// The bytes were checked when the view was made, so nothing here throws: what is absent, or of another type, is nil.
/// No accessor converts: ``int`` of 3.0 is nil. But ``double`` of 3 is 3.0, as every number is a ``double`` or a
/// ``float`` that is exactly the same in it. Only ``string`` and ``json`` allocate.
///
/// The compiler keeps a view inside the scope of its bytes. See spec/values.md §5.
@safe
public struct FuseView: ~Escapable {
  /// They begin with the value, and may go on after it: where it ends is found when it is asked for. None of a value in a row.
  let base: RawSpan
  // SAFETY: a node of a scope, which whoever made the first view keeps for as long as its views.
  /// Where the value of a compact file is; nil where it is MessagePack.
  let row: UnsafePointer<RowNode>?

  /// A view of bytes that begin with a value of which ``MessagePackCursor/validate(_:)`` holds.
  @inline(__always)
  @_lifetime(copy bytes)
  package init(validated bytes: RawSpan) {
    base = bytes
    // SAFETY: there is no node that could be gone.
    unsafe row = nil
  }

  // SAFETY: the caller makes the view depend on the node's scope.
  /// A view of a value of a compact file.
  @unsafe
  @_lifetime(immortal)
  init(row: UnsafePointer<RowNode>) {
    base = RawSpan()
    unsafe self.row = row
  }

  // SAFETY: the address is compared with none.
  /// Whether the value is one of a compact file, which is not MessagePack.
  @inline(__always)
  var isRow: Bool { unsafe row != nil }

  /// The same value as MessagePack.
  var plain: FuseView {
    @_lifetime(copy self)
    @inline(never)
    get {
      guard let row = unsafe row else { return self }
      // SAFETY: what is expanded stays as long as the scope, and this view no longer.
      let bytes = unsafe RowScope.expanded(row)
      return unsafe _overrideLifetime(FuseView(validated: RawSpan(_unsafeBytes: bytes)), copying: self)
    }
  }

  /// The value under a name, or of a number, in a value of a compact file.
  ///
  /// - Parameters:
  ///   - name: what to look for in a map; nil for nothing.
  ///   - index: what to look for in an array; -1 for nothing.
  @_lifetime(copy self)
  @inline(never)
  func entered(name: RawSpan?, index: Int) -> FuseView? {
    guard let row = unsafe row else { return nil }
    // SAFETY: a node that is found is one of the same scope.
    switch unsafe RowScope.enter(row, name: name, index: index) {
    case .there(let node): return unsafe _overrideLifetime(FuseView(row: node), copying: self)
    case .absent: return nil
    case .elsewhere:
      let plain = plain
      guard let name, plain.head.kind == .map else { return plain[index] }
      return plain[name: name]
    }
  }

  /// A view of `bytes`, which must be exactly one MessagePack value. [W9]
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` and the offset, when they are not, or when arrays and maps are nested
  ///   deeper than 128 levels.
  /// - Complexity: O(heads of the value), without allocation.
  @_lifetime(copy bytes)
  public init(validating bytes: RawSpan) throws(FuseError) {
    try MessagePackCursor.validate(bytes)
    self.init(validated: bytes)
  }

  /// The same, in a third of the time; nil where it takes the long way to see whether `bytes` are a value.
  @usableFromInline
  @inline(__always)
  @_lifetime(copy bytes)
  package init?(plain bytes: RawSpan) {
    guard MessagePackCursor.isPlainValue(bytes) else { return nil }
    self.init(validated: bytes)
  }

  /// What stands at the beginning.
  @inline(__always)
  var head: MessagePackHead { MessagePackHead(at: 0, in: base) }

  /// The value at `offset`; nil where the bytes end, as they may do only if they were changed since they were checked.
  @inline(__always)
  @_lifetime(copy self)
  func view(at offset: Int) -> FuseView? {
    guard offset >= 0, offset < base.byteCount else { return nil }
    return FuseView(validated: base.extracting(droppingFirst: offset))
  }

  /// The payload of a string, a binary or an extension; nil where it would run past the bytes.
  @inline(__always)
  @_lifetime(copy self)
  func payload(of head: MessagePackHead) -> RawSpan? {
    guard head.count <= base.byteCount &- head.end else { return nil }
    return base.extracting(head.end..<head.end &+ head.count)
  }
}

extension FuseView {
  /// The bytes of this value, in place.
  ///
  /// - Complexity: O(heads of the value).
  public var messagePack: RawSpan {
    @_lifetime(copy self)
    get {
      if isRow { return plain.messagePack }
      return base.extracting(first: MessagePackHead.end(ofValueAt: 0, in: base))
    }
  }

  /// The value as JSON on one line, in the exact and reversible spelling of spec/json.md.
  ///
  /// - Complexity: O(bytes of the value).
  public var json: String {
    var writer = JSONWriter()
    do {
      try writer.append(self)
    } catch {
      // The mapped file was overwritten since the bytes were checked.
      return "null"
    }
    return String(decoding: writer.out, as: UTF8.self)
  }
}

/// What a value is.
public enum FuseValueKind: Sendable, Hashable {
  /// Nil.
  case null
  /// True or false.
  case bool
  /// An integer of any width and either sign: one type.
  case integer
  /// A float of 32 bits.
  case float
  /// A float of 64 bits.
  case double
  /// Text, in most cases: its bytes may be no UTF-8.
  case string
  /// Bytes that are no text.
  case bytes
  /// Values in order.
  case array
  /// Pairs of a key and a value, in order.
  case map
  /// An extension of type -1 that says a moment.
  case timestamp
  /// Any other extension.
  case `extension`
}
