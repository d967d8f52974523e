internal import FuseDBInput

/// An input as the command line names it: `PATH`, `-` for standard input, or either after a format, as in `csv:PATH`.
struct InputName: Equatable {
  /// Nil for standard input.
  let path: String?
  /// How its records are written.
  let format: FuseInput.Format

  /// What it is called in messages.
  var name: String { path ?? InputFile.standardInputName }

  /// Takes `word` apart. Its own format comes first, then `format`, then that of the ending of the path, then `otherwise`. [S4]
  init(_ word: String, format: FuseInput.Format?, otherwise: FuseInput.Format = .ndjson) {
    var path = word
    var ownFormat: FuseInput.Format?
    if let colon = word.firstIndex(of: ":"), let named = FuseInput.Format(rawValue: String(word[..<colon])) {
      ownFormat = named
      path = String(word[word.index(after: colon)...])
    }
    self.path = path == Arguments.standardInput ? nil : path
    self.format = ownFormat ?? format ?? FuseInput.Format(guessedFrom: path) ?? otherwise
  }
}
