package import FuseDB

/// How text looks on a terminal, as it is told.
enum TextStyle: String {
  case heading = "1"
  case failure = "1;31"
  case added = "32"
  case removed = "31"
  case changed = "33"
}

/// Text on its way to a descriptor, in one large buffer; or, without a descriptor, kept for a test to look at.
package final class Output {
  private static let bufferByteCount = 1 << 16

  /// How much is kept before it is written. Little at first, so that whoever reads only the beginning has it at once.
  private var patience = 1
  private var writer = JSONWriter()
  private let descriptor: Descriptor?
  private let name: String

  /// Makes an output that writes to `descriptor`; `name` is for messages.
  package init(_ descriptor: Descriptor?, name: String) {
    self.descriptor = descriptor
    self.name = name
  }

  /// Whether it is a terminal.
  var isTerminal: Bool { descriptor?.isTerminal ?? false }

  /// Whether to print in colours.
  private(set) lazy var showsColours = descriptor?.showsColours ?? false

  /// `text` in a style where colours are shown, and otherwise as it is.
  func styled(_ text: String, _ style: TextStyle) -> String {
    showsColours ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// The width of the terminal in columns; 80 where it is unknown.
  var columnCount: Int { descriptor?.columnCount ?? 80 }

  /// What was written and not flushed yet.
  var text: String { String(decoding: writer.out, as: UTF8.self) }

  /// Appends what `body` writes, and a line feed; nothing of it when `body` fails.
  package func line(_ body: (inout JSONWriter) throws(FuseError) -> Void) throws(FuseError) {
    let start = writer.out.count
    do throws(FuseError) {
      try body(&writer)
    } catch {
      writer.out.removeSubrange(start...)
      throw error
    }
    writer.out.append(UInt8(ascii: "\n"))
    try flushWhenLong()
  }

  /// Appends text of the command's own, as it is, and a line feed.
  package func line(_ text: String) throws(FuseError) {
    try line { writer throws(FuseError) in writer.append(text) }
  }

  /// Appends a line in which names may stand that came from outside: no character of them does anything to a terminal.
  ///
  /// - Parameter head: stands before it, as it is: it may have colours.
  package func sentence(_ text: String, after head: String = "") throws(FuseError) {
    try line(head + EscapedText.harmless(text))
  }

  /// Appends what `body` writes: a part of a line that may be too long to keep whole.
  func part(_ body: (inout JSONWriter) -> Void) throws(FuseError) {
    body(&writer)
    try flushWhenLong()
  }

  @inline(__always)
  private func flushWhenLong() throws(FuseError) {
    guard writer.out.count >= patience else { return }
    patience = min(max(patience * 4, 1 << 10), Self.bufferByteCount)
    try flush()
  }

  /// Writes bytes at once, after what is buffered.
  package func write(_ bytes: [UInt8]) throws(FuseError) {
    guard let descriptor else { return writer.out.append(contentsOf: bytes) }
    if !writer.out.isEmpty { try flush() }
    try descriptor.write(bytes, name: name)
  }

  /// Appends text and flushes.
  func show(_ text: String) throws(FuseError) {
    writer.append(text)
    try flush()
  }

  /// Waits until `waker` wakes it.
  ///
  /// - Throws: ``FuseError`` with the errno EPIPE when the reading end of the pipe is closed and SIGPIPE is ignored. If
  ///   it is not ignored, the process ends as it would by writing.
  package func wait(for waker: Waker) throws(FuseError) {
    guard waker.wait(orFor: descriptor?.number, events: 0) == .descriptor else { return }
    throw Descriptor.brokenPipe(name: name)
  }

  /// Writes what is buffered to the descriptor.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput`; the buffer is empty then, too.
  package func flush() throws(FuseError) {
    guard let descriptor else { return }
    defer { writer.out.removeAll(keepingCapacity: true) }
    try descriptor.write(writer.out, name: name)
  }
}
