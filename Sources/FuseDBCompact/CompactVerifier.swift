package import FuseDBFormat
package import FuseDBSystem
internal import FuseDBValues

/// One thing that is wrong with a compact file.
package struct CompactDamage: Sendable, Hashable, CustomStringConvertible {
  /// What of the file is wrong.
  package enum Kind: Sendable, Hashable {
    case header, count, fileChecksum, truncated, footer, directory, padding, sectionChecksum, metadata, lengths, network
    /// A row, a shape or a part, a block of keys or what belongs to it, a slot or a pilot.
    case row, item, block, slot
  }

  package var kind: Kind
  /// Where, in bytes from the start of the file.
  package var offset: UInt64
  /// What is wrong, as a sentence.
  package var message: String

  package var description: String { "offset \(offset): \(message)" }
}

/// Checks every byte of a compact file.
///
/// What opening looks at comes first. Where that is damaged, nothing else is known, and it alone is told.
package struct CompactVerifier {
  let mapping: FileMapping
  let layout: CompactLayout
  /// Whether more than checksums is looked at.
  let isFull: Bool
  private let directory: CompactDirectory
  /// What the layout has the address of.
  private let symbols: CompactSymbols
  let onDamage: (CompactDamage) -> Void
  let progress: (Double) -> Void
  /// Where rows begin, by their references, and which of them a key leads to.
  var starts = Bits()
  var used = Bits()
  /// Of what was counted.
  var keyCount = 0
  var objectCount = 0

  /// Checks a file and hands out each damage.
  ///
  /// - Parameters:
  ///   - isFull: whether rows are read, too, and keys and slots; otherwise checksums alone are compared, and rows counted.
  ///   - progress: called now and then with the share that is done.
  /// - Returns: how many keys and objects were counted.
  /// - Throws: ``FuseError`` with code `truncated` where the file shrank meanwhile.
  /// - Complexity: O(bytes of the file). Memory: two bits for each place where a row can begin.
  package static func run(
    _ mapping: FileMapping, isFull: Bool = true, progress: ((Double) -> Void)? = nil,
    onDamage: @escaping (CompactDamage) -> Void
  ) throws(FuseError) -> (keys: Int, objects: Int) {
    let opened: (layout: CompactLayout, directory: CompactDirectory, symbols: CompactSymbols)
    do { opened = try CompactLayout.open(mapping.bytes) } catch {
      try mapping.checkNotShrunk()
      let offset = error.offset ?? 0
      let kind: CompactDamage.Kind =
        if error.code == .truncated {
          .truncated
        } else if offset < UInt64(Header.byteCount) {
          .header
        } else if offset >= UInt64(max(0, mapping.byteCount - ExtensionFooter.byteCount)) {
          .footer
        } else {
          .directory
        }
      onDamage(CompactDamage(kind: kind, offset: offset, message: error.message))
      return (0, 0)
    }
    var verifier = CompactVerifier(
      mapping: mapping, layout: opened.layout, isFull: isFull, directory: opened.directory, symbols: opened.symbols,
      onDamage: onDamage, progress: progress ?? { _ in })
    verifier.checkFile()
    try Cancellation.check()
    verifier.progress(0.1)
    try verifier.checkRows()
    verifier.progress(0.5)
    guard isFull else {
      try mapping.checkNotShrunk()
      return (opened.layout.keyCount, verifier.objectCount)
    }
    verifier.checkShapes()
    verifier.checkParts()
    try Cancellation.check()
    verifier.progress(0.6)
    try verifier.checkKeys()
    verifier.progress(0.9)
    if opened.layout.shown == nil { verifier.checkSlots() }
    verifier.checkReferences()
    try mapping.checkNotShrunk()
    return (verifier.keyCount, verifier.objectCount)
  }

  /// - Parameter kind: what is wrong; by default what stands at the offset.
  func report(_ message: String, at offset: some BinaryInteger, _ kind: CompactDamage.Kind? = nil) {
    onDamage(
      CompactDamage(
        kind: kind ?? self.kind(at: Int(clamping: offset)), offset: UInt64(clamping: offset), message: message))
  }

  func report(_ error: FuseError) { report(error.message, at: error.offset ?? 0) }

  private func kind(at offset: Int) -> CompactDamage.Kind {
    if offset < Header.byteCount { return .header }
    if offset < layout.rowsEnd { return .row }
    if offset >= mapping.byteCount - ExtensionFooter.byteCount { return .footer }
    if offset >= directory.offset { return .directory }
    let section = directory.sections.last { $0.section.range.lowerBound <= offset }
    switch section?.kind {
    case CompactForm.Section.hash: return .slot
    case CompactForm.Section.shapes, CompactForm.Section.parts: return .item
    case CompactForm.Section.metadata: return .metadata
    case CompactForm.Section.lengths: return .lengths
    case CompactForm.Section.networks: return .network
    case nil: return .row
    default: return .block
    }
  }

  // MARK: The file and its sections

  /// The file's checksum, what the header and the footer leave free, sections' checksums, and zeros between them.
  private func checkFile() {
    let mapping = mapping
    let file = mapping.bytes
    let header = Header(fieldsOf: file)
    let footer = file.byteCount - ExtensionFooter.byteCount
    let checksum = Checksum.of(file.extracting(Header.byteCount..<footer))
    if checksum != header.checksum {
      report(
        "the file's checksum is \(checksum.hexadecimal) and its header says \(header.checksum.hexadecimal)",
        at: Header.Field.checksum, .fileChecksum)
    }
    if header.flags != 0 || header.padding != 0 || header.reserved != 0 {
      report("a field of the header is not zero that must be", at: Header.Field.flags)
    }
    // The last bytes of the footer before its magic, which no checksum covers.
    if file.loadInside(at: footer + 36, as: UInt32.self) != 0 {
      report("a field of the footer is not zero that must be", at: footer + 36)
    }
    var end = layout.rowsEnd
    for (kind, section) in directory.sections {
      let name = String(decoding: kind, as: UTF8.self)
      checkZeros(end..<section.range.lowerBound)
      end = section.range.upperBound
      if section.range.lowerBound % 64 != 0 {
        report("the section \(name) begins at no multiple of 64", at: section.range.lowerBound)
      }
      if Checksum.of(file.extracting(section.range)) != section.checksum {
        report("the section \(name) differs from its checksum", at: section.range.lowerBound, .sectionChecksum)
      }
    }
    checkZeros(end..<directory.offset)
    if !layout.blocks.isCoded, let symbols = directory[CompactForm.Section.symbols] {
      report("there are symbols and keys are not coded", at: symbols.range.lowerBound)
    }
  }

  /// All bytes that stand between others are zero.
  private func checkZeros(_ range: Range<Int>) {
    guard let offset = firstByte(in: range) else { return }
    report("a byte between two sections is not zero", at: offset, .padding)
  }

  func firstByte(in range: Range<Int>) -> Int? {
    let mapping = mapping
    let file = mapping.bytes
    return range.first { file.loadInside(at: $0, as: UInt8.self) != 0 }
  }

  // MARK: Rows, shapes and parts

  /// Rows stand one after the other, each at the next place where one can begin.
  private mutating func checkRows() throws(FuseError) {
    let mapping = mapping
    let file = mapping.bytes
    let (shift, rowsEnd) = (Int(layout.blocks.shift), layout.rowsEnd)
    let placeCount = (rowsEnd - Header.byteCount) >> shift + 1
    starts = Bits(count: placeCount)
    used = Bits(count: placeCount)
    var out: [UInt8] = []
    var at = Header.byteCount
    while at < rowsEnd {
      var end = rowsEnd
      do throws(FuseError) {
        // Where the row ends, before its checksum is compared: so a damaged row hides no other.
        guard at + 5 <= rowsEnd else { throw .corrupted("bytes follow the last row", at: at) }
        var cursor = CompactCursor(file, at + 4..<rowsEnd)
        let count = try cursor.varint()
        let value = try cursor.take(count)
        end = min(
          rowsEnd, Header.byteCount + ((value.upperBound - Header.byteCount + (1 << shift) - 1) >> shift) << shift)
        starts.insert((at - Header.byteCount) >> shift)
        objectCount += 1
        if let offset = firstByte(in: value.upperBound..<end) { report("a byte after a row is not zero", at: offset) }
        let row = try layout.row(at: at, in: file)
        if objectCount & 0xFFF == 0 { progress(0.1 + 0.4 * Double(at) / Double(rowsEnd)) }
        guard isFull else {
          at = end
          continue
        }
        out.removeAll(keepingCapacity: true)
        try layout.expand(row, of: file, into: &out)
        if !MessagePackCursor.isValue(out.rawSpan) { report("an object is not one MessagePack value", at: at) }
      } catch { report(error) }
      at = end
      if objectCount & 0xFFF == 0 { try Cancellation.check() }
    }
    if objectCount != layout.objectCount {
      report("the header counts \(counted(layout.objectCount, "object")) and there are \(objectCount)", at: 12, .count)
    }
  }

  /// Names are texts, and differ.
  private func checkShapes() {
    let mapping = mapping
    let file = mapping.bytes
    checkItems(layout.shapes)
    if layout.shapes.count > CompactForm.mostShapes {
      report("there are more shapes than there may be", at: layout.shapes.range.lowerBound)
    }
    for number in 0..<layout.shapes.count {
      do throws(FuseError) {
        let shape = try layout.shapes.item(UInt64(number), in: file)
        _ = try layout.nameCount(ofShape: shape, in: file)
        var known: Set<[UInt8]> = []
        var names = CompactCursor(file, shape)
        while names.left > 0 {
          let name = try names.takeName()
          guard known.insert(file.extracting(name.text).array()).inserted else {
            throw .corrupted("a shape has a name twice", at: name.text.lowerBound)
          }
        }
      } catch { report(error) }
    }
  }

  /// Each is a value of the length that it says.
  private func checkParts() {
    let mapping = mapping
    let file = mapping.bytes
    checkItems(layout.parts)
    var out: [UInt8] = []
    for number in 0..<layout.parts.count {
      do throws(FuseError) {
        let part = try layout.parts.item(UInt64(number), in: file)
        out.removeAll(keepingCapacity: true)
        try layout.expandPart(
          UInt64(number), depth: 0, limit: CompactForm.partByteCounts.upperBound, of: file, into: &out)
        if out.count < CompactForm.partByteCounts.lowerBound {
          report("a part is shorter than one can be", at: part.lowerBound)
        }
        if !MessagePackCursor.isValue(out.rawSpan) {
          report("a part is not one MessagePack value", at: part.lowerBound)
        }
      } catch { report(error) }
    }
  }

  /// Items stand one after the other, and fill their table.
  private func checkItems(_ items: CompactItems) {
    let mapping = mapping
    let file = mapping.bytes
    var before: UInt64 = 0
    for number in 0...items.count {
      let place = items.place(number, in: file)
      if number == 0 ? place != 0 : place < before {
        report("an item does not begin where the one before it ends", at: items.range.lowerBound)
      }
      before = place
    }
    if before != UInt64(items.range.upperBound - items.start) {
      report("the last item does not end with its table", at: items.range.lowerBound)
    }
  }
}

/// A set of small numbers.
struct Bits {
  private var words: [UInt64]

  init(count: Int = 0) { words = [UInt64](repeating: 0, count: (count + 63) / 64) }

  func contains(_ number: Int) -> Bool {
    number >= 0 && number >> 6 < words.count && words[number >> 6] >> UInt64(number & 63) & 1 == 1
  }

  mutating func insert(_ number: Int) {
    guard number >= 0, number >> 6 < words.count else { return }
    words[number >> 6] |= 1 << UInt64(number & 63)
  }

  /// The numbers that are in this set and not in another of as many.
  func subtracting(_ other: Bits) -> [Int] {
    var found: [Int] = []
    for (index, word) in words.enumerated() {
      var rest = word & ~other.words[index]
      while rest != 0 {
        found.append(64 * index + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
    return found
  }
}
