internal import FuseDBFormat
internal import FuseDBSystem

// Scans of tasks.

extension FuseIterator where Self: Sendable, Element: Sendable {
  /// The elements that are left, for a task: `for try await entry in try reader.entries().async { … }`.
  ///
  /// The file is read on threads of the library, so that neither a slow disk nor a long step holds up other tasks. The first
  /// elements come at once, later ones in batches of up to 1,024. The file stays open as long as the iterator lives: the
  /// scan of a ``Reloadable`` goes on in the file that it began in.
  public var async: AsyncScan<Self> { AsyncScan(self) }
}

/// What a scan goes through, for tasks; see ``FuseIterator/async``.
public struct AsyncScan<Base: FuseIterator & Sendable>: AsyncSequence, Sendable where Base.Element: Sendable {
  private let base: Base

  init(_ base: Base) { self.base = base }

  /// Begins where the scan was when ``FuseIterator/async`` was asked for.
  public func makeAsyncIterator() -> Iterator { Iterator(base) }

  /// One way through. It keeps the file open.
  public struct Iterator: AsyncIteratorProtocol {
    private static var firstCount: Int { 32 }
    private static var mostCount: Int { 1024 }

    /// What was read of a scan, and how it goes on.
    private struct Batch: Sendable {
      var base: Base
      var elements: [Base.Element] = []
      /// What is to be thrown after the elements.
      var failure: (any Error)?
      var isLast = false

      mutating func read(_ count: Int) {
        elements.reserveCapacity(count)
        do {
          while elements.count < count {
            guard let element = try base.next() else { return isLast = true }
            elements.append(element)
          }
        } catch {
          failure = error
        }
      }
    }

    private var batch: Batch
    private var position = 0
    private var count = Self.firstCount

    init(_ base: Base) { batch = Batch(base: base) }

    /// The next element, or nil after the last.
    ///
    /// - Throws: as the scan's own `next()`; and ``FuseError/Code/cancelled`` where the task is.
    public mutating func next() async throws -> Base.Element? {
      if Task.isCancelled { throw FuseError.cancelled }
      while position == batch.elements.count {
        if let failure = batch.failure { throw failure }
        if batch.isLast { return nil }
        var next = Batch(base: batch.base)
        let count = count
        next = await FuseBackground.run { [next] in
          var next = next
          next.read(count)
          return next
        }
        batch = next
        position = 0
        self.count = Swift.min(2 * count, Self.mostCount)
      }
      defer { position += 1 }
      return batch.elements[position]
    }
  }
}
