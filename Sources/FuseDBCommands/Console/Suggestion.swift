internal import FuseDB
internal import FuseDBInput

/// What may have been meant by a name that leads nowhere, as the end of a message.
enum Suggestion {
  /// More names are not looked at.
  private static let mostNames = 10_000

  /// A file of a similar name in the folder of the one that an error misses; nil where there is none, or another reason.
  static func path(for error: FuseError) -> String? {
    guard error.code == .notFound, error.errno == FuseError.noSuchFile, let path = error.path else { return nil }
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let folder = slash.map { String(path.utf8[...$0])! } ?? ""
    let word = slash.map { String(path.utf8[path.utf8.index(after: $0)...])! } ?? path
    guard !word.isEmpty else { return nil }
    let names = FolderListing.names(at: folder.isEmpty ? "." : folder, most: mostNames)
      .sorted()
    guard let name = nearest(to: word, among: names) else { return nil }
    return "; did you mean '\(folder)\(name)'?"
  }

  /// The nearest of some names of files: few slips apart, or the word with an ending.
  private static func nearest(to word: String, among names: [String]) -> String? {
    // Names such as a.fsdb and b.fsdb are alike, and meant to be different.
    let stem = word.utf8.prefix(upTo: word.utf8.lastIndex(of: UInt8(ascii: ".")) ?? word.utf8.endIndex)
    let mostSlips = stem.count < 3 ? 0 : stem.count < 5 ? 1 : 2
    let all = names.map { (name: $0, slips: editDistance(word, $0)) }
    let best = all.filter { $0.slips <= mostSlips }.min { $0.slips < $1.slips }
    if let best { return best.name }
    if let whole = names.first(where: { $0.hasPrefix(word + ".") }) { return whole }
    // However short a stem is, slips behind it are slips.
    guard stem.count < word.utf8.count, !stem.isEmpty else { return nil }
    let start = String(stem)! + "."
    return all.filter { $0.name.hasPrefix(start) && $0.slips <= 2 }.min { $0.slips < $1.slips }?.name
  }
}
