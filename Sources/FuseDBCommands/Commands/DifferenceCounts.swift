internal import FuseDB
internal import FuseDBInput

/// How many keys two files answer differently.
struct DifferenceCounts {
  var added = 0
  var removed = 0
  var changed = 0
  var unchanged = 0

  var areEqual: Bool { added + removed + changed == 0 }

  mutating func add(_ difference: Difference) {
    switch difference {
    case .added: added += 1
    case .removed: removed += 1
    case .changed: changed += 1
    }
  }

  var sentence: String {
    let counts = [(added, "added"), (removed, "removed"), (changed, "changed"), (unchanged, "unchanged")]
    return counts.map { Humans.count($0, "key") + " " + $1 }.joined(separator: ", ")
  }

  var members: [(name: String, value: ReportValue)] {
    [
      ("added", .count(added)), ("removed", .count(removed)), ("changed", .count(changed)),
      ("unchanged", .count(unchanged)),
    ]
  }
}
