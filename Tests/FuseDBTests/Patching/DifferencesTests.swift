import ProgramSupport
import Testing

import FuseDB

/// What `Differences` should find, from dictionaries.
private struct Found: Equatable {
  var change: String
  var key: Key
  var old: [UInt8]?
  var new: [UInt8]?
}

struct `Differences of two files` {
  private static func expected(_ old: [Key: [UInt8]], _ new: [Key: [UInt8]]) -> [Found] {
    Set(old.keys).union(new.keys).sorted().compactMap { key in
      guard old[key] != new[key] else { return nil }
      let change = old[key] == nil ? "added" : new[key] == nil ? "removed" : "changed"
      return Found(change: change, key: key, old: old[key], new: new[key])
    }
  }

  private static func found(_ old: FuseReader, _ new: FuseReader) throws -> (all: [Found], equalCount: Int) {
    var all: [Found] = []
    var differences = try new.differences(from: old)
    while let difference = try differences.next() {
      let key = Key(try difference.entry.key)
      switch difference {
      case .added(let entry):
        let object = try entry.bytes
        all.append(Found(change: "added", key: key, old: nil, new: object.array()))
      case .removed(let entry):
        let object = try entry.bytes
        all.append(Found(change: "removed", key: key, old: object.array(), new: nil))
      case .changed(let before, let after):
        let (first, second) = (try before.bytes.array(), try after.bytes.array())
        all.append(Found(change: "changed", key: key, old: first, new: second))
      }
    }
    return (all, differences.equalCount)
  }

  @Test(arguments: Samples.sizes) func `are those of two dictionaries`(count: Int) throws {
    var random = SeededRandom.announced()
    let old = Samples.mapping(count, &random)
    var new = old
    for key in old.keys.sorted() {
      switch random.below(6) {
      case 0: new[key] = nil
      case 1: new[key] = ReferenceValue.random(&random, depth: 1).bytes
      case 2: new[Key(key.bytes.dropLast() + [0])] = [0xC0]
      default: break
      }
    }
    for (oldLayout, newLayout) in [(FuseWriter.Layout.indexed, FuseWriter.Layout.indexed), (.plain, .indexed)] {
      let oldReader = try FuseReader(bytes: ReferenceFile(canonical: old).bytes(oldLayout))
      let newReader = try FuseReader(bytes: ReferenceFile(canonical: new).bytes(newLayout))
      let found = try Self.found(oldReader, newReader)
      #expect(found.all == Self.expected(old, new))
      #expect(found.equalCount == old.filter { new[$0.key] == $0.value }.count)
      #expect(try Self.found(newReader, oldReader).all == Self.expected(new, old))
      #expect(try Self.found(newReader, newReader).all == [])
    }
  }

  @Test func `damage in either file is an error, never a difference [G3]`() throws {
    let sound = Samples.twoSamples.bytes(.indexed)
    let (header, block) = (40, Samples.twoSamples.bytes.count)
    let reader = try FuseReader(bytes: sound)
    for place in header..<block {
      let damaged = try FuseReader(bytes: sound.flipping(bit: place * 8 + 5))
      #expect(failure { _ = try Self.found(damaged, reader) }?.code == .corrupted, "byte \(place)")
      #expect(failure { _ = try Self.found(reader, damaged) }?.code == .corrupted, "byte \(place)")
    }
  }
}
