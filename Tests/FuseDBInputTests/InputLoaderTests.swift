import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBInput

/// What comes of some inputs: the file, how many records there were, and where; or the error.
private enum Outcome: Equatable {
  case built([UInt8]?, records: Int, duplicates: [DuplicateKey])
  case refused(FuseError)
}

/// Inputs in all formats, some with errors in them.
private struct Case {
  var inputs: [(format: FuseInput.Format, bytes: [UInt8])]
  var takesQuotes: Bool

  static let words = ["a", "b", "cc", "é", "x y", "", "12", "long cell of text"]

  init(random: inout SeededRandom, withErrors: Bool) {
    let takesQuotes = Bool.random(using: &random)
    self.takesQuotes = takesQuotes
    inputs = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      let format = FuseInput.Format.allCases.filter { $0 != .mmdb }.randomElement(using: &random)!
      if format == .msgpack { return (format, Self.values(withErrors: withErrors, &random)) }
      if format == .json { return (format, Self.document(withErrors: withErrors, &random)) }
      let lines = (0..<Int.random(in: 0...30, using: &random)).map { _ in
        Self.line(of: format, takesQuotes: takesQuotes, withErrors: withErrors, &random)
      }
      let ends = ["\n", "\r\n", "\n\n"]
      var text = Bool.random(using: &random) ? "\u{FEFF}" : ""
      if format.isTable { text += Self.row(["id", "x", "y"], of: format) + "\n" }
      for line in lines {
        if format.isTable, Int.random(in: 0..<5, using: &random) == 0 { text += "# a \"comment,\n" }
        text += line + ends.randomElement(using: &random)!
      }
      var bytes = Array(text.utf8)
      if Bool.random(using: &random), bytes.last == UInt8(ascii: "\n"), !lines.isEmpty { bytes.removeLast() }
      return (format, bytes)
    }
  }

  private static func values(withErrors: Bool, _ random: inout SeededRandom) -> [UInt8] {
    let packer = MessagePackPacker()
    for _ in 0..<Int.random(in: 0...30, using: &random) {
      if withErrors, Int.random(in: 0..<20, using: &random) == 0 {
        packer.packNull()
      } else if Bool.random(using: &random) {
        packer.packMap(count: 2)
        for text in ["id", "k\(Int.random(in: 0..<20, using: &random))", "x", words.randomElement(using: &random)!] {
          packer.pack(string: Array(text.utf8).rawSpan)
        }
      } else {
        packer.packArray(count: 2)
        packer.packArray(count: 1)
        packer.pack(binary: [UInt8.random(in: 0...30, using: &random)].rawSpan)
        packer.pack(binary: [UInt8](repeating: 0xC1, count: Int.random(in: 0...300, using: &random)).rawSpan)
      }
    }
    var bytes = packer.bytes.array()
    if withErrors, Int.random(in: 0..<20, using: &random) == 0 { bytes.append(0xC1) }
    if withErrors, Bool.random(using: &random), !bytes.isEmpty { bytes.removeLast() }
    return bytes
  }

  /// Records of JSON, over lines or not, in an array or not.
  private static func document(withErrors: Bool, _ random: inout SeededRandom) -> [UInt8] {
    let isList = Bool.random(using: &random)
    let space = ["", " ", "\n", "\r\n \t"]
    var text = space.randomElement(using: &random)! + (isList ? "[" : "")
    let count = Int.random(in: 0...30, using: &random)
    for number in 0..<count {
      text += space.randomElement(using: &random)!
      let record = line(of: .ndjson, takesQuotes: false, withErrors: withErrors, &random)
      text += record.replacing(":", with: ":" + space.randomElement(using: &random)!)
      text += space.randomElement(using: &random)!
      if isList, number < count - 1 || withErrors && Int.random(in: 0..<5, using: &random) == 0 { text += "," }
    }
    text += isList ? "]" + space.randomElement(using: &random)! : ""
    var bytes = Array(text.utf8)
    if withErrors, Int.random(in: 0..<3, using: &random) == 0, !bytes.isEmpty { bytes.removeLast() }
    return bytes
  }

  private static func row(_ cells: [String], of format: FuseInput.Format) -> String {
    cells.joined(separator: format == .csv ? "," : "\t")
  }

  private static func line(
    of format: FuseInput.Format, takesQuotes: Bool, withErrors: Bool, _ random: inout SeededRandom
  ) -> String {
    let key = "k\(Int.random(in: 0..<20, using: &random))"
    let word = words.randomElement(using: &random)!
    let isWrong = withErrors && Int.random(in: 0..<20, using: &random) == 0
    if format == .ndjson {
      return isWrong
        ? ["{", "[]", "{\"x\":1}"].randomElement(using: &random)! : "{\"id\":\"\(key)\",\"x\":\"\(word)\"}"
    }
    if isWrong {
      return row([["", "1", "2"], [key, "1"], [key, "1", "2", "3"]].randomElement(using: &random)!, of: format)
    }
    var cells = [key, word, String(Int.random(in: 0..<5, using: &random))]
    if takesQuotes, Bool.random(using: &random) {
      cells[1] = "\"\(word)\(["", "\n", "\"\"", ",", "\t", "\r\n\n"].randomElement(using: &random)!)\""
    } else if !takesQuotes, Bool.random(using: &random) {
      cells[1] += "\""
    }
    return row(cells, of: format)
  }

  /// Reads and builds it.
  func outcome(_ scratch: Scratch, threadCount: Int, blockByteCount: Int) throws -> Outcome {
    let writer = FuseWriter()
    var job = InputLoader.Job(
      inputs: inputs.indices.map { ("input \($0)", inputs[$0].format) },
      fields: FieldSelection(keys: [Array("id".utf8)], kept: []))
    job.table.takesQuotes = takesQuotes
    job.table.commentPrefix = [UInt8(ascii: "#")]
    job.threadCount = threadCount
    job.blockByteCount = blockByteCount
    do throws(FuseError) {
      let loader = try InputLoader(job, writer)
      try loader.run { number throws(FuseError) in
        try InputFile(path: scratch.write(inputs[number].bytes, to: "input \(number)"))
      }
      let report = try writer.build(to: scratch.path("out"))
      return .built(scratch.read("out"), records: loader.totals.recordCount, duplicates: report.duplicates)
    } catch {
      return .refused(error)
    }
  }
}

