import Testing

import FuseDB

@testable import FuseDBServing

/// What each level of verification finds, and what it leaves to the other. Whoever chooses a level reads the same beside it:
/// ``VerificationLevel``, ``SwapRules/check``, the help of 'verify' and 'watch', spec/format.md §10.
struct `The levels of verification` {
  /// What checksums cannot tell: files that were written wrong, with right checksums.
  private static let foundByFullAlone: Set<Damage.Kind> = [
    .objectValue, .keyBounds, .keyOrder, .keyTarget, .trailingBytes, .padding, .sectionChecksum, .hash, .order,
    .metadata,
  ]

  @Test(arguments: Fixtures.badNames)
  func `by checksums, find of each bad file all but what checksums cannot tell`(name: String) throws {
    let path = Fixtures.path(bad: name)
    let full = try FuseReader.verify(path: path)
    let found = try FuseReader.verify(path: path, level: .checksums)
    let expected = full.damage.filter { damage in
      // Keys are not counted; records are.
      !Self.foundByFullAlone.contains(damage.kind)
        && !(damage.kind == .count && damage.offset == UInt64(Header.Field.keyCount))
    }
    #expect(found.damage.map(\.kind) == expected.map(\.kind))
    #expect(found.damage.map(\.offset) == expected.map(\.offset))
  }

  @Test(arguments: Fixtures.badNames)
  func `a service refuses by default what checksums find, and with the full check all`(name: String) throws {
    guard let reader = try? FuseReader(path: Fixtures.path(bad: name)) else { return }
    var rules = SwapRules()
    #expect(rules.check == .checksums)
    let isFound = try !reader.verify(level: .checksums).isSound
    #expect((failure { try rules.examine(reader, insteadOf: nil) }?.code == .corrupted) == isFound)
    rules.check = .full
    #expect(failure { try rules.examine(reader, insteadOf: nil) }?.code == .corrupted)
    rules.check = nil
    #expect(failure { try rules.examine(reader, insteadOf: nil) } == nil)
  }

  /// A key that look-ups call absent, and one that is there twice; every checksum is right.
  @Test(arguments: ["block-slot-emptied", "block-keys-equal"])
  func `a file that was written wrong passes by checksums`(name: String) throws {
    let path = Fixtures.path(bad: name + ".fsdb")
    #expect(try FuseReader.verify(path: path, level: .checksums).isSound)
    #expect(try !FuseReader.verify(path: path).isSound)
  }
}
