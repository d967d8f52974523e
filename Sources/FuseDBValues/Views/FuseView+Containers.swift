// What arrays and maps hold.
public import FuseDBFormat

extension FuseView {
  /// How many elements an array has, or how many pairs a map; nil for anything else.
  public var count: Int? {
    if isRow { return plain.count }
    let head = head
    return head.kind == .array || head.kind == .map ? head.count : nil
  }

  /// The element of an array, counted from 0; nil where it has fewer, or is no array.
  ///
  /// - Complexity: O(heads before the element), without allocation.
  public subscript(index: Int) -> FuseView? {
    @_lifetime(copy self)
    get {
      if isRow { return entered(name: nil, index: index) }
      let head = head
      guard head.kind == .array, index >= 0, index < head.count else { return nil }
      var offset = head.end
      for _ in 0..<index {
        guard offset < base.byteCount else { return nil }
        offset = MessagePackHead.end(ofValueAt: offset, in: base)
      }
      return view(at: offset)
    }
  }

  /// What a map has under `name`; nil where it has no such name, or is no map. Of equal names the last counts.
  ///
  ///     value["geo"]?["city"]?.string
  ///
  /// - Complexity: O(heads of the map), without allocation.
  @inlinable
  public subscript(name: some FuseKeyBytes) -> FuseView? {
    @_lifetime(copy self)
    get {
      let keyBytes = name.keyBytes
      defer { keyBytes.hold() }
      return self[name: keyBytes]
    }
  }

  /// The same for the bytes of a name.
  ///
  /// - Complexity: O(heads of the map), without allocation.
  public subscript(name name: RawSpan) -> FuseView? {
    @_lifetime(copy self)
    get {
      if isRow { return entered(name: name, index: -1) }
      let head = head
      guard head.kind == .map else { return nil }
      return view(at: NameSearch(name).lastOffset(among: head.count, from: head.end, in: base))
    }
  }

  /// What a map has under an integer; nil where it has no such key, or is no map. Of equal keys the last counts.
  ///
  /// - Complexity: O(heads of the map), without allocation.
  public subscript(integerKey number: Int) -> FuseView? {
    @_lifetime(copy self)
    get {
      guard var pairs else { return nil }
      var found: FuseView?
      while let pair = pairs.next() {
        if pair.key.int == number { found = pair.value }
      }
      return found
    }
  }
}
