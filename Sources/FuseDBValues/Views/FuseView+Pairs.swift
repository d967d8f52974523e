internal import FuseDBFormat

extension FuseView {
  /// The pairs of a map, one after the other, in the order in which they stand; nil for anything else.
  ///
  ///     if var fields = value.pairs {
  ///       while let field = fields.next() { print(field.key.json, field.value.json) }
  ///     }
  public var pairs: Pairs? {
    @_lifetime(copy self)
    get {
      let head = head
      guard head.kind == .map else { return nil }
      return Pairs(self, head)
    }
  }

  /// A key of a map, which may be any value, and what stands under it.
  public struct Pair: ~Escapable {
    /// What stands first: text, in most maps.
    public let key: FuseView
    /// What stands under the key.
    public let value: FuseView

    @_lifetime(copy key, copy value)
    init(key: FuseView, value: FuseView) {
      self.key = key
      self.value = value
    }
  }

  /// Goes through the pairs of a map. It is no `Sequence`, because a view does not leave its scope.
  public struct Pairs: ~Escapable {
    private let map: FuseView
    private var offset: Int
    /// How many pairs are still to come.
    public private(set) var count: Int

    @_lifetime(copy map)
    init(_ map: FuseView, _ head: MessagePackHead) {
      self.map = map
      offset = head.end
      count = head.count
    }

    /// The next pair, or nil after the last.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func next() -> Pair? {
      guard count > 0 else { return nil }
      count &-= 1
      let start = offset
      let middle = MessagePackHead.end(ofValueAt: start, in: map.base)
      offset = MessagePackHead.end(ofValueAt: middle, in: map.base)
      guard let key = map.view(at: start), let value = map.view(at: middle) else { return nil }
      return Pair(key: key, value: value)
    }

    /// Calls `body` with each pair that is still to come.
    @inlinable
    public func forEach<Failure: Error>(_ body: (Pair) throws(Failure) -> Void) throws(Failure) {
      var rest = self
      while let pair = rest.next() { try body(pair) }
    }
  }
}
