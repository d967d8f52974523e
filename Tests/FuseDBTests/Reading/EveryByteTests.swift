import Testing

import FuseDB

/// Small files cut at every byte and flipped at every bit.
struct `A small file` {
  static let samples: [(name: String, bytes: [UInt8])] = [
    ("no keys", WorkedExamples.noKeys), ("one key", WorkedExamples.oneKey),
    ("two keys", WorkedExamples.twoKeysOneObject),
    ("small", Samples.small.bytes), ("unreached", unreached.bytes), ("two samples", Samples.twoSamples.bytes),
  ]

  /// Objects that no key reaches, first, between and last; and two that are alike.
  static let unreached = ReferenceFile(
    objects: [[0xC0], [0x91, 0x05], [0xA1, 0x78], [0x91, 0x05], [0xC4, 0x00]], keys: [([0x61], 3), ([0x62], 1)])

  /// What the sound file says, and the keys that were asked for: present ones and near misses.
  private static func truth(_ bytes: [UInt8], _ folder: TemporaryFolder) throws -> ([Key], Answers) {
    let reader = try FuseReader(path: folder.write(bytes, as: "sound.fsdb"))
    let keys = ReferenceFile(bytes).entries.map(\.key)
    let near = keys.prefix(6).flatMap {
      [Key($0.bytes + [0]), Key([UInt8]($0.bytes.dropLast())), Key($0.bytes + $0.bytes)]
    }
    let asked = Array(Set(keys + near + [Key("nowhere"), Key([0xFF])])).sorted()
    return (asked, try Answers.of(reader, asking: asked))
  }

  /// What is wrong with how a damaged file is treated, or nil.
  private static func complaint(
    _ bytes: [UInt8], in folder: TemporaryFolder, asking keys: [Key], truth: Answers
  ) throws -> String? {
    let path = try folder.write(bytes)
    // Verification reports it, and all of it.
    let report = try FuseReader.verify(path: path)
    if report.isSound { return "verification calls it sound" }
    let expected = ReferenceFile(bytes).damage
    if report.findings != expected { return "verification lists \(report.findings) instead of \(expected)" }

    // Opening refuses it with an offset, or every answer is that of the undamaged file, or an error with an offset.
    let reader: FuseReader
    do { reader = try FuseReader(path: path) } catch {
      return error.offset == nil || error.path != path ? "the refusal lacks its place: \(error)" : nil
    }
    for (number, key) in keys.enumerated() {
      do throws(FuseError) {
        if try reader.copy(of: key.bytes) != truth.found[number] { return "another answer for \(key)" }
        if try reader.contains(key.bytes) != truth.contained[number] { return "contains another \(key)" }
      } catch { if error.offset == nil { return "an error without an offset: \(error)" } }
    }
    do throws(FuseError) {
      var scan = try reader.entries()
      if try scan.restOfKeys() != truth.keys { return "other keys" }
      var back = try reader.entries(.descending)
      if try back.restOfKeys() != truth.descending { return "other keys, descending" }
    } catch { if error.offset == nil { return "an error without an offset: \(error)" } }
    do throws(FuseError) {
      var objects = reader.objects()
      var stored: [[UInt8]] = []
      while let object = try objects.next() { stored.append(try object.bytes.array()) }
      if stored != truth.stored { return "other objects" }
    } catch { if error.offset == nil { return "an error without an offset: \(error)" } }
    do throws(FuseError) {
      let statistics = try reader.statistics()
      if statistics != truth.statistics { return "other statistics" }
    } catch { if error.offset == nil { return "an error without an offset: \(error)" } }
    return nil
  }

  @Test(arguments: samples.indices)
  func `cut at any byte is refused with an offset, and verification says so [H8] [P3]`(sample: Int) throws {
    let (name, bytes) = Self.samples[sample]
    let folder = try TemporaryFolder()
    let (keys, truth) = try Self.truth(bytes, folder)
    for byteCount in 0..<bytes.count {
      let cut = [UInt8](bytes[..<byteCount])
      let complaint = try Self.complaint(cut, in: folder, asking: keys, truth: truth)
      #expect(complaint == nil, "\(name) cut at \(byteCount)")
      let opens = failure { _ = try FuseReader(path: folder.path("file.fsdb")) } == nil
      #expect(!opens, "\(name) cut at \(byteCount)")
    }
  }

  @Test(arguments: samples.indices)
  func `with any bit flipped never answers otherwise than the sound one, and verification says so [O2] [P3]`(
    sample: Int
  ) throws {
    let (name, bytes) = Self.samples[sample]
    let folder = try TemporaryFolder()
    let (keys, truth) = try Self.truth(bytes, folder)
    for bit in 0..<8 * bytes.count {
      let complaint = try Self.complaint(bytes.flipping(bit: bit), in: folder, asking: keys, truth: truth)
      #expect(complaint == nil, "\(name), bit \(bit % 8) of byte \(bit / 8)")
      if bit >= 8 * 40 {
        let error = failure { _ = try FuseReader(path: folder.path("file.fsdb")) }
        #expect(error?.offset == 32, "\(name), bit \(bit % 8) of byte \(bit / 8)")
      }
    }
  }

  @Test(arguments: samples.indices)
  func `cut or flipped and opened without checksums keeps to its form, and nothing ends the process [O3]`(sample: Int)
    throws
  {
    let (name, bytes) = Self.samples[sample]
    let folder = try TemporaryFolder()
    let (keys, _) = try Self.truth(bytes, folder)
    let cuts = (0..<bytes.count).map { [UInt8](bytes[..<$0]) }
    let flips = (0..<8 * bytes.count).map { bytes.flipping(bit: $0) }
    for (number, damaged) in (cuts + flips).enumerated() {
      let path = try folder.write(damaged)
      let error = failure {
        let reader = try FuseReader(path: path, checksums: .skipped, expecting: number % 2 == 0 ? .many : .few)
        for key in keys.prefix(12) { _ = try? reader.copy(of: key.bytes) }
        _ = try? Answers.of(reader, asking: [])
        _ = try? reader.statistics()
      }
      let expected = ReferenceFile(damaged).refusal(comparingChecksums: false)
      #expect(error?.code.rawValue == expected, "\(name), number \(number)")
      #expect(error == nil || error?.offset != nil, "\(name), number \(number)")
    }
  }
}
