/// A file with an extension block by the letter of spec/extension.md: made and taken apart slowly, with nothing of the
/// library's in it.
struct ReferenceBlock {
  struct Section {
    var kind: String
    var flags = 0
    var bytes: [UInt8]
  }

  var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The canonical block after a plain file.
  init(after plain: ReferenceFile, slotsPerLine: Int = 7, metadata: [String: String] = [:]) {
    self.init(after: plain, Self.sections(of: plain, slotsPerLine: slotsPerLine, metadata: metadata))
  }

  /// The sections of the canonical block.
  static func sections(of plain: ReferenceFile, slotsPerLine: Int = 7, metadata: [String: String] = [:]) -> [Section] {
    var sections: [Section] = []
    if let table = ReferenceTable(of: plain, slotsPerLine: slotsPerLine) {
      sections.append(Section(kind: "HASH", bytes: table.bytes))
    }
    sections.append(Section(kind: "ORDR", bytes: order(of: plain)))
    if !metadata.isEmpty { sections.append(Section(kind: "META", bytes: map(metadata))) }
    return sections
  }

  /// A block of any sections after a plain file. §2 §3 §4
  init(after plain: ReferenceFile, _ sections: [Section]) {
    var bytes = plain.bytes
    var directory: [UInt8] = []
    for (number, section) in sections.enumerated() {
      Self.pad(&bytes, to: number == 0 || ["HASH", "REVS"].contains(section.kind) ? 64 : 8)
      directory += [UInt8](section.kind.utf8) + ReferenceFile.big(section.flags, 4)
      directory += ReferenceFile.big(bytes.count, 8) + ReferenceFile.big(section.bytes.count, 8)
      directory += ReferenceFile.big(Int(ReferenceFile.crc(section.bytes)), 4) + [0, 0, 0, 0]
      bytes += section.bytes
    }
    Self.pad(&bytes, to: 8)
    let directoryOffset = bytes.count
    bytes += directory
    bytes += ReferenceFile.big(plain.bytes.count, 8) + ReferenceFile.big(directoryOffset, 8)
    bytes += ReferenceFile.big(sections.count, 4) + [UInt8](repeating: 0, count: 8) + [0, 1, 0, 0]
    bytes += [UInt8](repeating: 0, count: 8) + [0x46, 0x53, 0x44, 0x42, 0x45, 0x58, 0x54, 0x0A]
    self.bytes = bytes
    sealFooter()
  }

  private static func pad(_ bytes: inout [UInt8], to alignment: Int) {
    while bytes.count % alignment != 0 { bytes.append(0) }
  }

  /// The section `ORDR`. §6
  static func order(of plain: ReferenceFile) -> [UInt8] {
    let entries = plain.entries
    var rows: [UInt8] = []
    for (number, first) in stride(from: 0, to: entries.count, by: 32).enumerated() {
      let range = entries[first].offset..<entries[min(first + 32, entries.count) - 1].end
      let checksum = ReferenceFile.crc(ReferenceFile.big(number, 8) + plain.bytes[range])
      rows += ReferenceFile.big(range.lowerBound, 8) + ReferenceFile.big(Int(checksum), 4)
    }
    return rows
  }

  /// A MessagePack map of at most 15 texts, each below 256 bytes. §7
  static func map(_ texts: [String: String]) -> [UInt8] {
    func packed(_ text: [UInt8]) -> [UInt8] {
      text.count < 32 ? [0xA0 + UInt8(text.count)] + text : [0xD9, UInt8(text.count)] + text
    }
    let names = texts.keys.map { Key($0) }.sorted()
    return [0x80 + UInt8(names.count)]
      + names.flatMap { name in
        packed(name.bytes) + packed([UInt8]((texts[String(decoding: name.bytes, as: UTF8.self)] ?? "").utf8))
      }
  }

  // MARK: Taken apart

  var footer: Int { bytes.count - 48 }
  var indexEnd: Int { Int(bytes.number(at: footer, 8)) }
  var directoryOffset: Int { Int(bytes.number(at: footer + 8, 8)) }
  var sectionCount: Int { Int(bytes.number(at: footer + 16, 4)) }
  /// The file without its block, with a right checksum.
  var plain: ReferenceFile {
    var plain = ReferenceFile([UInt8](bytes[..<indexEnd]))
    plain.seal()
    return plain
  }

