import Foundation

// Prints what Swift makes of typed values, for Tests/Interop/test_typed.py:
//
//   TypedValues table             each row of the table: name, tab, bytes as hex
//   TypedValues recode            for each line of hex: the Model that it is, encoded again
//   TypedValues read FILE         for each line, a key: the Model under it, encoded again
//   TypedValues write FILE        builds FILE of lines: keys with commas between them, tab, a Model as hex
//
// An answer is a line of hex, or "error " and the error.

do {
  let arguments = Array(CommandLine.arguments.dropFirst())
  switch (arguments.first, arguments.count) {
  case ("table", 1): try Table.print()
  case ("recode", 1): Exchange.recode()
  case ("read", 2): try Exchange.read(arguments[1])
  case ("write", 2): try Exchange.write(arguments[1])
  default:
    FileHandle.standardError.write(Data("usage: TypedValues table | recode | read FILE | write FILE\n".utf8))
    exit(64)
  }
} catch {
  FileHandle.standardError.write(Data("TypedValues: \(error)\n".utf8))
  exit(1)
}
