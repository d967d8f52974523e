import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBCommands

struct EnrichTests {
  /// 9,000 objects, no two alike, and a question for each, several times.
  @Test(arguments: [1, 2]) func `answers of more objects than are remembered are the same`(threads: Int) {
    let scratch = Scratch()
    let keys = (0..<9000).map { "key \($0)" }
    scratch.write(keys.map { "{\"keys\":[\"\($0)\"],\"value\":{\"of\":\"\($0)\",\"n\":1}}\n" }.joined(), to: "rows")
    #expect(scratch.run("build", "@keys.fsdb", "@rows", "-q").status == 0)
    // In an order that puts others between.
    let asked = (0..<27_000).map { keys[$0 * 7 % keys.count] }
    let result = scratch.run(
      "enrich", "@keys.fsdb", "--on", "k", "--field", "of", "-q", "--threads", "\(threads)",
      input: asked.map { "{\"k\":\"\($0)\"}\n" }.joined())
    #expect(result.out == asked.map { "{\"k\":\"\($0)\",\"of\":\"\($0)\"}\n" }.joined())
    #expect(result.err == "")
  }
}
