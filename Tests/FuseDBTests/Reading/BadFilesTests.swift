import Testing

@testable import FuseDB

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
    // The slow model of this folder reads the specification the same way.
    #expect(ReferenceFile(try contents(Fixtures.path(bad: name))).damage == expected.findings, "\(expected.wrong)")
  }

  @Test(arguments: Fixtures.badNames, [FuseReader.Lookups.many, .few])
  func `opens or is refused as expected, and answers or throws [G3] [L6] [L7]`(
    name: String, lookups: FuseReader.Lookups
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
    let all = Set(expected.answers?.keys.map { Key([UInt8](hex: $0)) } ?? [])
      .union((expected.fails ?? []).map { Key([UInt8](hex: $0)) }).union(
        (expected.invalid ?? []).map { Key([UInt8](hex: $0)) })
    var scan = try reader.entries()
    var found: [Key] = []
    while let entry = try scan.next() { found.append(Key(try entry.key)) }
    #expect(found == all.sorted())
    for letter in UInt8.min...UInt8.max where !all.contains(Key([letter])) {
      #expect(try !reader.contains([letter]))
    }
  }

  @Test(arguments: Fixtures.badNames)
  func `opened without checksums is refused by its form, or every question about it ends`(name: String) throws {
    let path = Fixtures.path(bad: name)
    let model = ReferenceFile(try contents(path))
    let error = failure {
      let reader = try FuseReader(path: path, checksums: .skipped)
      ask(reader, Array("abcdefghijk").map { Key(String($0)) })
    }
    #expect(error?.code.rawValue == model.refusal(comparingChecksums: false))
  }

  /// Asks everything, and takes an error for an answer.
  private func ask(_ reader: FuseReader, _ keys: [Key]) {
    for key in keys { _ = try? reader.copy(of: key.bytes) }
    _ = try? Answers.of(reader, asking: keys)
    _ = try? reader.statistics
    _ = try? reader.verify()
  }
}
