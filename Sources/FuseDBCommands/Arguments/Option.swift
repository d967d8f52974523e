/// An option of a command.
struct Option {
  /// With its two dashes.
  let name: String
  /// A dash and a letter that stand for it, or nil.
  let short: String?
  /// What stands for its value in the help, or nil for a flag.
  let value: String?
  /// Whether it may be given more than once.
  let repeats: Bool
  /// What it does.
  let help: String

  /// An option that is there or not.
  static func flag(_ name: String, short: String? = nil, _ help: String) -> Option {
    Option(name: name, short: short, value: nil, repeats: false, help: help)
  }

  /// An option with a value.
  static func value(
    _ name: String, short: String? = nil, _ value: String, _ help: String, repeats: Bool = false
  ) -> Option {
    Option(name: name, short: short, value: value, repeats: repeats, help: help)
  }
}
