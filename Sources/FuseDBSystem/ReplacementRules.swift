package import FuseDBFormat

/// What a new file must have to take the place of another, and how it does.
package struct ReplacementRules: Sendable {
  /// What becomes of a link.
  var links: OutputLink
  /// The fewest keys that the file may have.
  var leastKeyCount: Int
  /// The greatest share of the keys that may be missing in comparison with the file that gives way, from 0 to 1.
  var greatestShrink: Double?
  /// What the file that gives way must be, unless it is empty; nil for anything.
  var kind: FileKind?

  package init(
    links: OutputLink = .refused, leastKeyCount: Int = 0, greatestShrink: Double? = nil, kind: FileKind? = nil
  ) {
    self.links = links
    self.leastKeyCount = leastKeyCount
    self.greatestShrink = greatestShrink
    self.kind = kind
  }

  /// Ends the process when the caller asks for what cannot be.
  func requireSense() {
    precondition(leastKeyCount >= 0, "'leastKeyCount' is at least 0")
    precondition(greatestShrink.map { (0...1).contains($0) } ?? true, "'greatestShrink' is a share, from 0 to 1")
  }

  /// Throws unless `file` may give way, whatever comes.
  func check(_ file: ReplacedFile, path: String) throws(FuseError) {
    guard let kind, file.byteCount > 0, file.kind != kind else { return }
    throw FuseError(
      .outputChanged,
      """
      a file that is no \(kind == .patch ? "patch" : "database") came here while its successor was made; it is as others \
      left it: choose another name
      """, path: path)
  }

  /// Throws unless a file with `count` keys may take the place of one with `before`, nil where that is no database.
  func check(keyCount count: Int, before: Int?, path: String) throws(FuseError) {
    guard count >= leastKeyCount else {
      let other = before.map { ", and the file here has \($0)" } ?? ""
      throw FuseError(
        .refused,
        """
        the new file has \(counted(count, "key")) where \(leastKeyCount) \(leastKeyCount == 1 ? "is" : "are") the least (rule 'leastKeyCount')\(other); nothing has \
        changed
        """, path: path)
    }
    guard let greatestShrink, let before, count < before else { return }
    guard Self.shrink(from: before, to: count) <= greatestShrink else {
      throw FuseError(
        .refused,
        """
        the new file has \(counted(count, "key")) and the file here has \(before), of which a share of \(greatestShrink) may be \
        missing at most (rule 'greatestShrink'); nothing has changed
        """, path: path)
    }
  }

  /// The share of keys that is missing. Divided like this, 93 keys of 100 are a shrink of exactly 0.07.
  package static func shrink(from before: Int, to count: Int) -> Double { Double(before - count) / Double(before) }
}

/// The file that gave way to a new one.
package struct ReplacedFile: Sendable, Equatable {
  /// Its length.
  package var byteCount: Int
  /// What it was.
  var kind = FileKind.unknown
  /// Its keys; nil where it was no database that can be read.
  package var keyCount: Int?
}
