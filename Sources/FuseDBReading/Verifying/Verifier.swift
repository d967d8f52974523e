internal import FuseDBCompact
package import FuseDBFormat
package import FuseDBSystem
internal import FuseDBValues

/// Walks a file that may be damaged anywhere, and goes on after each damage. See spec/format.md §10.
///
/// Threads prove parts of the file sound. One thread then goes from part to part in the order of the file: it passes
/// over those that are proven and that the part before leads to, and walks through all others itself. So what is
/// reported depends on the bytes alone, and damage is nothing that threads have to keep. See
/// spec/decisions/0006-verification-in-parts.md.
package struct Verifier: ~Escapable {
  /// How the work is divided; what is found does not depend on it.
  package struct Division: Sendable {
    package var threadCount: Int
    package var partByteCount: Int

    package init(threadCount: Int = Parallel.processorCount, partByteCount: Int = 1 << 20) {
      self.threadCount = threadCount
      self.partByteCount = partByteCount
    }
  }

  let mapping: FileMapping
  let file: RawSpan
  let level: VerificationLevel
  let division: Division
  /// The extension block at the end of the file, once the header was read.
  var block = BlockOutline()
  private let progress: (Double) -> Void
  private let onDamage: (Damage) throws(FuseError) -> Void
  var summary: VerificationSummary
  /// Whether the key index was gone through and no damage found in it.
  var isIndexSound = false
  private var shareDone = 0.0

  package static func run(
    _ mapping: FileMapping, level: VerificationLevel, division: Division = Division(),
    progress: ((Double) -> Void)?, onDamage: @escaping (Damage) throws(FuseError) -> Void
  ) throws(FuseError) -> VerificationSummary {
    mapping.willReadInOrder()
    defer { mapping.didReadInOrder() }
    if CompactReader.isCompact(mapping.bytes) {
      return try runCompact(mapping, level: level, progress: progress, onDamage: onDamage)
    }
    var verifier = Verifier(mapping, mapping.bytes, level, division, progress ?? { _ in }, onDamage)
    try verifier.run()
    verifier.show(1)
    try mapping.checkNotShrunk()
    return verifier.summary
  }

  @_lifetime(copy file)
  private init(
    _ mapping: FileMapping, _ file: RawSpan, _ level: VerificationLevel, _ division: Division,
    _ progress: @escaping (Double) -> Void, _ onDamage: @escaping (Damage) throws(FuseError) -> Void
  ) {
    self.mapping = mapping
    self.file = file
    self.level = level
    self.division = division
    self.progress = progress
    self.onDamage = onDamage
    summary = VerificationSummary(path: mapping.path, byteCount: file.byteCount)
  }

  @_lifetime(self: copy self)
  private mutating func run() throws(FuseError) {
    do {
      _ = try Header(parsing: file)
    } catch {
      let kind: Damage.Kind =
        switch error.code {
        case .notADatabase: .magic
        case .unsupportedVersion: .version
        default: .truncated
        }
      // The rules for what follows do not apply to such a file. [P6]
      return try add(kind, at: error.offset ?? 0, error.message)
    }
    let header = Header(fieldsOf: file)
    block = BlockOutline(of: file, header: header)
    try checkFields(of: header)
    // Without a sensible index offset, neither section has bounds. [P7]
    guard header.indexOffset >= UInt64(Header.byteCount), header.indexOffset <= UInt64(file.byteCount) else {
      try compareFile(Checksum(), from: Header.byteCount, with: header, share: 1)
      return try walkBlock(header, index: nil)
    }
    let indexEnd = block.footer.map { Int($0.indexEnd) } ?? file.byteCount
    try walk(header, indexEnd: indexEnd)
    try walkBlock(header, index: Int(header.indexOffset)..<indexEnd)
  }

  @_lifetime(self: copy self)
  private mutating func checkFields(of header: Header) throws(FuseError) {
    let faults = header.faults(fileByteCount: file.byteCount)
    for fault in faults {
      try add(fault.code == .truncated ? .truncated : .header, at: fault.offset ?? 0, fault.message)
    }
    for (name, offset, value) in [
      ("flags", Header.Field.flags, Int(header.flags)), ("padding", Header.Field.padding, Int(header.padding)),
      ("reserved", Header.Field.reserved, Int(header.reserved)),
    ] where value != 0 {
      try add(.header, at: offset, "the header's field '\(name)' is \(value) and must be 0")
    }
  }

  // MARK: What the walks use

  /// The checksum of a range that no walk goes over.
  @_lifetime(self: copy self)
  mutating func checksum(of range: Range<Int>, share: Double) -> UInt32 {
    let stage = stage(share: share)
    return Checksum.of(range, in: mapping, threadCount: division.threadCount, onProgress: stage)
  }

  /// Compares the file's checksum; `known` is that of the bytes before `offset`. A file with a sound footer has it twice:
  /// at its end, and before the footer. [H7] [X5]
  @_lifetime(self: copy self)
  mutating func compareFile(
    _ known: Checksum, from offset: Int, with header: Header, share: Double = 0
  ) throws(FuseError) {
    let footerStart = file.byteCount - (block.footer == nil ? 0 : ExtensionFooter.byteCount)
    var whole = known
    whole.append(checksum(of: offset..<footerStart, share: share), byteCount: footerStart - offset)
    let before = whole.value
    whole.update(file.extracting(droppingFirst: footerStart))
    let wrong = [before, whole.value].first { $0 != header.checksum }
    guard let wrong else { return }
    try add(
      .fileChecksum, at: Header.Field.checksum,
      "the bytes after the header have checksum \(wrong.hexadecimal) and the header says \(header.checksum.hexadecimal)"
    )
  }

  @_lifetime(self: copy self)
  mutating func add(_ kind: Damage.Kind, at offset: some BinaryInteger, _ message: String) throws(FuseError) {
    // Bytes that were read while the file shrank are no evidence of damage. [P5]
    try mapping.checkNotShrunk()
    try Cancellation.check()
    summary.damageCount += 1
    try onDamage(Damage(kind: kind, offset: UInt64(clamping: offset), message: message))
  }

  @_lifetime(self: copy self)
  mutating func show(_ share: Double) {
    shareDone = max(shareDone, share)
    progress(shareDone)
  }

  /// Begins a stage that is `share` of all work. Returns a function that reports how much of the stage is done, from 0 to 1.
  @_lifetime(self: copy self)
  mutating func stage(share: Double) -> (Double) -> Void {
    let begin = shareDone
    shareDone = min(1, begin + share)
    let progress = progress
    return { progress(min(1, begin + share * $0)) }
  }
}

extension Verifier {
  /// Throws the first damage of a file, because a file rebuilt or patched from it would hide the damage.
  ///
  /// - Parameter harmless: the kinds of damage that are accepted.
  @discardableResult
  package static func requireSound(
    _ mapping: FileMapping, except harmless: Set<Damage.Kind> = [], progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> VerificationSummary {
    try run(mapping, level: .full, progress: progress) { damage throws(FuseError) in
      guard !harmless.contains(damage.kind) else { return }
      throw FuseError(
        damage.kind == .truncated ? .truncated : .corrupted,
        "\(damage.message) (\(damage.kind.rawValue)); 'fusedb verify' lists all damage", offset: damage.offset,
        path: mapping.path)
    }
  }
}
