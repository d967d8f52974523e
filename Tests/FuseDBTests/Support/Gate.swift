import FuseDB

/// Threads wait here until it is opened.
final class Gate: Sendable {
  private let isOpen = Monitor(false)

  func open() { isOpen.change { $0 = true } }
  func wait() { isOpen.wait { $0 ? () : nil } }
}
