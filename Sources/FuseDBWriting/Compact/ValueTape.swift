internal import FuseDBCompact
internal import FuseDBFormat
internal import FuseDBSystem

/// The values that an object is made of, in their order: what counting and writing go through instead of bytes.
///
/// Takes 20 bytes for each value of the largest object.
struct ValueTape {
  /// A value, with where it stands from the start of the object.
  struct Node {
    let start: UInt32
    fileprivate(set) var end: UInt32
    /// The node after the value and all that is in it.
    fileprivate(set) var next: UInt32
    /// Elements of an array, members of a map.
    let count: UInt32
    let head: UInt8
    let headByteCount: UInt8
    /// Whether the head of a text, an array or a map is the shortest there is; of other values, true.
    let isShortest: Bool
    /// Whether it is the name of a member in a map whose names may be a shape.
    var isName = false

    @inline(__always)
    var byteCount: Int { Int(truncatingIfNeeded: end &- start) }
    @inline(__always)
    var isText: Bool { head & 0xE0 == 0xA0 || (0xD9...0xDB).contains(head) }
    @inline(__always)
    var isMap: Bool { head & 0xF0 == 0x80 || head & 0xFE == 0xDE }
    @inline(__always)
    var isArray: Bool { head & 0xF0 == 0x90 || head & 0xFE == 0xDC }
  }

  /// What a head says.
  private struct Head {
    var byteCount = 1
    /// Bytes after the head.
    var payload = 0
    var count = 0
    /// Values after the head.
    var values = 0
    var isShortest = true
  }

  var nodes: [Node] = []
  /// Where the object begins in the file.
  private(set) var base = 0
  /// Of each container that is open: its node, and how many values are still to come.
  private var open = [Int](repeating: 0, count: CompactForm.mostDepth + 1)
  private var left = [Int](repeating: 0, count: CompactForm.mostDepth + 1)

  /// Reads a value that fills a range.
  mutating func read(_ range: Range<Int>, in file: RawSpan) throws(FuseError) {
    nodes.removeAll(keepingCapacity: true)
    base = range.lowerBound
    var at = range.lowerBound
    var depth = 0
    while true {
      guard at < range.upperBound else { throw Self.cutShort(at: at) }
      let first = file.loadInside(at: at, as: UInt8.self)
      let head = try Self.head(first, at: at, in: file)
      guard head.byteCount + head.payload <= range.upperBound - at else { throw Self.cutShort(at: at) }
      let start = at
      at += head.byteCount + head.payload
      let number = nodes.count
      let node = Node(
        start: UInt32(truncatingIfNeeded: start - base), end: UInt32(truncatingIfNeeded: at - base),
        next: UInt32(truncatingIfNeeded: number + 1), count: UInt32(truncatingIfNeeded: head.count), head: first,
        headByteCount: UInt8(truncatingIfNeeded: head.byteCount), isShortest: head.isShortest)
      try nodes.grow(by: node)
      if head.values > 0 {
        guard depth < CompactForm.mostDepth else {
          throw .corrupted("arrays and maps are nested deeper than \(CompactForm.mostDepth) levels", at: start)
        }
        guard head.values <= range.upperBound - at else { throw Self.cutShort(at: at) }
        depth += 1
        open[depth] = number
        left[depth] = head.values
        continue
      }
      while depth > 0 {
        left[depth] -= 1
        if left[depth] > 0 { break }
        nodes[open[depth]].end = UInt32(truncatingIfNeeded: at - base)
        nodes[open[depth]].next = UInt32(truncatingIfNeeded: nodes.count)
        depth -= 1
      }
      if depth == 0 { break }
    }
    guard at == range.upperBound else { throw .corrupted("bytes follow the value here", at: at) }
  }

  /// Where a value stands in the file.
  @inline(__always)
  func range(of node: Node) -> Range<Int> {
    base &+ Int(truncatingIfNeeded: node.start)..<base &+ Int(truncatingIfNeeded: node.end)
  }

