import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBCommands

/// A database of so many keys: addresses, words and one that is neither.
private func database(keys count: Int, _ words: String...) -> Scratch {
  let scratch = Scratch()
  let lines = (0..<count).map { number in
    let key = number == 1 ? "-" : number % 2 == 0 ? "8.8.\(number).1" : "Host\(number)"
    return "{\"keys\":[\"\(key)\"],\"value\":\(number)}"
  }
  let input = lines.joined(separator: "\n")
  #expect(scratch.run(["build", "@x.fsdb", "--quiet", "--allow-empty"] + words, input: input) == Scratch.Result(0))
  return scratch
}

struct BenchTests {
  private static let names = [
    "open", "floor", "get-hit", "get-hit, checksums skipped", "get-miss", "get-batch-16",
    "get-batch-16, checksums skipped", "get-hit-two-threads", "scan", "verify",
  ]

  @Test(arguments: [1, 100])
  func `there is a line for everything that is measured`(count: Int) {
    let result = database(keys: count, "--plain").run("bench", "@x.fsdb", "--seconds", "0", "--batch", "16")
    #expect(result.status == 0)
    let lines = result.out.lines
    #expect(lines[0].hasPrefix("@x.fsdb: \(count) key\(count == 1 ? "" : "s"), "))
    let labels = lines.dropFirst(2).dropLast().map { line in
      String(line.dropFirst(2).prefix { !($0 == " ") || line.hasPrefix("  get-") && line.contains("skipped") })
    }
    for (name, label) in zip(Self.names, labels) { #expect(label.hasPrefix(name)) }
    #expect(labels.count == Self.names.count)
    #expect(lines.last!.hasPrefix("  two threads look up "))
  }

  @Test func `for programs it is one object`() {
    let result = database(keys: 40).run("bench", "@x.fsdb", "--seconds", "0", "--batch", "3", "--json")
    #expect(result.status == 0)
    #expect(result.out.lines.count == 1)
    #expect(result.out.hasPrefix(#"{"path":"@x.fsdb","keys":40,"bytes":"#))
    #expect(result.out.contains(#","plain":false,"processors":"#))
    for part in [
      #","questions":65536,"batch":3,"rounds":5,"results":[{"name":"open","checksums":"verified","nanoseconds":"#,
      #"{"name":"floor","nanoseconds":"#, #"{"name":"get-batch-3","checksums":"skipped","nanoseconds":"#,
    ] {
      #expect(result.out.contains(part))
    }
    #expect(result.out.contains(#","speedup":"#))
  }

  @Test func `a plain file says so and what to do`() {
    let result = database(keys: 2, "--plain").run("bench", "@x.fsdb", "--seconds", "0")
    #expect(result.out.lines[0].contains(" bytes, plain; "))
    let hint = "opening makes its index in memory; 'fusedb reindex @x.fsdb' puts it into the file"
    #expect(result.err == "fusedb: @x.fsdb is plain: \(hint)\n")
    let indexed = database(keys: 2).run("bench", "@x.fsdb", "--seconds", "0")
    #expect(indexed.out.lines[0].contains(" bytes, indexed; "))
    #expect(!indexed.err.contains("plain"))
  }

  @Test func `of a file without keys only opening, misses and verification are measured`() {
    let result = database(keys: 0, "--plain").run("bench", "@x.fsdb", "--seconds", "0")
    #expect(result.status == 0)
    let names = result.out.lines.dropFirst(2).map { $0.split(separator: " ")[0] }
    #expect(names == ["open", "get-miss", "verify"])
  }

  @Test func `a damaged or missing file is not measured`() {
    let scratch = database(keys: 10, "--plain")
    var bytes = scratch.read("x.fsdb")!
    bytes[60] ^= 1
    scratch.write(bytes, to: "x.fsdb")
    #expect(scratch.run("bench", "@x.fsdb", "--seconds", "0").status == 65)
    #expect(scratch.run("bench", "@absent", "--seconds", "0").status == 66)
  }

  @Test(arguments: [
    ["--batch", "0"], ["--batch", "x"], ["--seconds", "-1"], ["--seconds", "100000"], ["--rounds", "3"],
  ])
  func `wrong usage is named`(words: [String]) {
    let result = database(keys: 1).run(["bench", "@x.fsdb"] + words)
    #expect(result.status == 64)
    #expect(result.err.hasPrefix("fusedb: bench: "))
  }
}

struct QuestionsTests {
  @Test(arguments: [0, 1, 300])
  func `hits are keys of the file, and misses are not`(count: Int) throws {
    let scratch = database(keys: count)
    let reader = try FuseReader.forCommand(scratch.path("x.fsdb"), expecting: .many)
    var maker = QuestionMaker(reader, limit: 2000)
    let (hits, floor) = try maker.hits { _ in }
    let misses = try maker.misses(of: hits) { _ in }
    #expect(hits.count == (count == 0 ? 0 : 2000))
    #expect(floor.count == hits.count)
    #expect(misses.count == 2000)
    var seen: Set<[UInt8]> = []
    for number in 0..<hits.count {
      let key = hits.key(number).array()
      #expect(try reader.contains(key))
      seen.insert(key)
    }
    // Each key is drawn seven times on average.
    #expect(seen.count >= count * 9 / 10)
    for number in 0..<misses.count {
      let key = misses.key(number).array()
      #expect(try !reader.contains(key))
    }
    for size in [1, 7, 64, 5000] {
      #expect(try hits.ask(reader, 0..<hits.count, inBatchesOf: size) == hits.sum(0..<hits.count))
    }
    #expect(try hits.ask(reader, 0..<hits.count) == hits.sum(0..<hits.count))
    #expect(try misses.ask(reader, 0..<misses.count) == 0)
  }

  @Test func `where all keys of a shape are there, misses have another`() throws {
    let scratch = Scratch()
    let keys = (0..<10).map { "\"\($0)\"" }.joined(separator: ",")
    #expect(scratch.run("build", "@x.fsdb", "--quiet", input: "{\"keys\":[\(keys)],\"value\":1}").status == 0)
    let reader = try FuseReader.forCommand(scratch.path("x.fsdb"), expecting: .many)
    var maker = QuestionMaker(reader, limit: 50)
    let hits = try maker.hits { _ in }.questions
    let misses = try maker.misses(of: hits) { _ in }
    for number in 0..<misses.count { #expect(misses.key(number).byteCount == 16) }
  }
}
