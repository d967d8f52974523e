/// What messages call the options that choose how inputs are read: those of the command, or the properties of ``FuseInput``.
package enum OptionNames: Sendable {
  case command, library

  private func name(_ option: String, _ property: String) -> String { self == .command ? option : property }

  var keys: String { name("--key", "keyFields") }
  var kept: String { name("--keep", "keptFields") }
  var range: String { name("--range", "addressRange") }
  var types: String { name("--type", "types") }
  var columns: String { name("--columns A,B,C", "columns") }
  var noQuotes: String { name("--no-quotes", "takesQuotes = false") }
  var allowMissing: String { name("--allow-missing", "allowsMissingFields = true") }
  var recordLimit: String { name("--record-limit", "recordLimit") }
  var memory: String { name("--memory", "the writer's memory") }

  /// How a format is chosen.
  func format(_ format: FuseInput.Format) -> String { name("--format \(format)", "format: .\(format)") }

  /// How the field is named that holds the key.
  func example(key: String) -> String { name("--key \(key)", "keyFields = [\"\(key)\"]") }
}
