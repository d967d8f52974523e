internal import FuseDB
internal import FuseDBInput

/// The entry point of the command: `main` in Sources/FuseDBTool/main.c calls it.
@c(fusedb_main)
@unsafe
public func main(argumentCount: Int32, arguments: UnsafePointer<UnsafePointer<CChar>?>) -> Int32 {
  // SAFETY: these are the arguments of C's `main`, as they came, and it is still running.
  unsafe Tool.main(argumentCount, arguments, Console())
}

/// The command line as a whole: finds the command, runs it, and turns what happens into an exit status.
package enum Tool {
  /// Does what the arguments of the process ask for.
  ///
  /// - Parameters: what C's `main` is given.
  @unsafe
  package static func main(
    _ count: Int32, _ words: UnsafePointer<UnsafePointer<CChar>?>, _ console: Console
  ) -> Int32 {
    Interruption.ignoreFileSizeSignal()
    // SAFETY: so the caller says.
    return run(unsafe Self.words(count, words), console)
  }

  /// The words after the program's name, as bytes: keys need not be UTF-8.
  ///
  /// - Parameters: what C's `main` is given.
  @unsafe
  static func words(_ count: Int32, _ words: UnsafePointer<UnsafePointer<CChar>?>) -> [[UInt8]] {
    // SAFETY: the C runtime passes `count` strings that end in a zero byte and live as long as the process.
    unsafe UnsafeBufferPointer(start: words, count: Int(count)).dropFirst().map { word in
      guard let word = unsafe word else { return [] }
      var bytes: [UInt8] = []
      while unsafe word[bytes.count] != 0 { unsafe bytes.append(UInt8(bitPattern: word[bytes.count])) }
      return bytes
    }
  }

  /// Does what `words` ask for and returns the exit status of the process.
  package static func run(_ words: [[UInt8]], _ console: Console) -> Int32 {
    var status: ExitStatus
    console.words = words
    do throws(UsageError) {
      let parsed = try command(words, console)
      status = run(parsed.command, output: parsed.output, console)
    } catch {
      status = console.explain(error, overview: error.showsOverview ? Help.overview : nil)
    }
    do throws(FuseError) {
      try console.out.flush()
    } catch {
      status = console.report(error)
    }
    // A failure here cannot be reported.
    try? console.err.flush()
    return status.rawValue
  }

  private static func run(_ command: any Command, output: String?, _ console: Console) -> ExitStatus {
    do throws(FuseError) {
      guard let output else { return try command.run(console) }
      return try console.printing(to: output) { () throws(FuseError) in try command.run(console) }
    } catch {
      return console.report(error)
    }
  }

  /// A command, and the file for its results where that is not standard output.
  private struct Parsed {
    var command: any Command
    var output: String?
  }

  /// The command that `words` describe.
  private static func command(_ words: [[UInt8]], _ console: Console) throws(UsageError) -> Parsed {
    guard let first = words.first else { throw UsageError("a command is missing", showsOverview: true) }
    let rest = words.dropFirst()
    switch String(decoding: first, as: UTF8.self) {
    case "--help", "-h": return try parse(rest, for: Help.self, console)
    case "--version", "-V":
      guard rest.isEmpty else { throw UsageError("--version takes no arguments") }
      return Parsed(command: Version())
    case let name: return try parse(rest, for: Help.command(named: name), console)
    }
  }

  private static func parse(
    _ words: ArraySlice<[UInt8]>, for command: any Command.Type, _ console: Console
  ) throws(UsageError) -> Parsed {
    let options = words.prefix { $0 != Arguments.endOfOptions }
    if options.contains(where: Arguments.help.contains) { return Parsed(command: Help(about: command)) }
    if options.contains(where: Arguments.version.contains) { return Parsed(command: Version()) }
    var arguments = try Arguments(words, of: command.name, options: command.allOptions)
    console.isQuiet = arguments.has("--quiet")
    let parsed = try command.init(parsing: &arguments)
    try arguments.finish()
    let output = command.printsToFile ? try arguments.printingOutput() : nil
    return Parsed(command: parsed, output: output)
  }
}
