internal import FuseDB

/// Paths of members that a line is looked through for, as a tree: node 0 is the whole line.
struct WantedPaths {
  struct Node {
    /// The name of the member.
    let name: [UInt8]
    /// Which element of an array it is.
    let number: Int?
    fileprivate(set) var children: [Int] = []
    /// The field that goes here.
    fileprivate(set) var field: Int?
    /// Whether a field goes here or below.
    fileprivate(set) var leadsToField = false
  }

  private(set) var nodes = [Node(name: [], number: nil)]

  /// The nodes at the top of a line at or below which fields go.
  var fieldRoots: [Int] { nodes[0].children.filter { nodes[$0].leadsToField } }

  /// The node of a path, which is new or was added before.
  mutating func add(_ path: FusePath) -> Int {
    var node = 0
    for step in path.steps {
      if let known = nodes[node].children.first(where: { nodes[$0].name == step.name }) {
        node = known
        continue
      }
      nodes.append(Node(name: step.name, number: step.number))
      nodes[node].children.append(nodes.count - 1)
      node = nodes.count - 1
    }
    return node
  }

  /// Lets a field go to a path. Returns false where another one goes there, above or below.
  mutating func add(field: Int, at path: FusePath) -> Bool {
    let node = add(path)
    guard !nodes[node].leadsToField else { return false }
    var above = 0
    nodes[0].leadsToField = true
    for step in path.steps {
      guard nodes[above].field == nil else { return false }
      above = nodes[above].children.first { nodes[$0].name == step.name }!
      nodes[above].leadsToField = true
    }
    nodes[node].field = field
    return true
  }

  /// The child of `node` that is the element of this number; -1 where there is none.
  func child(of node: Int, numbered number: Int) -> Int {
    nodes[node].children.first { nodes[$0].number == number } ?? -1
  }
}

/// The children of all nodes in a few flat arrays, for looking them up a million times a second.
struct WantedNames {
  private struct Child {
    let node: Int
    let name: Range<Int>
  }

  private var children: [Child] = []
  /// Where in ``children`` those of each node begin, and after the last node.
  private var starts: [Int] = []
  private var text: [UInt8] = []
  /// A bit for each length that a name of a node's children has; the uppermost one for all that are longer.
  private var allLengths: [UInt64] = []

  init(_ wanted: WantedPaths) {
    for node in wanted.nodes {
      starts.append(children.count)
      var bits: UInt64 = 0
      for child in node.children {
        let name = wanted.nodes[child].name
        children.append(Child(node: child, name: text.count..<text.count + name.count))
        text += name
        bits |= 1 << UInt64(min(name.count, 63))
      }
      allLengths.append(bits)
    }
    starts.append(children.count)
  }

  /// Which lengths the names of a node's children have; 0 where it has none.
  @inline(__always)
  func lengths(of node: Int) -> UInt64 { allLengths[node] }

  /// Whether `count` is among some lengths.
  @inline(__always)
  static func has(_ count: Int, _ lengths: UInt64) -> Bool { lengths &>> UInt64(min(count, 63)) & 1 != 0 }

  /// The child of `node` with this name; -1 where there is none.
  @inline(never)
  func child(of node: Int, named name: RawSpan) -> Int {
    for place in starts[node]..<starts[node &+ 1]
    where children[place].name.count == name.byteCount && name.equals(text.rawSpan.extracting(children[place].name)) {
      return children[place].node
    }
    return -1
  }
}
