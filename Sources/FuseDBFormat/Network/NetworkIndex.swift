/// The directory over the bases of IPv4 lines. See spec/network.md §5.
package struct NetworkDirectory {
  private let shift: UInt64
  private let entryCount: Int
  private var line: UInt32 = 0
  /// For each value of the upper bits, the line that holds its first address; then the last line. [A9]
  package private(set) var entries: [UInt32] = []

  /// - Parameter section: knows its number of lines.
  package init(for section: NetworkSection) {
    shift = UInt64(32 - section.directoryBits)
    entryCount = 1 << section.directoryBits + 1
    entries.reserveCapacity(entryCount)
  }

  /// Adds the base of the next line.
  package mutating func add(base: UInt32) {
    // Those values whose first address comes before this base are the lines' before.
    while entries.count < entryCount - 1, UInt64(entries.count) << shift < UInt64(base) { entries.append(line - 1) }
    line += 1
  }

  package mutating func finish() {
    while entries.count < entryCount { entries.append(line - 1) }
  }
}

/// The tree over the bases of IPv6 lines: nodes of eight keys. See spec/network.md §5.
package struct NetworkTree {
  /// The first base of each leaf but the first.
  private var keys: [UInt64] = []
  private var lineCount = 0

  package init() {}

  /// Adds the base of the next line.
  package mutating func add(base: UInt64) {
    if lineCount > 0, lineCount % NetworkSection.keysPerNode == 0 { keys.append(base) }
    lineCount += 1
  }

  /// The keys of all nodes, those of the top level first. [A13]
  package func nodes() -> [UInt64] {
    var levels: [[UInt64]] = []
    // What separates the children of a level: of nine, eight are keys of their node, and the next is one level up.
    var separators = keys
    while !separators.isEmpty {
      var level: [UInt64] = []
      var above: [UInt64] = []
      for (i, separator) in separators.enumerated() {
        if (i + 1) % (NetworkSection.keysPerNode + 1) == 0 { above.append(separator) } else { level.append(separator) }
      }
      let nodeCount = above.count + 1
      level += [UInt64](repeating: .max, count: nodeCount * NetworkSection.keysPerNode - level.count)
      levels.insert(level, at: 0)
      separators = above
    }
    return levels.flatMap(\.self)
  }
}
