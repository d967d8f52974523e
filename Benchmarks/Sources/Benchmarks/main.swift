import Foundation

do {
  try Command(CommandLine.arguments.dropFirst()).run()
} catch {
  FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
  exit(1)
}
