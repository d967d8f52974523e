/// Which sections an extension block has, and where. See spec/extension.md §4.
struct ExtensionDirectory: Equatable, Sendable {
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
  enum Kind: UInt32 {
    case hash = 0x4841_5348
    case order = 0x4F52_4452
    case metadata = 0x4D45_5441
  }

  /// One section.
  struct Section: Equatable, Sendable {
    var range: Range<Int>
    var checksum: UInt32
  }

  var hash: Section?
  var order: Section?
  var metadata: Section?

  init() {}

  /// Reads the directory of a file and checks it. [X4] [X6] [X7]
  init(parsing file: RawSpan, footer: ExtensionFooter) throws(FuseError) {
    let start = Int(footer.directoryOffset)
    let count = Int(footer.sectionCount)
    let directory = file.extracting(start..<start + count * Self.entryByteCount)
    let checksum = Checksum.of(directory)
    guard checksum == footer.directoryChecksum else {
      throw .corrupted(
        "the directory's checksum is \(checksum.hexadecimal) and the footer says \(footer.directoryChecksum.hexadecimal)",
        at: file.byteCount - ExtensionFooter.byteCount + ExtensionFooter.Field.directoryChecksum)
    }
    var end = footer.indexEnd
    for number in 0..<count {
      let at = number * Self.entryByteCount
      let entry = directory.extracting(at..<at + Self.entryByteCount)
      let offset = entry.loadInside(at: Field.offset, as: UInt64.self)
      let length = entry.loadInside(at: Field.length, as: UInt64.self)
      guard offset >= end, offset <= footer.directoryOffset, length <= footer.directoryOffset - offset else {
        throw .corrupted("section \(number) does not lie between the key index and the directory", at: start + at)
      }
      end = offset + length
      let section = Section(
        range: Int(offset)..<Int(end), checksum: entry.loadInside(at: Field.checksum, as: UInt32.self))
      let kind = entry.loadInside(at: Field.kind, as: UInt32.self)
      if let known = Kind(rawValue: kind) {
        guard add(section, known) else {
          throw .corrupted("section \(number) is of a kind that stands twice", at: start + at)
        }
      } else if entry.loadInside(at: Field.flags, as: UInt32.self) & Self.required != 0 {
        throw FuseError(
          .unsupportedVersion,
          "the file needs its section of kind \(kind.hexadecimal), which this library does not know; use a newer one",
          offset: UInt64(start + at))
      }
    }
  }

  private mutating func add(_ section: Section, _ kind: Kind) -> Bool {
    let place: WritableKeyPath<Self, Section?> =
      switch kind {
      case .hash: \.hash
      case .order: \.order
      case .metadata: \.metadata
      }
    guard self[keyPath: place] == nil else { return false }
    self[keyPath: place] = section
    return true
  }

  /// The bytes of one entry.
  static func entry(_ kind: Kind, _ section: Section) -> [UInt8] {
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
