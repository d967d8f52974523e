import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBCommands

struct ResourceTests {
  @Test(arguments: [
    ("0", 0), ("1", 1), ("16777216", 16_777_216), ("16M", 16 << 20), ("2g", 2 << 30), ("3K", 3072), ("1T", 1 << 40),
    ("5kB", 5120), ("5KiB", 5120), ("7MB", 7 << 20), ("9B", 9),
  ])
  func `sizes are bytes, or steps of 1,024`(text: String, byteCount: Int) {
    #expect(Arguments.byteCount(text) == byteCount)
  }

  @Test(arguments: [
    "", "M", "-1", "+1", "1.5G", "1 G", "1P", "1MM", "1iB", "1Bi", "1KiBB", "0x10", "99999999999999999999",
    "9999999999T",
    "１",
  ])
  func `other texts are no sizes`(text: String) {
    #expect(Arguments.byteCount(text) == nil)
  }

  @Test func `the options reach the writer`() throws {
    let words = ["x", "i", "--memory", "64M", "--temp", "/elsewhere", "--threads", "3"]
    var arguments = try Arguments(words.map { Array($0.utf8) }[...], of: Build.name, options: Build.options)
    let options = try Build(parsing: &arguments).writerOptions
    #expect(options.memory == 64 << 20)
    #expect(options.temporaryFolder == "/elsewhere")
    #expect(options.threadCount == 3)
  }

  @Test(arguments: [
    (["--memory", "lots"], "the option --memory takes bytes, or a number with K, M, G or T"),
    (["--memory", "1M"], "the option --memory takes 16M at least"),
    (["--threads", "0"], "the option --threads takes a number from 1 to 1024, and not '0'"),
    (["--threads", "1025"], "the option --threads takes a number from 1 to 1024"),
    (["--threads", "two"], "the option --threads takes a number from 1 to 1024, and not 'two'"),
    (["--temp", ""], "the option --temp takes the path of a folder"),
  ])
  func `wrong values are named`(words: [String], message: String) {
    let result = Scratch().run(["build", "x.fsdb"] + words)
    #expect(result.status == 64)
    #expect(result.err.hasPrefix("fusedb: build: " + message), "\(result.err)")
  }
}
