/// An option of a command.
struct Option {
  /// With its two dashes.
  let name: String
  /// What stands for its value in the help, or nil for a flag.
  let value: String?
  /// Whether it may be given more than once.
  let repeats: Bool
  /// What it does.
  let help: String

  /// An option that is there or not.
  static func flag(_ name: String, _ help: String) -> Option {
    Option(name: name, value: nil, repeats: false, help: help)
  }

  /// An option with a value.
  static func value(_ name: String, _ value: String, _ help: String, repeats: Bool = false) -> Option {
    Option(name: name, value: value, repeats: repeats, help: help)
  }
}
