import Testing

import FuseDB

struct `A damaged file of the fixtures` {
  @Test func `is in the list of expectations, and each of those is a file`() throws {
    #expect(try Fixtures.bad().keys.sorted() == Fixtures.badNames)
    #expect(Fixtures.badNames.count >= 100)
  }

  @Test(arguments: Fixtures.badNames)
  func `has the whole list of its damage in verification [P1] [P2] [P3]`(name: String) throws {
    let expected = try #require(try Fixtures.bad()[name])
    let report = try FuseReader.verify(path: Fixtures.path(bad: name))
    #expect(report.findings == expected.findings, "\(expected.wrong)")
    #expect(!report.isSound)
    #expect(report.damage.allSatisfy { !$0.message.isEmpty })
    if name.hasPrefix("block-") {
      let listed = report.damage.map { ReferenceFile.Finding($0.kind.rawValue, $0.offset) }
      let expectedOrder = expected.damage.map(\.finding).filter { Self.kindsOfBlock.contains($0.kind) }
      #expect(listed.suffix(expectedOrder.count) == expectedOrder[...], "[X19] \(expected.wrong)")
    } else {
      // The slow model of this folder reads the specification the same way.
      #expect(ReferenceFile(try contents(Fixtures.path(bad: name))).damage == expected.findings, "\(expected.wrong)")
    }
  }

  private static let kindsOfBlock: Set = [
    "footer", "headerChecksum", "directory", "padding", "sectionChecksum", "hash", "order", "metadata",
  ]

  @Test(arguments: Fixtures.badNames, [FuseReader.ExpectedLookups.many, .few])
  func `opens or is refused as expected, and answers or throws [G3] [L6] [L7]`(
    name: String, lookups: FuseReader.ExpectedLookups
  ) throws {
    let expected = try #require(try Fixtures.bad()[name])
    let path = Fixtures.path(bad: name)
    guard expected.open == "opens" else {
      let error = try #require(failure { _ = try FuseReader(path: path, expecting: lookups) })
      #expect(error.code.rawValue == expected.code, "\(error)")
      #expect(error.offset != nil)
      #expect(error.path == path)
      return
    }
    let reader = try FuseReader(path: path, expecting: lookups)
    for (key, object) in expected.answers ?? [:] {
      #expect(try reader.copy(of: [UInt8](hex: key)) == [UInt8](hex: object))
      #expect(try reader.contains([UInt8](hex: key)))
    }
    for key in expected.fails ?? [] {
      let error = failure { _ = try reader.copy(of: [UInt8](hex: key)) }
      #expect(error?.code == .corrupted)
      #expect(error?.offset != nil)
      #expect(failure { _ = try reader.object(of: [UInt8](hex: key)) } == error)
    }
    for key in expected.invalid ?? [] {
      let object = try #require(try reader.copy(of: [UInt8](hex: key)))
      #expect(failure { _ = try FuseJSON.text(from: object) }?.code == .invalidValue)
      #expect(!ReferenceValue.isOneValue(object))
    }
    for key in expected.lost ?? [] { _ = try? reader.copy(of: [UInt8](hex: key)) }
    let all = expected.keys
    var found: [Key] = []
    expectOutcome(expected.scan, "the scan") {
      var scan = try reader.entries()
      while let entry = try scan.next() { found.append(Key(try entry.key)) }
      return found == all.sorted()
    }
    #expect(expected.scan == .lost || all.sorted().starts(with: found))
    for letter in UInt8.min...UInt8.max where !all.contains(Key([letter])) {
      expectOutcome(expected.absent, "the key \([letter])") { try !reader.contains([letter]) }
    }
    expectOutcome(expected.meta, "the metadata") {
      _ = try reader.metadata; return true
    }
  }

  /// Asks a question about the file that tells whether its answer was right.
  private func expectOutcome(_ expected: Fixtures.Bad.Outcome?, _ what: String, _ question: () throws -> Bool) {
    var isRight = false
    let error = failure { isRight = try question() }
    #expect(error == nil || error?.code == .corrupted && error?.offset != nil, "\(what)")
    switch expected ?? .answers {
    case .answers: #expect(isRight, "\(what): \(error.map { "\($0)" } ?? "another answer")")
    case .fails: #expect(error != nil, "\(what)")
    case .either: #expect(isRight || error != nil, "\(what)")
    case .lost: break
    }
  }

  @Test(arguments: Fixtures.badNames)
  func `opened without checksums is refused by its form, or every question about it ends`(name: String) throws {
    let path = Fixtures.path(bad: name)
    let error = failure {
      let reader = try FuseReader(path: path, checksums: .skipped)
      ask(reader, Array("abcdefghijk").map { Key(String($0)) })
    }
    if name.hasPrefix("block-") {
      #expect(error == nil || error?.offset != nil)
      if try #require(try Fixtures.bad()[name]).open == "opens" { #expect(error == nil, "\(error!)") }
    } else {
      #expect(error?.code.rawValue == ReferenceFile(try contents(path)).refusal(comparingChecksums: false))
    }
  }

  /// Asks everything, and takes an error for an answer.
  private func ask(_ reader: FuseReader, _ keys: [Key]) {
    for key in keys { _ = try? reader.copy(of: key.bytes) }
    _ = try? Answers.of(reader, asking: keys)
    _ = try? reader.statistics()
    _ = try? reader.verify()
  }
}
