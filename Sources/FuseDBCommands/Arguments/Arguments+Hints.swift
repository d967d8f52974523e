extension Arguments {
  /// The option that is also `-0`.
  static let nullOption = "--null"

  /// What to do instead of an option that people expect of every command, to stand after what is wrong.
  static func advice(on name: String, _ command: any Command.Type) -> String? {
    let writesFiles = [Build.name, Merge.name, Patch.name, Reindex.name].contains(command.name)
    guard !writesFiles, ["-o", "--output", "--out"].contains(name) else { return nil }
    return "; the result goes to standard output: put '> FILE' at the end to keep it in a file"
  }
}