  /// Where the directory entry of a section stands.
  func directoryEntry(_ kind: String) -> Int? {
    (0..<sectionCount).map { directoryOffset + 32 * $0 }.first { [UInt8](bytes[$0..<$0 + 4]) == [UInt8](kind.utf8) }
  }

  /// Where a section's bytes stand.
  func range(_ kind: String) -> Range<Int>? {
    directoryEntry(kind).map {
      let start = Int(bytes.number(at: $0 + 8, 8))
      return start..<start + Int(bytes.number(at: $0 + 16, 8))
    }
  }

  /// The hash section.
  var table: ReferenceTable? { range("HASH").map { ReferenceTable([UInt8](bytes[$0])) } }

  /// The object that the hash section leads to, by §5 and §9.
  func object(of key: [UInt8]) -> [UInt8]? {
    guard let table else { return nil }
    let probe = table.probe(of: key)
    let slot = table.slot(probe)
    guard slot.tag == probe.tag, slot.entry < UInt64(indexEnd) else { return nil }
    let file = ReferenceFile([UInt8](bytes[..<indexEnd]))
    let entry = file.entry(at: Int(file.indexOffset) + Int(slot.entry))
    guard let entry, entry.key.bytes == key, entry.target == slot.object else { return nil }
    return file.record(at: slot.object)?.object
  }

  // MARK: Sealed again

  /// Makes the checksums of all sections right, then those of directory, header and footer.
  mutating func sealSections() {
    for kind in ["HASH", "ORDR", "META", "REVS"] {
      guard let entry = directoryEntry(kind), let range = range(kind), range.upperBound <= bytes.count else { continue }
      bytes.put(ReferenceFile.crc(bytes[range]), at: entry + 24)
    }
    sealFooter()
  }

  /// Makes the checksums of directory, header and footer right, and the file's. §3
  mutating func sealFooter() {
    let directory = bytes.number(at: footer + 8, 8)
    if directory <= UInt64(footer) {
      bytes.put(ReferenceFile.crc(bytes[Int(directory)..<footer]), at: footer + 20)
    }
    let whole = ReferenceFile.crc(bytes[40..<footer])
    bytes.put(whole, at: 32)
    bytes.put(ReferenceFile.crc(bytes[..<40]), at: footer + 24)
    bytes.put(ReferenceFile.crc(bytes[footer..<footer + 32]), at: footer + 32)
    bytes.put(
      Self.balance(after: ReferenceFile.crc(bytes[footer..<footer + 36], after: whole), giving: whole), at: footer + 36)
  }

  /// The four bytes that, before the magic, lead from one checksum to another. A checksum is linear in its bits: each
  /// bit of the four bytes turns a fixed set of its bits, so which of them it takes is a system of 32 equations.
  static func balance(after start: UInt32, giving end: UInt32) -> UInt32 {
    func checksum(_ balance: UInt32) -> UInt32 {
      ReferenceFile.crc(
        ReferenceFile.big(Int(balance), 4) + [0x46, 0x53, 0x44, 0x42, 0x45, 0x58, 0x54, 0x0A], after: start)
    }
    let zero = checksum(0)
    var rows = (0..<32).map { bit in (turns: checksum(1 << UInt32(bit)) ^ zero, bits: UInt32(1) << UInt32(bit)) }
    var wanted = end ^ zero
    var balance: UInt32 = 0
    for bit in (0..<32).map({ UInt32(1) << UInt32($0) }) {
      guard let pivot = rows.firstIndex(where: { $0.turns & bit != 0 }) else { continue }
      let row = rows.remove(at: pivot)
      for number in rows.indices where rows[number].turns & bit != 0 {
        rows[number].turns ^= row.turns
        rows[number].bits ^= row.bits
      }
      guard wanted & bit != 0 else { continue }
      wanted ^= row.turns
      balance ^= row.bits
    }
    return balance
  }
}