  @inline(__always)
  private static func head(_ first: UInt8, at offset: Int, in file: RawSpan) throws(FuseError) -> Head {
    var head = Head()
    switch first {
    case 0x00...0x7F, 0xE0...0xFF, 0xC0, 0xC2, 0xC3: break
    case 0xA0...0xBF: head.payload = Int(first & 31)
    case 0x80...0x8F:
      head.count = Int(first & 15)
      head.values = 2 * head.count
    case 0x90...0x9F:
      head.count = Int(first & 15)
      head.values = head.count
    case 0xCA, 0xCE, 0xD2: head.payload = 4
    case 0xCB, 0xCF, 0xD3: head.payload = 8
    case 0xCC, 0xD0: head.payload = 1
    case 0xCD, 0xD1: head.payload = 2
    case 0xD4...0xD8: head.payload = 1 + 1 << Int(first - 0xD4)
    case 0xC4...0xC6: try sized(first - 0xC4, more: 0, at: offset, in: file, &head)
    case 0xC7...0xC9: try sized(first - 0xC7, more: 1, at: offset, in: file, &head)
    case 0xD9...0xDB:
      try sized(first - 0xD9, more: 0, at: offset, in: file, &head)
      head.isShortest = head.payload > (first == 0xD9 ? 31 : first == 0xDA ? 0xFF : 0xFFFF)
    case 0xDC...0xDF:
      try sized(1 + first & 1, more: 0, at: offset, in: file, &head)
      head.count = head.payload
      head.payload = 0
      head.values = first < 0xDE ? head.count : 2 * head.count
      head.isShortest = head.count > (first & 1 == 0 ? 15 : 0xFFFF)
    default: throw .corrupted("the byte 0xc1 begins no MessagePack value", at: offset)
    }
    return head
  }

  /// - Parameter width: how wide the size is: 0, 1, 2 for one, two, four bytes.
  @inline(__always)
  private static func sized(
    _ width: UInt8, more: Int, at offset: Int, in file: RawSpan, _ head: inout Head
  ) throws(FuseError) {
    let size: Int? =
      switch width {
      case 0: file.load(at: offset + 1, as: UInt8.self).map(Int.init)
      case 1: file.load(at: offset + 1, as: UInt16.self).map(Int.init)
      default: file.load(at: offset + 1, as: UInt32.self).map(Int.init)
      }
    guard let size else { throw cutShort(at: offset) }
    head.byteCount = 1 + 1 << Int(width)
    head.payload = size + more
  }

  @inline(never)
  private static func cutShort(at offset: Int) -> FuseError {
    .corrupted("the MessagePack value ends in its middle", at: offset)
  }
}

extension ValueTape {
  /// The names of a map's members as one text of bytes, where they can be a shape, provided that they are different. The map's own
  /// spelling is not looked at.
  ///
  /// - Parameter names: takes them.
  /// - Returns: whether they can.
  @inline(__always)
  func readNames(ofMap number: Int, in file: RawSpan, into names: inout [UInt8]) -> Bool {
    names.removeAll(keepingCapacity: true)
    let map = nodes[number]
    guard map.isShortest, map.count >= 1, map.count <= CompactForm.mostShapeNames else { return false }
    var name = number &+ 1
    for _ in 0..<map.count {
      let node = nodes[name]
      guard node.isText, node.isShortest, names.count &+ node.byteCount <= CompactForm.mostShapeBytes else {
        return false
      }
      names.append(file.extracting(range(of: node)))
      name = Int(truncatingIfNeeded: nodes[Int(truncatingIfNeeded: node.next)].next)
    }
    return true
  }

  /// Marks the names of a map as names.
  @inline(__always)
  mutating func markNames(ofMap number: Int) {
    var name = number &+ 1
    for _ in 0..<nodes[number].count {
      nodes[name].isName = true
      name = Int(truncatingIfNeeded: nodes[Int(truncatingIfNeeded: nodes[name].next)].next)
    }
  }

  /// Whether all names of a map differ, which may be a shape.
  func namesDiffer(ofMap number: Int, in file: RawSpan) -> Bool {
    var seen: [Range<Int>] = []
    var sieve = InlineArray<64, UInt64>(repeating: 0)
    var name = number + 1
    for _ in 0..<nodes[number].count {
      let range = range(of: nodes[name])
      let bytes = file.extracting(range)
      let bit = Int(truncatingIfNeeded: bytes.hash(seed: 0) & 4095)
      if sieve[bit / 64] >> UInt64(bit % 64) & 1 != 0 {
        // Mostly another name that falls on the same bit.
        for other in seen where file.extracting(other).equals(bytes) { return false }
      }
      sieve[bit / 64] |= 1 << UInt64(bit % 64)
      seen.append(range)
      name = Int(truncatingIfNeeded: nodes[Int(truncatingIfNeeded: nodes[name].next)].next)
    }
    return true
  }
}
