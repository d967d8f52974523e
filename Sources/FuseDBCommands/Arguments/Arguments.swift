internal import FuseDB
internal import FuseDBInput

/// The words after a command's name, taken apart into options and operands.
///
/// An option is `--name`, `--name value` or `--name=value`; some are also `-n`, `-n value` or `-nvalue`. What follows `--`
/// is an operand, and so is `-`. Words are bytes: a key need not be UTF-8.
struct Arguments {
  static let endOfOptions = [UInt8]("--".utf8)
  static let help: Set<[UInt8]> = [Array("--help".utf8), Array("-h".utf8)]
  static let version: Set<[UInt8]> = [Array("--version".utf8), Array("-V".utf8)]
  /// The operand that stands for standard input.
  static let standardInput = "-"

  private let command: String
  private let known: [Option]
  private var values: [String: [[UInt8]]] = [:]
  /// All options, in the order in which they stand.
  private(set) var inOrder: [(option: String, value: [UInt8])] = []
  private var operands: ArraySlice<[UInt8]> = []

  init(_ words: ArraySlice<[UInt8]>, of command: String, options known: [Option]) throws(UsageError) {
    self.command = command
    self.known = known
    var rest = words
    while let word = rest.popFirst() {
      if word == Self.endOfOptions {
        operands += rest
        break
      }
      if word.first == UInt8(ascii: "-"), word != [UInt8](Self.standardInput.utf8) {
        try takeOption(word, &rest)
      } else {
        operands.append(word)
      }
    }
  }

  private mutating func takeOption(_ word: [UInt8], _ rest: inout ArraySlice<[UInt8]>) throws(UsageError) {
    let isLong = word.starts(with: Self.endOfOptions)
    let end = isLong ? word.firstIndex(of: UInt8(ascii: "=")) ?? word.endIndex : min(2, word.count)
    let name = String(decoding: word[..<end], as: UTF8.self)
    guard let option = known.first(where: { (isLong ? $0.name : $0.short) == name }) else {
      throw unknown(isLong ? name : String(decoding: word, as: UTF8.self))
    }
    // The value in the same word: after a '=', or directly after a letter.
    var value: [UInt8]? = end == word.endIndex ? nil : Array(word[(isLong ? end + 1 : end)...])
    if option.value == nil {
      guard value == nil else {
        let whole = String(decoding: word, as: UTF8.self)
        throw error(
          "the option \(name) takes no value" + (isLong ? "" : nearestName(to: "-" + whole, among: [option.name])))
      }
    } else if value == nil, !option.isValueOptional {
      value = rest.popFirst()
      guard value != nil else { throw error("the option \(name) lacks its value \(option.value!)") }
    } else if !isLong, value?.first == UInt8(ascii: "=") {
      throw error("the option \(name) takes its value without a '=', as in \(name) \(option.value!)")
    }
    guard option.repeats || values[option.name] == nil else { throw error("the option \(name) is given twice") }
    values[option.name, default: []].append(value ?? [])
    inOrder.append((option.name, value ?? []))
  }

  private func unknown(_ name: String) -> UsageError {
    let hint = nearestName(to: name, among: known.map { $0.name })
    if !hint.isEmpty { return error("there is no option '\(name)'" + hint) }
    if name == "--output" || name.hasPrefix("-o") {
      return error("there is no option '\(name)', since nothing is written but to standard output; '> FILE' keeps that")
    }
    return error("there is no option '\(name)'; put '--' before an argument that begins with '-'")
  }

  /// An error of this command.
  func error(_ message: String) -> UsageError { UsageError(message, in: command) }

  // MARK: Options

  /// Whether the option is there.
  func has(_ name: String) -> Bool { values[name] != nil }

  /// The values of an option, in their order, as they are.
  func values(of name: String) -> [[UInt8]] { values[name] ?? [] }

  /// The value of an option, as text.
  func text(of name: String) -> String? { values[name].map { String(decoding: $0[0], as: UTF8.self) } }

  /// The value of an option that is an integer in a range; nil where it is not given.
  func count(of name: String, in range: ClosedRange<Int> = 0 ... .max) throws(UsageError) -> Int? {
    guard let text = text(of: name) else { return nil }
    let isNumber = !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= $0 }
    if isNumber, let count = Int(text), range.contains(count) { return count }
    // The greatest number there is says something to who wrote a greater one alone.
    guard isNumber || range.upperBound < .max else {
      throw error("the option \(name) takes a number from \(range.lowerBound) on, and '\(text)' is none")
    }
    throw error("the option \(name) takes a number from \(range.lowerBound) to \(range.upperBound), and not '\(text)'")
  }

  /// The value of an option that is a number in a range, with or without a fraction.
  func number(of name: String, in range: ClosedRange<Double>) throws(UsageError) -> Double? {
    guard let text = text(of: name) else { return nil }
    // `Double` would take exponents, hexadecimal digits and `nan` as well.
    let isDecimal = text.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= $0 }
    guard isDecimal, let number = Double(text), range.contains(number) else {
      let bounds = [range.lowerBound, range.upperBound].map { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" }
      throw error("the option \(name) takes a number from \(bounds[0]) to \(bounds[1]), and not '\(text)'")
    }
    return number
  }

  /// The value of an option that is one of several words.
  func choice<Choice>(of name: String, _ choices: KeyValuePairs<String, Choice>) throws(UsageError) -> Choice? {
    guard let text = text(of: name) else { return nil }
    if let found = choices.first(where: { $0.key == text }) { return found.value }
    throw wrongChoice(of: name, text, among: choices.map { $0.key })
  }

  /// The error of an option whose value is none of some words.
  func wrongChoice(of name: String, _ text: String, among names: [String]) -> UsageError {
    error("the option \(name) takes \(listed(names, "or")), and not '\(text)'" + nearestName(to: text, among: names))
  }

  // MARK: Operands

  /// Takes the next operand.
  mutating func operand(_ name: String) throws(UsageError) -> [UInt8] {
    guard let operand = operands.popFirst() else { throw error("\(name) is missing") }
    return operand
  }

  /// Takes the next operand, a path.
  mutating func path(_ name: String) throws(UsageError) -> String { try path(try operand(name), name) }

  /// The value of an option that is a path, which its help calls `name`.
  func path(of option: String, _ name: String) throws(UsageError) -> String? {
    guard let word = values(of: option).first else { return nil }
    return try path(word, name)
  }

  /// The values of an option that is a path and may be repeated, which its help calls `name`.
  func paths(of option: String, _ name: String) throws(UsageError) -> [String] {
    var paths: [String] = []
    for word in values(of: option) { paths.append(try path(word, name)) }
    return paths
  }

  private func path(_ word: [UInt8], _ name: String) throws(UsageError) -> String {
    guard !word.isEmpty else { throw emptyPath(name) }
    return String(path: word)
  }

  /// The error of an empty path, which leads to no file.
  func emptyPath(_ name: String) -> UsageError { error("\(name) is empty; it must be the path of a file") }

  /// Takes all operands that are left.
  mutating func remaining() -> [[UInt8]] {
    defer { operands = [] }
    return Array(operands)
  }

  /// Takes all operands that are left, as paths.
  mutating func remainingPaths(_ name: String) throws(UsageError) -> [String] {
    var paths: [String] = []
    while !operands.isEmpty { paths.append(try path(name)) }
    return paths
  }

  /// Throws when an operand is left.
  func finish() throws(UsageError) {
    if let extra = operands.first {
      throw error("the argument \(quoted(extra)) is one too many")
    }
  }
}
