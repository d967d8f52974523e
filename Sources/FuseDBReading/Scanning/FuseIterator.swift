public import FuseDBFormat

/// What goes through keys, objects or differences one after the other, each step of which can fail: ``Scan``,
/// ``ObjectScan``, ``SharingScan``, ``NetworkScan``, ``Differences`` and ``FuseTable/Rows``.
///
///     var scan = try reader.prefix("8.8.")
///     while let entry = try scan.next() { … }                       // one by one
///     try reader.prefix("8.8.").forEach { entry in … }              // all
///     for try await entry in try reader.prefix("8.8.").async { … }  // of a task
///
/// It is no `Sequence`: damage ends a scan with an error, never early and in silence. A copy goes on by itself from where
/// the original was.
public protocol FuseIterator {
  /// What a step gives.
  associatedtype Element
  /// What a step throws.
  associatedtype Failure: Error
  /// The next element, or nil after the last.
  mutating func next() throws(Failure) -> Element?
}

extension FuseIterator {
  /// The next elements, at most `count` of them; none after the last.
  ///
  ///     let page = try scan.next(50)
  ///
  /// - Throws: as ``next()``.
  public mutating func next(_ count: Int) throws(Failure) -> [Element] {
    var elements: [Element] = []
    while elements.count < count, let element = try next() { elements.append(element) }
    return elements
  }

  /// Calls `body` with each element that is left, in their order.
  ///
  /// - Throws: as ``next()``; and what `body` throws, which ends it.
  @inlinable
  public func forEach(_ body: (Element) throws -> Void) throws {
    var rest = self
    while let element = try rest.next() { try body(element) }
  }

  /// Calls `body` with each element that is left, in their order, until it sets `isDone`.
  ///
  ///     var first: [String] = []
  ///     try reader.prefix("8.8.").forEach { entry, isDone in
  ///       first.append(entry.description)
  ///       isDone = first.count == 10
  ///     }
  ///
  /// - Throws: as ``next()``; and what `body` throws, which ends it.
  @inlinable
  public func forEach(_ body: (Element, _ isDone: inout Bool) throws -> Void) throws {
    var rest = self
    var isDone = false
    while !isDone, let element = try rest.next() { try body(element, &isDone) }
  }
}

extension FuseIterator where Failure == FuseError {
  /// The same where `body` throws nothing but ``FuseError``, and says so: `{ (entry) throws(FuseError) in … }`.
  ///
  /// - Throws: as ``next()``; and what `body` throws, which ends it.
  @inlinable
  public func forEach(_ body: (Element) throws(FuseError) -> Void) throws(FuseError) {
    var rest = self
    while let element = try rest.next() { try body(element) }
  }

  /// The same where `body` throws nothing but ``FuseError``, and says so: `{ (entry, isDone) throws(FuseError) in … }`.
  ///
  /// - Throws: as ``next()``; and what `body` throws, which ends it.
  @inlinable
  public func forEach(_ body: (Element, _ isDone: inout Bool) throws(FuseError) -> Void) throws(FuseError) {
    var rest = self
    var isDone = false
    while !isDone, let element = try rest.next() { try body(element, &isDone) }
  }
}
