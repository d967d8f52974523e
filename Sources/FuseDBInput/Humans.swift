/// A list of words for a sentence: `a, b or c`.
package func listed(_ words: [String], _ conjunction: String) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " \(conjunction) " + last
}

/// `; did you mean 'x'?` for the name that `word` was probably meant to be, or nothing when none is near.
package func nearestName(to word: String, among names: [String]) -> String {
  // A name that begins so was not misspelled but not finished. Otherwise two slips in a word, one in a short one.
  let begun = word.utf8.count > 2 ? names.filter { $0.hasPrefix(word) } : []
  let near = begun.isEmpty ? names.filter { isSlip($0, of: word) } : begun
  let best = near.min { editDistance(word, $0) < editDistance(word, $1) }
  return best.map { "; did you mean '\($0)'?" } ?? ""
}

/// Whether few slips make `word` of a name, of which something is right.
private func isSlip(_ name: String, of word: String) -> Bool {
  let slips = editDistance(word, name)
  return slips <= (name.utf8.count < 5 ? 1 : 2) && slips < max(name.utf8.count, word.utf8.count)
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

/// Numbers as people read them.
package enum Humans {
  private static let units = ["kB", "MB", "GB", "TB", "PB", "EB"]

  /// `585,321`.
  package static func number(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return text
  }

  /// `1 key`, `2 keys`.
  package static func count(_ value: Int, _ noun: String, plural: String? = nil) -> String {
    number(value) + " " + (value == 1 ? noun : plural ?? noun + "s")
  }

  /// `4 keys (before: 3)`, or `4 keys` where there was nothing before.
  package static func keys(_ value: Int, before: Int?) -> String {
    count(value, "key") + (before.map { " (before: \(number($0)))" } ?? "")
  }

  /// `999 bytes`, `1.0 kB`, `41.3 MB`: in steps of 1,000, rounded to a tenth.
  package static func size(_ byteCount: Int) -> String {
    guard byteCount >= 1000 else { return count(byteCount, "byte") }
    var unit = 1000
    for name in units {
      let (tenths, rest) = byteCount.quotientAndRemainder(dividingBy: unit / 10)
      let rounded = tenths + (rest * 2 >= unit / 10 ? 1 : 0)
      // 999,950 bytes are 1.0 MB, not 1000.0 kB.
      if rounded < 10_000 || name == units.last { return "\(rounded / 10).\(rounded % 10) \(name)" }
      unit *= 1000
    }
    preconditionFailure("the last unit takes what is left")
  }

  /// `12.3 ns`, `4.56 us`, `789 ms`: three digits, in the unit that suits.
  package static func duration(nanoseconds: Double) -> String {
    var value = nanoseconds
    var unit = "ns"
    for larger in ["us", "ms", "s"] where value >= 999.5 {
      value /= 1000
      unit = larger
    }
    return decimal(value, places: value < 9.995 ? 2 : value < 99.95 ? 1 : 0) + " " + unit
  }

  /// `0:05`, `12:34`, `1:02:03`.
  package static func clock(seconds: Double) -> String {
    let seconds = Int(min(max(seconds.rounded(), 0), 359_999))
    func twoDigits(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }
    let minutes = seconds / 60 % 60
    let start = seconds < 3600 ? "\(minutes)" : "\(seconds / 3600):\(twoDigits(minutes))"
    return "\(start):\(twoDigits(seconds % 60))"
  }

  /// A number with a given number of decimal places, rounded half away from zero.
  package static func decimal(_ value: Double, places: Int) -> String {
    var scale = 1
    for _ in 0..<places { scale *= 10 }
    let scaled = (value.magnitude * Double(scale)).rounded()
    // A larger number has no digits after the point.
    guard scaled < 9e15 else { return "\(value)" }
    let digits = String(Int(scaled) % scale)
    let fraction = places == 0 ? "" : "." + String(repeating: "0", count: places - digits.count) + digits
    return (value < 0 && scaled > 0 ? "-" : "") + number(Int(scaled) / scale) + fraction
  }

  /// `12.5%`, of a whole that is not 0.
  package static func percent(_ part: Int, of whole: Int) -> String {
    decimal(whole == 0 ? 0 : 100 * Double(part) / Double(whole), places: 1) + "%"
  }
}
