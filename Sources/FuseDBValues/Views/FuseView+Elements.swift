internal import FuseDBFormat

extension FuseView {
  /// The elements of an array, one after the other; nil for anything else.
  ///
  ///     if var tags = value["tags"]?.elements {
  ///       while let tag = tags.next() { print(tag.string ?? "") }
  ///     }
  public var elements: Elements? {
    @_lifetime(copy self)
    get {
      if isRow { return plain.elements }
      let head = head
      guard head.kind == .array else { return nil }
      return Elements(self, head)
    }
  }

  /// Goes through the elements of an array. It is no `Sequence`, because a view does not leave its scope.
  public struct Elements: ~Escapable {
    private let array: FuseView
    private var offset: Int
    /// How many elements are still to come.
    public private(set) var count: Int

    @_lifetime(copy array)
    init(_ array: FuseView, _ head: MessagePackHead) {
      self.array = array
      offset = head.end
      count = head.count
    }

    /// The next element, or nil after the last.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func next() -> FuseView? {
      guard count > 0 else { return nil }
      count &-= 1
      let start = offset
      offset = MessagePackHead.end(ofValueAt: start, in: array.base)
      return array.view(at: start)
    }

    /// Calls `body` with each element that is still to come.
    @inlinable
    public func forEach<Failure: Error>(_ body: (FuseView) throws(Failure) -> Void) throws(Failure) {
      var rest = self
      while let element = rest.next() { try body(element) }
    }
  }
}

extension FuseView {
  /// The pairs of a map, one after the other, in the order in which they stand; nil for anything else.
  ///
  ///     if var fields = value.pairs {
  ///       while let field = fields.next() { print(field.key.json, field.value.json) }
  ///     }
  public var pairs: Pairs? {
    @_lifetime(copy self)
    get {
      if isRow { return plain.pairs }
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
