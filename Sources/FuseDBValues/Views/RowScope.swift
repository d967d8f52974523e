package import CFuseRows
package import FuseDBFormat
internal import FuseDBSystem

/// What reads values of a compact file where the quick way does not.
package protocol RowReading: AnyObject, Sendable {
  /// Appends the MessagePack of a value.
  ///
  /// - Throws: ``FuseError`` where the value, or what it leans on, is not what was written.
  func expand(_ value: fuse_row_value, into out: inout [UInt8]) throws(FuseError)
}

/// A value of a compact object, where a view looks at it.
@unsafe
struct RowNode {
  var value: fuse_row_value
  // SAFETY: a node is part of its scope.
  let scope: UnsafeMutablePointer<RowScope>
}

/// One look at an object of a compact file: it keeps what views of it go to, and what of it was expanded.
///
/// Views go from map to value in place, through shapes and parts. What they end at is made MessagePack, which for a number or a text is
/// some bytes. What is found damaged on the way is remembered, since views throw nothing, and thrown when the look is over.
///
/// All of this is on the stack, as long as it does not grow: a look is to take less than what it looks at.
@unsafe
package struct RowScope {
  /// Enough for most looks at an object, and not too much for memory on the stack, which with the scope is 1,024 bytes at most.
  private static let firstByteCount = 720
  /// Blocks that are allocated begin with the address of the one before.
  private static let linkByteCount = 16
  private static let slack = Int(fuse_rows_slack)

  // SAFETY: whoever makes the scope keeps the reader, and with it the file.
  private unowned(unsafe) let reader: any RowReading
  private var rows: fuse_rows
  // SAFETY: what is not used of the last block begins at `next`; blocks are freed when the scope ends.
  private var blocks: UnsafeMutableRawPointer?
  private var next: UnsafeMutableRawPointer
  private var left: Int
  // SAFETY: allocated by the scope, and taken when it ends.
  /// What was found damaged first; elsewhere, so that a scope is made and ended without counts of references.
  private var failure: UnsafeMutablePointer<FuseError>?

  // SAFETY: whoever makes the scope has so many bytes there.
  private init(_ rows: fuse_rows, _ reader: any RowReading, next: UnsafeMutableRawPointer) {
    unsafe self.reader = reader
    unsafe self.rows = rows
    unsafe blocks = nil
    unsafe self.next = next
    unsafe left = Self.firstByteCount
    unsafe failure = nil
  }

  // SAFETY: the caller keeps the file; the scope does not outlive the call, and neither do views.
  /// Calls `body` with a view of the row at an offset of the file, after its checksum was compared; false where this is not the way.
  ///
  /// - Parameter rows: those of the file, of which enough bytes can be read after each.
  /// - Throws: what `body` throws, or else what was found damaged.
  @unsafe
  package static func withView(
    ofRowAt offset: Int, _ rows: fuse_rows, _ reader: any RowReading, _ body: (FuseView) throws -> Void
  ) throws -> Bool {
    var rows = unsafe rows
    var value = unsafe fuse_row_value(at: rows.file, end: rows.file, depth: 0, isWhole: true, isInPart: false)
    guard unsafe fuse_row_find(&rows, offset, &value) == fuse_row_done else { return false }
    try unsafe withUnsafeTemporaryAllocation(
      byteCount: MemoryLayout<RowScope>.stride + 15 + firstByteCount, alignment: 16
    ) { memory in
      let scope = unsafe memory.baseAddress!.bindMemory(to: RowScope.self, capacity: 1)
      let start = unsafe memory.baseAddress! + ((MemoryLayout<RowScope>.stride + 15) & ~15)
      unsafe scope.initialize(to: RowScope(rows, reader, next: start))
      let root = unsafe Self.node(value, of: scope)
      do { try body(unsafe FuseView(row: root)) } catch {
        _ = unsafe scope.pointee.end()
        throw error
      }
      if let failure = unsafe scope.pointee.end() { throw failure }
    }
    return true
  }

  // SAFETY: nothing has what the scope allocated any more.
  /// Frees what was allocated, and returns what was found damaged first.
  @inline(__always)
  private mutating func end() -> FuseError? {
    if unsafe blocks == nil && failure == nil { return nil }
    return unsafe endSlowly()
  }

  // SAFETY: each block begins with the address of the one before; a failure is taken once.
  @inline(never)
  private mutating func endSlowly() -> FuseError? {
    while let block = unsafe blocks {
      unsafe blocks = block.load(as: UnsafeMutableRawPointer?.self)
      unsafe block.deallocate()
    }
    guard let place = unsafe failure else { return nil }
    defer { unsafe place.deallocate() }
    return unsafe place.move()
  }

  // SAFETY: a node has no greater alignment than 16, and is read for as long as the scope is there.
  private static func node(
    _ value: fuse_row_value, of scope: UnsafeMutablePointer<RowScope>
  ) -> UnsafePointer<RowNode> {
    let byteCount = (unsafe MemoryLayout<RowNode>.size + 15) & ~15
    if unsafe scope.pointee.left < byteCount { unsafe scope.pointee.grow(by: byteCount) }
    let node = unsafe scope.pointee.next.bindMemory(to: RowNode.self, capacity: 1)
    unsafe node.initialize(to: RowNode(value: value, scope: scope))
    unsafe scope.pointee.take(byteCount)
    return unsafe UnsafePointer(node)
  }

  // SAFETY: no more is taken than is left.
  /// Takes a multiple of 16 bytes, or what is left.
  private mutating func take(_ byteCount: Int) {
    let byteCount = unsafe min(left, byteCount)
    unsafe next += byteCount
    unsafe left -= byteCount
  }

  // SAFETY: the block has room for the address before, and for so many bytes.
  @inline(never)
  private mutating func grow(by byteCount: Int) {
    let size = max(2 * byteCount, 4096)
    let block = unsafe UnsafeMutableRawPointer.allocate(byteCount: Self.linkByteCount + size, alignment: 16)
    unsafe block.storeBytes(of: blocks, as: UnsafeMutableRawPointer?.self)
    unsafe blocks = block
    unsafe next = block + Self.linkByteCount
    unsafe left = size
  }

  /// What going from a value to one in it came to.
  @unsafe
  enum Step {
    case there(UnsafePointer<RowNode>)
    case absent
    /// It is to be looked for in the value's MessagePack.
    case elsewhere
  }

  // SAFETY: the node is one of a scope that is there.
  /// Goes from an array to the value at `index`, or from a map to that under `name`.
  static func enter(_ node: UnsafePointer<RowNode>, name: RawSpan?, index: Int) -> Step {
    let scope = unsafe node.pointee.scope
    var value = unsafe node.pointee.value
    var outcome: Int64
    if let name {
      outcome = unsafe name.withUnsafeBytes { name in
        unsafe fuse_row_enter(
          &scope.pointee.rows, &value, name.baseAddress?.assumingMemoryBound(to: UInt8.self), name.count, Int64(index))
      }
    } else {
      // No name is so long that it is looked for in this way.
      outcome = unsafe fuse_row_enter(&scope.pointee.rows, &value, nil, Int.max, Int64(index))
    }
    if outcome == fuse_row_done { return unsafe .there(Self.node(value, of: scope)) }
    return unsafe outcome == fuse_row_absent ? .absent : .elsewhere
  }

  // SAFETY: the node is one of a scope that is there.
  /// Takes as many of the steps of a path as can be taken in the row: where they led, nil for nowhere, and how many they were.
  static func follow(
    _ node: UnsafePointer<RowNode>, _ steps: [FusePath.Step]
  ) -> (node: UnsafePointer<RowNode>?, count: Int) {
    let scope = unsafe node.pointee.scope
    var value = unsafe node.pointee.value
    let steps = steps.span
    for count in steps.indices {
      let index = Int64(steps[count].number ?? -1)
      let outcome = unsafe steps[count].name.span.withUnsafeBufferPointer { name in
        unsafe fuse_row_enter(&scope.pointee.rows, &value, name.baseAddress, name.count, index)
      }
      if outcome == fuse_row_absent { return (nil, count) }
      if outcome != fuse_row_done { return unsafe (Self.node(value, of: scope), count) }
    }
    return unsafe (Self.node(value, of: scope), steps.count)
  }

  // SAFETY: the node is one of a scope that is there, and so is the file, as long as that.
  /// The bytes of a short text, in place; nil for all else.
  static func text(_ node: UnsafePointer<RowNode>) -> UnsafeRawBufferPointer? {
    var start: UnsafePointer<UInt8>?
    var value = unsafe node.pointee.value
    let count = unsafe fuse_row_text(&node.pointee.scope.pointee.rows, &value, &start)
    guard count >= 0 else { return nil }
    return unsafe UnsafeRawBufferPointer(start: start, count: Int(count))
  }

  // SAFETY: the node is one of a scope that is there; what is written is as much as there is room for, and stays as long as that.
  /// The MessagePack of a value; that of nil where it is damaged.
  static func expanded(_ node: UnsafePointer<RowNode>) -> UnsafeRawBufferPointer {
    unsafe node.pointee.scope.pointee.expand(node.pointee.value)
  }

  // SAFETY: the value is one of this scope's file; what is written is as much as there is room for.
  private mutating func expand(_ value: fuse_row_value) -> UnsafeRawBufferPointer {
    var value = unsafe value
    while true {
      let room = unsafe left - Self.slack
      if room >= 64 {
        let out = unsafe next.assumingMemoryBound(to: UInt8.self)
        let count = unsafe Int(fuse_row_expand(&rows, &value, out, room))
        if count > 0 {
          // What comes next may be a node.
          unsafe take((count + 15) & ~15)
          return unsafe UnsafeRawBufferPointer(start: out, count: count)
        }
        guard count == fuse_row_full, room < FormatLimits.objectByteCount else { return unsafe expandSlowly(value) }
      }
      unsafe grow(by: left)
    }
  }

  // SAFETY: there is room for what is copied.
  @inline(never)
  private mutating func expandSlowly(_ value: fuse_row_value) -> UnsafeRawBufferPointer {
    var out: [UInt8] = []
    do throws(FuseError) { try unsafe reader.expand(value, into: &out) } catch {
      if unsafe failure == nil {
        let place = UnsafeMutablePointer<FuseError>.allocate(capacity: 1)
        unsafe place.initialize(to: error)
        unsafe failure = place
      }
      out = [0xC0]
    }
    if unsafe left < out.count { unsafe grow(by: out.count) }
    let start = unsafe next
    unsafe out.withUnsafeBytes { unsafe start.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    unsafe take((out.count + 15) & ~15)
    return unsafe UnsafeRawBufferPointer(start: start, count: out.count)
  }
}
