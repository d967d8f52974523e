import Testing

import FuseDB

/// Small files with an extension block, cut at every byte and flipped at every bit.
struct `A small file with an extension block` {
  static let samples: [(name: String, bytes: [UInt8])] = [
    ("no keys", ReferenceBlock(after: ReferenceFile(WorkedExamples.noKeys)).bytes),
    ("one key", ReferenceBlock(after: ReferenceFile(WorkedExamples.oneKey)).bytes),
    ("two keys", ReferenceBlock(after: ReferenceFile(WorkedExamples.twoKeysOneObject), slotsPerLine: 5).bytes),
    ("small", ReferenceBlock(after: Samples.small, metadata: ["source": "here"]).bytes),
    ("two strides", ReferenceBlock(after: Samples.twoSamples).bytes),
    (
      "without order",
      ReferenceBlock(after: Samples.small, [ReferenceBlock.sections(of: Samples.small)[0]]).bytes
    ),
    (
      "without hash",
      ReferenceBlock(after: Samples.small, [ReferenceBlock.sections(of: Samples.small)[1]]).bytes
    ),
  ]

  /// The right answers, from the model of the plain file.
  struct Truth {
    let mapping: [Key: [UInt8]]
    let keys: [Key]
    /// Near misses of all keys.
    let absent: [Key]
    let prefixes: [[UInt8]]

    init(_ bytes: [UInt8]) {
      let file = ReferenceBlock(bytes).plain
      mapping = Dictionary(
        uniqueKeysWithValues: file.entries.map { ($0.key, file.record(at: $0.target)?.object ?? []) })
      keys = mapping.keys.sorted()
      let mapping = mapping
      absent =
        (keys.prefix(6).flatMap { [Key($0.bytes + [0]), Key([UInt8]($0.bytes.dropLast()) + [0x21])] }
        + [Key("nowhere"), Key([0xFE]), Key("b")]).filter { mapping[$0] == nil }
      // Three are enough beside the scans of all: every damage is asked for each of them, both ways.
      let all = Set(keys.map { [UInt8]($0.bytes.prefix(1)) } + [[0x7E]]).sorted { Key($0) < Key($1) }
      prefixes = Set([0, all.count / 2, all.count - 1]).sorted().map { all[$0] }
    }

    /// What is wrong with the answers of a reader, or nil: each is the truth, or an error that says where.
    func complaint(about reader: FuseReader) -> String? {
      func asked(_ question: () throws(FuseError) -> String?) -> String? {
        do throws(FuseError) { return try question() } catch {
          return error.offset == nil || error.path == nil ? "an error without its place: \(error)" : nil
        }
      }
      for key in keys + absent {
        if let wrong = asked({ () throws(FuseError) in
          try reader.copy(of: key.bytes) == mapping[key] ? nil : "another object for \(key)"
        }) {
          return wrong
        }
        if let wrong = asked({ () throws(FuseError) in
          try reader.contains(key.bytes) == (mapping[key] != nil) ? nil : "contains another \(key)"
        }) {
          return wrong
        }
      }
      for direction in [FuseReader.Direction.ascending, .descending] {
        let all = direction == .ascending ? keys : keys.reversed()
        if let wrong = asked({ () throws(FuseError) in
          var scan = try reader.entries(direction)
          let rest = try scan.rest()
          return rest.map(\.key) == all && rest.allSatisfy { mapping[$0.key] == $0.object } ? nil : "another scan"
        }) {
          return wrong
        }
        for prefix in prefixes {
          if let wrong = asked({ () throws(FuseError) in
            var scan = try reader.prefix(prefix, direction)
            let count = scan.count
            let found = try scan.restOfKeys()
            let expected = all.filter { $0.bytes.starts(with: prefix) }
            return found == expected && count == expected.count ? nil : "another prefix \(prefix.hex)"
          }) {
            return wrong
          }
        }
      }
      return asked { () throws(FuseError) in
        let statistics = try reader.statistics()
        return statistics.keyCount == keys.count ? nil : "other statistics"
      }
    }
  }

