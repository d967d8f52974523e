/// An option of a command: what is needed to parse it, to explain it and to complete it.
struct Option {
  /// With its two dashes.
  let name: String
  /// A dash and a letter that stand for it, or nil.
  let short: String?
  /// What stands for its value in the help, or nil for a flag.
  let value: String?
  /// The words of which its value is one; empty where it may be another.
  let choices: [String]
  /// Whether it may stand without its value.
  var isValueOptional = false
  /// Whether it may be given more than once.
  let repeats: Bool
  /// What it does.
  let help: String

  /// The letters that stand for an option in each command that has it.
  private static let letters = ["--json": "-j", "--quiet": "-q", "--help": "-h", "--version": "-V"]

  /// The options of every command whose results go to standard output otherwise.
  static let ofPrinting: [Option] = [
    .value("--output", short: "-o", "OUTPUT", "write what would be printed to the file OUTPUT, in one step"),
    .flag("--overwrite", "replace OUTPUT if it is there and no database"),
  ]

  /// The options that every command takes.
  static let ofAll: [Option] = [
    .flag("--quiet", "say nothing on standard error but what fails"),
    .flag("--help", "explain the command"),
    .flag("--version", "print the version of fusedb"),
  ]

  /// An option that is there or not.
  static func flag(_ name: String, short: String? = nil, _ help: String) -> Option {
    Option(name: name, short: short ?? letters[name], value: nil, choices: [], repeats: false, help: help)
  }

  /// An option that is there or not, or there with one of some words, as in `--name=word`.
  static func flag(_ name: String, orValue value: String, _ help: String) -> Option {
    Option(
      name: name, short: letters[name], value: value, choices: value.split(separator: "|").map { String($0) },
      isValueOptional: true, repeats: false, help: help)
  }

  /// How its value is told of after its name; empty for a flag.
  var valueText: String {
    guard let value else { return "" }
    return isValueOptional ? "[=\(value)]" : " \(value)"
  }

  /// An option with a value.
  ///
  /// - Parameters:
  ///   - value: what stands for it in the help. Words with "|" between them are the choices.
  ///   - choices: the words of which it is one, where `value` does not name them.
  static func value(
    _ name: String, short: String? = nil, _ value: String, choices: [String]? = nil, _ help: String,
    repeats: Bool = false
  ) -> Option {
    let words = value.utf8.contains(UInt8(ascii: "|")) ? value.split(separator: "|").map { String($0) } : []
    return Option(
      name: name, short: short ?? letters[name], value: value, choices: choices ?? words, repeats: repeats, help: help)
  }
}

extension Command {
  /// Whether its results can go to a file: they come to an end, and it writes no other file.
  static var printsToFile: Bool { isEnding && !options.contains { $0.name == Arguments.outputOption.name } }

  /// Whether it ends by itself.
  static var isEnding: Bool { true }

  /// The options that it takes, with those that every command takes.
  static var allOptions: [Option] {
    let common = (printsToFile ? Option.ofPrinting : []) + Option.ofAll
    return options + common.filter { common in !options.contains { $0.name == common.name } }
  }
}

/// What a word of the command line is, by the name that it has in the help: the same word for the same thing everywhere.
enum Placeholder {
  /// A database.
  case database
  /// Any file.
  case file
  case folder
  /// A path of names in the values of a database.
  case field
  /// A command of fusedb.
  case command
  /// One of these words.
  case choice([String])
  /// A text that nothing is known about.
  case text

  init(_ name: String) {
    self =
      switch name {
      case "FILE", "OLD", "NEW", "OTHER": .database
      case "INPUT", "OUTPUT", "PATCH", "LIST": .file
      case "DIR": .folder
      case "PATH": .field
      case "COMMAND": .command
      case _ where name.utf8.contains(UInt8(ascii: "|")): .choice(name.split(separator: "|").map { String($0) })
      default: .text
      }
  }

  /// What the value of an option is.
  init(_ option: Option) {
    self = option.choices.isEmpty ? Placeholder(option.value ?? "") : .choice(option.choices)
  }

  /// What the operands of a command are, in order, and what all further ones are: of `[-o OUTPUT] FILE KEY...` a database,
  /// and then texts without an end.
  static func operands(of command: any Command.Type) -> (first: [Placeholder], rest: Placeholder?) {
    var words = command.operands.split(separator: " ").map { word in
      String(word).filter { $0 != "[" && $0 != "]" }
    }
    if words.first == "-o" { words.removeFirst(2) }
    var first: [Placeholder] = []
    for word in words {
      guard !word.hasSuffix("...") else { return (first, Placeholder(String(word.dropLast(3)))) }
      first.append(Placeholder(word))
    }
    return (first, nil)
  }
}
