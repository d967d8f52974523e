/// Words as they stand in a sentence: `a, b or c`.
package func listed(_ words: [String], _ conjunction: String) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " \(conjunction) " + last
}

/// `; did you mean 'x'?` for the name that `word` was probably meant to be, or nothing when none is near.
package func nearestName(to word: String, among names: [String]) -> String {
  // Two slips in a word, one in a short one; or its beginning.
  let near = names.filter { editDistance(word, $0) <= ($0.utf8.count < 5 ? 1 : 2) }
  let begun = word.utf8.count > 2 ? names.filter { $0.hasPrefix(word) } : []
  let best = near.min { editDistance(word, $0) < editDistance(word, $1) } ?? begun.first
  return best.map { "; did you mean '\($0)'?" } ?? ""
}

/// How many letters must be put in, left out, replaced or swapped with their neighbour to make one word the other.
package func editDistance(_ left: String, _ right: String) -> Int {
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
