/// Sections that a block has only where they are asked for; a patch names them by these bits. See spec/patch.md §7.
package struct OptionalSections: OptionSet, Sendable {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The section `NETW`. See spec/network.md.
  package static let networks = OptionalSections(rawValue: 1)
  /// The section `KLEN`. See spec/matches.md.
  package static let lengths = OptionalSections(rawValue: 2)
  /// The section `REVS`. See spec/reverse.md.
  package static let reverse = OptionalSections(rawValue: 4)
  /// All that this library knows.
  package static let all: OptionalSections = [.networks, .lengths, .reverse]
}

/// Which sections an extension block has, and where. See spec/extension.md §4.
package struct ExtensionDirectory: Equatable, Sendable {
  static let entryByteCount = 32
  /// The flag of a section without which the file cannot be understood.
  static let required: UInt32 = 1

  /// Where each field of an entry stands.
  enum Field {
    static let kind = 0
    static let flags = 4
    static let offset = 8
    static let length = 16
    static let checksum = 24
  }

  /// What a section holds; four letters in the file.
  package enum Kind: UInt32 {
    case hash = 0x4841_5348
    case order = 0x4F52_4452
    case metadata = 0x4D45_5441
    case networks = 0x4E45_5457
    case lengths = 0x4B4C_454E
    case reverse = 0x5245_5653

    /// Sections begin at multiples of this. [X1]
    package var alignment: Int {
      switch self {
      case .hash, .networks, .reverse: 64
      case .order, .metadata, .lengths: 8
      }
    }
  }

  /// One section.
  package struct Section: Equatable, Sendable {
    package var range: Range<Int>
    package var checksum: UInt32

    package init(range: Range<Int>, checksum: UInt32) {
      self.range = range
      self.checksum = checksum
    }
  }

  package var hash: Section?
  package var order: Section?
  package var metadata: Section?
  package var networks: Section?
  package var lengths: Section?
  package var reverse: Section?

  package init() {}

  /// Which of the sections it has that are made only where they are asked for.
  package var optionalSections: OptionalSections {
    var found: OptionalSections = []
    if networks != nil { found.insert(.networks) }
    if lengths != nil { found.insert(.lengths) }
    if reverse != nil { found.insert(.reverse) }
    return found
  }

  /// All sections, also of unknown kinds, in the order of the file.
  package private(set) var sections: [Section] = []

  /// Reads the directory of a file and checks it. [X4] [X6] [X7]
  package init(parsing file: RawSpan, footer: ExtensionFooter) throws(FuseError) {
    try Self.checkChecksum(of: file, footer)
    // A reader takes offsets as they are; that some are not aligned is for verification to tell. [X1]
    let faults = read(file, footer, isAlignmentChecked: false)
    if let fault = faults.first { throw fault }
  }

  /// Compares the directory's checksum.
  package static func checkChecksum(of file: RawSpan, _ footer: ExtensionFooter) throws(FuseError) {
    let start = file.byteCount - ExtensionFooter.byteCount
    let checksum = Checksum.of(file.extracting(Int(footer.directoryOffset)..<start))
    guard checksum == footer.directoryChecksum else {
      throw .corrupted(
        "the directory's checksum is \(checksum.hexadecimal) and the footer says \(footer.directoryChecksum.hexadecimal)",
        at: start + ExtensionFooter.Field.directoryChecksum)
    }
  }

  /// Reads all entries, and returns what is wrong with them: one error an entry.
  package mutating func read(_ file: RawSpan, _ footer: ExtensionFooter, isAlignmentChecked: Bool = true) -> [FuseError]
  {
    var faults: [FuseError] = []
    var end = footer.indexEnd
    for number in 0..<Int(footer.sectionCount) {
      let start = Int(footer.directoryOffset) + number * Self.entryByteCount
      let entry = file.extracting(start..<start + Self.entryByteCount)
      let offset = entry.loadInside(at: Field.offset, as: UInt64.self)
      let length = entry.loadInside(at: Field.length, as: UInt64.self)
      let kind = entry.loadInside(at: Field.kind, as: UInt32.self)
      let known = Kind(rawValue: kind)
      let isInside =
        offset >= end && offset <= footer.directoryOffset && length <= footer.directoryOffset - offset
      let isRequired = entry.loadInside(at: Field.flags, as: UInt32.self) & Self.required != 0
      let alignment = number == 0 ? 64 : UInt64(known?.alignment ?? 8)
      // A section outside ends, for the next one, where the directory begins at the latest.
      let sectionEnd = offset.addingReportingOverflow(length)
      end = max(end, min(sectionEnd.overflow ? .max : sectionEnd.partialValue, footer.directoryOffset))
      // Where it is not inside, the kind alone counts.
      let section = Section(
        range: isInside ? Int(offset)..<Int(offset + length) : 0..<0,
        checksum: entry.loadInside(at: Field.checksum, as: UInt32.self))
      let isFirst = known.map { add(section, $0) } ?? true
      sections.append(section)
      if !isInside {
        faults.append(
          .corrupted("section \(number) does not lie between the key index and the directory", at: start))
      } else if !isFirst {
        faults.append(.corrupted("section \(number) is of a kind that stands twice", at: start))
      } else if known == nil, isRequired {
        faults.append(
          FuseError(
            .unsupportedVersion,
            "the file needs its section of kind \(kind.hexadecimal), which this library does not know; use a newer one",
            offset: UInt64(start)))
      } else if isAlignmentChecked, offset % alignment != 0 {
        faults.append(.corrupted("section \(number) begins at no multiple of \(alignment)", at: start))
      }
    }
    return faults
  }

  private mutating func add(_ section: Section, _ kind: Kind) -> Bool {
    let member: WritableKeyPath<Self, Section?> =
      switch kind {
      case .hash: \.hash
      case .order: \.order
      case .metadata: \.metadata
      case .networks: \.networks
      case .lengths: \.lengths
      case .reverse: \.reverse
      }
    guard self[keyPath: member] == nil else { return false }
    self[keyPath: member] = section
    return true
  }

  /// The bytes of one entry.
  package static func entry(_ kind: Kind, _ section: Section) -> [UInt8] {
    var out: [UInt8] = []
    out.append(bigEndian: kind.rawValue)
    out.append(bigEndian: UInt32(0))
    out.append(bigEndian: UInt64(section.range.lowerBound))
    out.append(bigEndian: UInt64(section.range.count))
    out.append(bigEndian: section.checksum)
    out.append(bigEndian: UInt32(0))
    return out
  }
}
