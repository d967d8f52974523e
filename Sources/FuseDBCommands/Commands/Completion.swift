internal import FuseDB
internal import FuseDBInput

/// What may stand in the place of the last of some words after `fusedb`.
struct Completion {
  /// One a line: a word, and after a tab what it does; or what the shell knows better.
  private(set) var lines: [String] = []
  private let current: String

  init(_ words: [[UInt8]]) {
    let texts = words.map { String(decoding: $0, as: UTF8.self) }
    current = texts.last ?? ""
    let before = texts.dropLast()
    guard let name = before.first else {
      for command in Help.commands { offer(command.name, command.summary) }
      if current.hasPrefix("-") { offer([.flag("--help", "list the commands"), Option.ofAll.last!]) }
      return
    }
    guard let command = Help.commands.first(where: { $0.name == name }) else {
      if ["--help", "-h"].contains(name), before.count == 1 { offer(.command, for: "") }
      return
    }
    complete(command, before.dropFirst(), words)
  }

  private mutating func complete(_ command: any Command.Type, _ before: ArraySlice<String>, _ words: [[UInt8]]) {
    var given: Set<String> = []
    var pending: Option?
    var operands: [Int] = []
    var isPastOptions = false
    for (number, word) in zip(before.indices, before) {
      if pending != nil {
        pending = nil
      } else if isPastOptions || !word.hasPrefix("-") || word == "-" {
        operands.append(number)
      } else if word == "--" {
        isPastOptions = true
      } else {
        let name = String(word.prefix { $0 != "=" })
        let option = command.allOptions.first {
          $0.name == name || $0.short == String(word.prefix(2)) && !word.hasPrefix("--")
        }
        if let option { given.insert(option.name) }
        if let option, option.value != nil, !option.isValueOptional, word == option.name || word == option.short {
          pending = option
        }
      }
    }
    let expected = Placeholder.operands(of: command)
    let database = operands.enumerated().first { order, _ in
      guard order < expected.first.count, case .database = expected.first[order] else { return false }
      return true
    }.map { words[$0.element] }
    if let pending {
      offer(Placeholder(pending), for: "", of: database)
    } else if !isPastOptions, current.hasPrefix("--"), let equals = current.firstIndex(of: "=") {
      let name = String(current[..<equals])
      guard let option = command.allOptions.first(where: { $0.name == name }), option.value != nil else { return }
      offer(Placeholder(option), for: name + "=", of: database)
    } else if !isPastOptions, current.hasPrefix("-"), current != "-" || !command.operands.isEmpty {
      offer(command.allOptions.filter { $0.repeats || !given.contains($0.name) })
    } else {
      let place = operands.count < expected.first.count ? expected.first[operands.count] : expected.rest
      if let place { offer(place, for: "", of: database) }
    }
  }

  /// Offers options: by their letters, too, where only a dash stands there.
  private mutating func offer(_ options: [Option]) {
    for option in options {
      let help =
        option.help.utf8.firstIndex(of: UInt8(ascii: "(")).map { String(option.help.utf8[..<$0])! } ?? option.help
      offer(option.name, help)
    }
  }

  private mutating func offer(_ place: Placeholder, for option: String, of database: [UInt8]? = nil) {
    switch place {
    case .database: lines.append(":files .fsdb")
    case .file: lines.append(":files")
    case .folder: lines.append(":folders")
    case .command: for command in Help.commands { offer(option + command.name, command.summary) }
    case .choice(let words): for word in words { offer(option + word, "") }
    case .field:
      guard let database else { return }
      for name in FieldNames(inFileAt: String(path: database)).names { offer(option + name, "") }
    case .text: break
    }
  }

  private mutating func offer(_ word: String, _ help: String) {
    // In the protocol, a word with one of these would be something else.
    guard word.hasPrefix(current), !word.hasPrefix(":"), !word.utf8.contains(where: { $0 < 0x20 }) else { return }
    var help = help
    while help.last == " " { help.removeLast() }
    lines.append(help.isEmpty ? word : word + "\t" + help)
  }
}