  /// Asks everything, and takes any answer.
  private static func ask(_ reader: FuseReader, _ truth: Truth) {
    for key in truth.keys.prefix(8) + truth.absent { _ = try? reader.copy(of: key.bytes) }
    _ = try? Answers.of(reader, asking: truth.absent)
    for prefix in truth.prefixes {
      for direction in [FuseReader.Direction.ascending, .descending] {
        _ = try? {
          var scan = try reader.prefix(prefix, direction)
          while let entry = try scan.next() { _ = try entry.key }
        }()
      }
    }
  }

  @Test(arguments: samples.indices)
  func `answers as it should while it is sound`(sample: Int) throws {
    let (name, bytes) = Self.samples[sample]
    let truth = Truth(bytes)
    for checksums in [FuseReader.Checksums.verified, .skipped] {
      let reader = try FuseReader(bytes: bytes, checksums: checksums)
      #expect(truth.complaint(about: reader) == nil, "\(name)")
      #expect(reader.keyCount == truth.keys.count)
      // No error hides behind a complaint that there is none.
      let answers = try Answers.of(reader, asking: truth.keys)
      #expect(answers.found == truth.keys.map { truth.mapping[$0] })
      #expect(answers.keys == truth.keys)
      #expect(answers.descending == truth.keys.reversed())
      #expect(answers.statistics?.byteCount == bytes.count)
      #expect(answers.statistics?.extensionByteCount == bytes.count - ReferenceBlock(bytes).indexEnd)
    }
  }

  @Test(arguments: samples.indices)
  func `cut at any byte is refused with an offset [X2] [H8]`(sample: Int) throws {
    let (name, bytes) = Self.samples[sample]
    for byteCount in 0..<bytes.count {
      let cut = [UInt8](bytes[..<byteCount])
      let error = failure { _ = try FuseReader(bytes: cut) }
      #expect(error?.offset != nil, "\(name) cut to \(byteCount)")
      // Without its block it is a plain file, and whole as such.
      let isWhole = byteCount == ReferenceBlock(bytes).indexEnd
      let skipped = failure { _ = try FuseReader(bytes: cut, checksums: .skipped) }
      #expect((skipped == nil) == isWhole, "\(name) cut to \(byteCount)")
    }
  }

  @Test(arguments: samples.indices)
  func `with any bit of its header flipped is refused [X4]`(sample: Int) throws {
    let (name, bytes) = Self.samples[sample]
    for bit in 0..<320 {
      for checksums in [FuseReader.Checksums.verified, .skipped] {
        let error = failure { _ = try FuseReader(bytes: bytes.flipping(bit: bit), checksums: checksums) }
        #expect(error?.offset != nil, "\(name), bit \(bit % 8) of byte \(bit / 8)")
      }
    }
  }

  @Test(arguments: samples.indices)
  func `with any bit flipped answers rightly or with an error [X14] [X15] [X16] [X17] [X18]`(sample: Int) throws {
    let (name, bytes) = Self.samples[sample]
    let truth = Truth(bytes)
    var refused = 0
    for bit in 320..<8 * bytes.count {
      guard let reader = try? FuseReader(bytes: bytes.flipping(bit: bit)) else {
        refused += 1
        continue
      }
      #expect(truth.complaint(about: reader) == nil, "\(name), bit \(bit % 8) of byte \(bit / 8)")
    }
    // What opening looks at: 44 bytes of footer and the directory.
    #expect(refused >= 8 * (44 + 32 * ReferenceBlock(bytes).sectionCount))
  }

  @Test(arguments: samples.indices)
  func `flipped and opened without checksums ends no process`(sample: Int) throws {
    let (_, bytes) = Self.samples[sample]
    let truth = Truth(bytes)
    for bit in 320..<8 * bytes.count {
      guard let reader = try? FuseReader(bytes: bytes.flipping(bit: bit), checksums: .skipped) else { continue }
      Self.ask(reader, truth)
    }
  }

  @Test(arguments: samples.indices)
  func `with any byte made zero or all ones answers rightly or with an error`(sample: Int) throws {
    let (name, bytes) = Self.samples[sample]
    let truth = Truth(bytes)
    for place in 40..<bytes.count {
      for value: UInt8 in [0, 0xFF] where bytes[place] != value {
        var damaged = bytes
        damaged[place] = value
        guard let reader = try? FuseReader(bytes: damaged) else { continue }
        #expect(truth.complaint(about: reader) == nil, "\(name), byte \(place) is \(value)")
      }
    }
  }
}