struct InputLoaderTests {
  @Test(arguments: [false, true])
  func `the size of blocks and the number of threads change nothing, not even which error is named`(
    withErrors: Bool
  ) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let scratch = Scratch()
    var refusedCount = 0
    for _ in 0..<150 {
      let example = Case(random: &random, withErrors: withErrors)
      let expected = try example.outcome(scratch, threadCount: 1, blockByteCount: 1 << 16)
      if case .refused = expected { refusedCount += 1 }
      for threadCount in [1, 2, 5] {
        let byteCount = Int.random(in: 1...64, using: &random)
        let found = try example.outcome(scratch, threadCount: threadCount, blockByteCount: byteCount)
        #expect(found == expected, "seed \(seed): blocks of \(byteCount) bytes, \(threadCount) threads")
      }
    }
    #expect(withErrors ? refusedCount > 30 : refusedCount == 0, "seed \(seed)")
  }

  @Test func `of many errors the first in the input is named, whoever meets it`() throws {
    let scratch = Scratch()
    let good = (0..<500).map { "{\"id\":\"k\($0)\"}\n" }.joined()
    let bad = (0..<500).map { "{\"id\":\"k\($0)\"\n" }.joined()
    scratch.write(Array((good + bad).utf8), to: "in")
    for round in 0..<20 {
      var job = InputLoader.Job(
        inputs: [("in", .ndjson)], fields: FieldSelection(keys: [Array("id".utf8)], kept: []))
      job.threadCount = 4
      job.blockByteCount = 16 + round
      let loader = try InputLoader(job, FuseWriter())
      let error = #expect(throws: FuseError.self) {
        try loader.run { _ throws(FuseError) in try InputFile(path: scratch.path("in")) }
      }
      #expect(error?.path == "in:501")
    }
  }

  @Test(arguments: FuseInput.Format.allCases.filter { $0 != .mmdb }, [FlawPolicy.skipped, .told(atMost: 5)])
  func `bad records leave nothing, and the first of them are named, in blocks of any size and on any thread [S9]`(
    format: FuseInput.Format, policy: FlawPolicy
  ) throws {
    let scratch = Scratch()
    // Every third record is bad: one that is no UTF-8 where there is text, and one without a key.
    let records = (0..<60).map { number -> [UInt8] in
      let text: [UInt8] = number % 6 == 2 ? [0xFF] : Array("v".utf8)
      let key = number % 6 == 5 ? "" : "k\(number)"
      switch format {
      case .csv, .tsv: return Array((key + (format == .csv ? "," : "\t")).utf8) + text + Array("\n".utf8)
      case .ndjson, .json: return Array("{\"id\":\"\(key)\",\"x\":\"".utf8) + text + Array("\"}\n".utf8)
      case .msgpack:
        let packer = MessagePackPacker()
        packer.packMap(count: 1)
        packer.pack(string: Array("id".utf8).rawSpan)
        if number % 6 == 2 { packer.packMap(count: 0) } else { packer.pack(string: Array(key.utf8).rawSpan) }
        return packer.bytes.array()
      case .mmdb: return []
      }
    }
    let head = format == .csv ? "id,x\n" : format == .tsv ? "id\tx\n" : ""
    scratch.write(Array(head.utf8) + records.joined(), to: "in")
    for (threadCount, blockByteCount) in [(1, 1 << 16), (1, 4), (1, 30), (3, 7), (3, 90)] {
      var job = InputLoader.Job(inputs: [("in", format)], fields: FieldSelection(keys: [Array("id".utf8)], kept: []))
      job.threadCount = threadCount
      job.blockByteCount = blockByteCount
      job.flaws = policy
      let loader = try InputLoader(job, FuseWriter())
      let error: FuseError?
      do throws(FuseError) {
        try loader.run { _ throws(FuseError) in try InputFile(path: scratch.path("in")) }
        error = nil
      } catch let failure {
        error = failure
      }
      let first = head.isEmpty ? 1 : 2
      let bad = (0..<20).map { 3 * $0 + 2 + first }
      func places(_ errors: [FuseError]) -> [String?] {
        errors.map { $0.path?.split(separator: ":").last.map { String($0.split(separator: " ").last!) } }
      }
      if policy == .skipped {
        #expect(error == nil && loader.totals.recordCount == 40 && loader.totals.keyCount == 40)
        #expect(loader.skipped.count == 20 && places(loader.skipped.first) == bad.prefix(10).map { String($0) })
      } else {
        #expect(error != nil && error == loader.failures.first)
        #expect(places(loader.failures) == bad.prefix(5).map { String($0) })
      }
    }
  }

  @Test func `fields that were seen on any thread were seen`() throws {
    let scratch = Scratch()
    let text = (0..<200).map { "{\"id\":\($0),\"x\":1\($0 == 150 ? ",\"rare\":2" : "")}\n" }.joined()
    scratch.write(Array(text.utf8), to: "in")
    var job = InputLoader.Job(
      inputs: [("in", .ndjson)],
      fields: FieldSelection(keys: [Array("id".utf8)], kept: ["x", "rare", "absent"].map { Array($0.utf8) }))
    job.threadCount = 3
    job.blockByteCount = 64
    let loader = try InputLoader(job, FuseWriter())
    try loader.run { _ throws(FuseError) in try InputFile(path: scratch.path("in")) }
    #expect(loader.fields?.keys.map { $0.wasSeen } == [true])
    #expect(loader.fields?.kept.map { $0.wasSeen } == [true, true, false])
    #expect(loader.totals.recordCount == 200)
    #expect(loader.totals.keyCount == 200)
  }

  @Test func `an input that cannot be opened ends the reading after those before it`() throws {
    let scratch = Scratch()
    scratch.write(Array("{\"id\":1}\n{\n".utf8), to: "in")
    var job = InputLoader.Job(
      inputs: [("in", .ndjson), ("absent", .ndjson)], fields: FieldSelection(keys: [Array("id".utf8)], kept: []))
    job.threadCount = 2
    let loader = try InputLoader(job, FuseWriter())
    let error = #expect(throws: FuseError.self) {
      try loader.run { number throws(FuseError) in try InputFile(path: scratch.path(number == 0 ? "in" : "absent")) }
    }
    #expect(error?.path == "in:2")
  }

  @Test func `places are in the order of inputs and lines`() {
    let places = [(0, 1), (0, 2), (0, 1 << 48 - 1), (1, 1), (65_535, 1 << 48 - 1)]
    let numbers = places.map { InputPosition(input: $0.0, line: $0.1).number }
    #expect(numbers == numbers.sorted())
    #expect(numbers.map { [InputPosition($0).input, InputPosition($0).line] } == places.map { [$0.0, $0.1] })
  }

  @Test(arguments: [
    [0, 2, 64], [16, 1, 256], [16, 2, 256], [64, 2, 1024], [1_000_000, 2, 1024], [64, 16, 128], [64, 1024, 64],
    [1_000_000, 1024, 1024],
  ])
  func `blocks are a share of the memory, divided by the threads, within bounds`(numbers: [Int]) {
    let (megabytes, threadCount, kilobytes) = (numbers[0], numbers[1], numbers[2])
    let byteCount = InputLoader.blockByteCount(memory: megabytes << 20, threadCount: threadCount)
    #expect(byteCount == kilobytes << 10)
  }
}
