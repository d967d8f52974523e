internal import FuseDBInput

/// What a report says of the section of networks of the file that was written.
struct NetworkReport {
  /// Blocks in it; nil where there is none.
  let networkCount: Int?
  /// Keys that stand for no block.
  let literalKeyCount: Int

  /// For people.
  var lines: [String] {
    guard let networkCount else { return [] }
    var lines = ["  \(Humans.count(networkCount, "block")) of addresses: an address is answered by its block"]
    if literalKeyCount > 0 {
      let keys = Humans.count(literalKeyCount, "key")
      lines.append("  \(keys) that \(literalKeyCount == 1 ? "is" : "are") no block of addresses, found only as written")
    }
    return lines
  }

  /// For programs.
  var members: [(name: String, value: ReportValue)] {
    [("networks", networkCount.map { .count($0) } ?? .null), ("literalKeys", .count(literalKeyCount))]
  }
}
