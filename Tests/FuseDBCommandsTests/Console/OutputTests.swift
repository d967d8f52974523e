import FuseDB
import Glibc
import ProgramSupport
import Testing

@testable import FuseDBCommands

struct OutputTests {
  @Test func `a line that fails leaves nothing behind`() throws {
    let output = Output(nil, name: "a test")
    try output.line("first")
    #expect(throws: FuseError(.corrupted, "damage")) {
      try output.line { writer throws(FuseError) in
        writer.append("half of it")
        throw FuseError(.corrupted, "damage")
      }
    }
    try output.line("second")
    #expect(output.text == "first\nsecond\n")
  }

  @Test func `what cannot be written is an error that says so, once`() throws {
    let descriptor = unsafe open("/dev/full", O_WRONLY)
    defer { close(descriptor) }
    let output = Output(Descriptor(descriptor), name: "standard output")
    // The first line is written at once.
    #expect(throws: FuseError(.inputOutput, "cannot write to standard output: No space left on device", errno: ENOSPC))
    {
      try output.line("text")
    }
    try output.flush()
  }

  @Test func `a large text is handed over before its end`() throws {
    let scratch = Scratch()
    let descriptor = unsafe open(scratch.path("out"), O_WRONLY | O_CREAT, 0o600)
    defer { close(descriptor) }
    let output = Output(Descriptor(descriptor), name: "a file")
    let line = String(repeating: "x", count: 999)
    for _ in 0..<100 { try output.line(line) }
    let early = scratch.read("out")?.count ?? 0
    #expect(early > 0 && early < 100_000)
    try output.flush()
    #expect(scratch.read("out") == Array(String(repeating: line + "\n", count: 100).utf8))
  }
}

struct ExitStatusTests {
  @Test(
    arguments: [
      (FuseError.Code.notADatabase, 65), (.unsupportedVersion, 65), (.corrupted, 65), (.truncated, 65),
      (.limitExceeded, 65), (.duplicateKey, 65), (.invalidValue, 65), (.patchMismatch, 65), (.refused, 65),
      (.notFound, 66), (.inputOutput, 74), (.outputChanged, 74), (.unavailable, 69),
      (.cancelled, 74), (.invalidArgument, 65),
    ] as [(FuseError.Code, Int32)])
  func `every kind of error has its exit status`(code: FuseError.Code, status: Int32) {
    #expect(ExitStatus(FuseError(code, "")).rawValue == status)
  }
}

struct ConsoleTests {
  private func console() -> Console {
    Console(out: Output(nil, name: "standard output"), err: Output(nil, name: "standard error"), input: .standardInput)
  }

  @Test func `an error is reported with all it knows`() {
    let console = console()
    let status = console.report(FuseError(.corrupted, "it is damaged", offset: 32, path: "x.fsdb"))
    #expect(status == .badData)
    #expect(console.err.text == "fusedb: x.fsdb: offset 32: it is damaged\n")
    #expect(console.out.text == "")
  }

  @Test func `whoever closed the pipe hears nothing`() {
    let console = console()
    let status = console.report(FuseError(.inputOutput, "cannot write to standard output: Broken pipe", errno: EPIPE))
    #expect(status == .inputOutput)
    #expect(console.err.text == "")
  }

  @Test func `wrong usage points to the help`() {
    let console = console()
    #expect(console.explain(UsageError("KEY is missing", in: "get")) == .usage)
    #expect(console.err.text == "fusedb: get: KEY is missing\n'fusedb help get' explains the command.\n")
  }
}
