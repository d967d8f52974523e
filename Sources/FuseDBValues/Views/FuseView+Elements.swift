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
