/// The command was called in a way that it does not have: exit status 64.
struct UsageError: Error, Equatable {
  /// What is wrong and what to do, as a sentence.
  var message: String
  /// The command concerned, once it is known.
  var command: String?
  /// Whether the list of commands is what helps.
  var showsOverview: Bool

  init(_ message: String, in command: String? = nil, showsOverview: Bool = false) {
    self.message = message
    self.command = command
    self.showsOverview = showsOverview
  }
}

/// `; did you mean 'x'?` for the name that `word` was probably meant to be, or nothing when none is near.
func nearestName(to word: String, among names: [String]) -> String {
  // Two slips in a word, one in a short one; or its beginning.
  let near = names.filter { editDistance(word, $0) <= ($0.utf8.count < 5 ? 1 : 2) }
  let begun = word.utf8.count > 2 ? names.filter { $0.hasPrefix(word) } : []
  let best = near.min { editDistance(word, $0) < editDistance(word, $1) } ?? begun.first
  return best.map { "; did you mean '\($0)'?" } ?? ""
}

/// How many letters must be put in, left out, replaced or swapped with their neighbour to make one word the other.
func editDistance(_ left: String, _ right: String) -> Int {
  let left = Array(left.utf8)
  let right = Array(right.utf8)
  var rows = [[Int]](repeating: Array(0...right.count), count: left.count + 1)
  for i in 0..<left.count {
    rows[i + 1][0] = i + 1
    for j in 0..<right.count {
      let replaced = rows[i][j] + (left[i] == right[j] ? 0 : 1)
      rows[i + 1][j + 1] = min(replaced, rows[i][j + 1] + 1, rows[i + 1][j] + 1)
      if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
        rows[i + 1][j + 1] = min(rows[i + 1][j + 1], rows[i - 1][j - 1] + 1)
      }
    }
  }
  return rows[left.count][right.count]
}
