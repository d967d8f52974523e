import FuseDB

@testable import FuseDBReading

/// Verification by one thread, in one go, with a bit for each byte of the data section: the slow and plain model of the
/// library's, down to the words and the order of what is reported.
struct SequentialVerifier: ~Escapable {
  struct Report: Equatable {
    var keyCount = 0
    var objectCount = 0
    var damage: [Damage] = []
  }

  private let file: RawSpan
  private var report: Report
  /// Where records begin: one bit for each byte of the data section.
  private var recordStarts: BitSet

  static func report(on mapping: FileMapping) throws(FuseError) -> Report {
    var verifier = SequentialVerifier(mapping.bytes)
    verifier.run()
    try mapping.checkNotShrunk()
    return verifier.report
  }

  @_lifetime(copy file)
  private init(_ file: RawSpan) {
    self.file = file
    report = Report()
    recordStarts = BitSet(count: 0)
  }

  @_lifetime(self: copy self)
  private mutating func run() {
    do {
      _ = try Header(parsing: file)
    } catch {
      let kind: Damage.Kind =
        switch error.code {
        case .notADatabase: .magic
        case .unsupportedVersion: .version
        default: .truncated
        }
      // What follows would be read by rules that do not hold here. [P6]
      return add(kind, at: error.offset ?? 0, error.message)
    }
    let header = Header(fieldsOf: file)
    checkFields(of: header)
    checkFileChecksum(header)
    // Without a sensible index offset, neither section has bounds. [P7]
    if header.indexOffset >= UInt64(Header.byteCount), header.indexOffset <= UInt64(file.byteCount) {
      walkData(until: Int(header.indexOffset), header: header)
      walkIndex(from: Int(header.indexOffset), header: header)
    }
  }

  @_lifetime(self: copy self)
  private mutating func checkFields(of header: Header) {
    for fault in header.faults(fileByteCount: file.byteCount) {
      add(fault.code == .truncated ? .truncated : .header, at: fault.offset ?? 0, fault.message)
    }
    for (name, offset, value) in [
      ("flags", Header.Field.flags, Int(header.flags)), ("padding", Header.Field.padding, Int(header.padding)),
      ("reserved", Header.Field.reserved, Int(header.reserved)),
    ] where value != 0 {
      add(.header, at: offset, "the header's field '\(name)' is \(value) and must be 0")
    }
  }

  @_lifetime(self: copy self)
  private mutating func checkFileChecksum(_ header: Header) {
    var checksum = Checksum()
    var offset = Header.byteCount
    while offset < file.byteCount {
      let end = min(offset + 1 << 24, file.byteCount)
      checksum.update(file.extracting(offset..<end))
      offset = end
    }
    if checksum.value != header.checksum {
      add(
        .fileChecksum, at: Header.Field.checksum,
        "the bytes after the header have checksum \(checksum.value.hexadecimal) and the header says \(header.checksum.hexadecimal)"
      )
    }
  }

  // MARK: The data section

  @_lifetime(self: copy self)
  private mutating func walkData(until dataEnd: Int, header: Header) {
    recordStarts = BitSet(count: dataEnd)
    // Sorted, once they are needed.
    var keyTargets: [UInt64]?
    var offset = Header.byteCount
    while offset < dataEnd {
      guard let record = ObjectRecord(at: UInt64(offset), before: dataEnd, in: file) else {
        add(.objectBounds, at: offset, "the record here runs past the end of the data section at \(dataEnd)")
        // Where records begin is known from their lengths alone; after a wrong one, keys tell where to go on. [P8]
        let targets = keyTargets ?? self.keyTargets(from: dataEnd)
        keyTargets = targets
        let next = targets.firstIndex { $0 > UInt64(offset) } ?? targets.count
        recordStarts.insert(offset)
        guard next < targets.count, targets[next] < UInt64(dataEnd) else { break }
        offset = Int(targets[next])
        continue
      }
      check(record)
      recordStarts.insert(offset)
      offset = record.end
      report.objectCount += 1
    }
    if keyTargets == nil, report.objectCount != Int(header.objectCount) {
      add(
        .count, at: Header.Field.objectCount,
        "the header counts \(counted(header.objectCount, "object")) and the data section holds \(report.objectCount)")
    }
  }

  @_lifetime(self: copy self)
  private mutating func check(_ record: ObjectRecord) {
    let bytes = file.extracting(record.range)
    let checksum = Checksum.of(bytes)
    guard checksum == record.checksum else {
      return add(
        .objectChecksum, at: record.offset,
        "the object has checksum \(checksum.hexadecimal) and its record says \(record.checksum.hexadecimal)")
    }
    do {
      try MessagePackCursor.validate(bytes)
    } catch {
      add(.objectValue, at: record.offset, "\(error.message) (at byte \(error.offset ?? 0) of the object)")
    }
  }

  private func keyTargets(from start: Int) -> [UInt64] {
    var targets: [UInt64] = []
    var offset = start
    while let entry = IndexEntry(at: offset, in: file) {
      targets.append(entry.objectOffset)
      offset = entry.end
    }
    return targets.sorted()
  }

  // MARK: The key index

  @_lifetime(self: copy self)
  private mutating func walkIndex(from start: Int, header: Header) {
    let expected = Int(header.keyCount)
    var offset = start
    var previous: Range<Int>?
    while offset < file.byteCount {
      guard let entry = IndexEntry(at: offset, in: file) else {
        if report.keyCount < expected {
          return add(.keyBounds, at: offset, "index entry \(report.keyCount) runs past the end of the file")
        }
        addTrailingBytes(at: offset)
        break
      }
      let ascends = previous.map { file.extracting($0).compare(file.extracting(entry.keyRange)) < 0 } ?? true
      let hasTarget = recordStarts.contains(entry.objectOffset)
      // After the last counted key, only what looks like one more entry shows that the count is wrong. [P9]
      if report.keyCount >= expected, !ascends || !hasTarget {
        addTrailingBytes(at: offset)
        break
      }
      if !ascends {
        add(.keyOrder, at: offset, "the key of index entry \(report.keyCount) does not come after the one before it")
      }
      if !hasTarget {
        add(
          .keyTarget, at: offset,
          "index entry \(report.keyCount) points at \(entry.objectOffset), where no object begins")
      }
      previous = entry.keyRange
      offset = entry.end
      report.keyCount += 1
    }
    if report.keyCount != expected {
      add(
        .count, at: Header.Field.keyCount,
        "the header counts \(counted(header.keyCount, "key")) and the index holds \(report.keyCount)")
    }
  }

  @_lifetime(self: copy self)
  private mutating func addTrailingBytes(at offset: Int) {
    add(
      .trailingBytes, at: offset,
      """
      \(counted(file.byteCount - offset, "byte")) after the last index entry, and no footer ends the file: it was cut \
      short, or something was appended; copy or build it again
      """)
  }

  @_lifetime(self: copy self)
  private mutating func add(_ kind: Damage.Kind, at offset: some BinaryInteger, _ message: String) {
    report.damage.append(Damage(kind: kind, offset: UInt64(clamping: offset), message: message))
  }
}

/// A set of small integers, one bit each.
private struct BitSet {
  private var words: [UInt64]
  private let count: Int

  init(count: Int) {
    self.count = count
    words = [UInt64](repeating: 0, count: (count + 63) / 64)
  }

  mutating func insert(_ member: Int) { words[member >> 6] |= 1 << UInt64(member & 63) }

  func contains(_ member: UInt64) -> Bool {
    member < UInt64(count) && words[Int(member >> 6)] >> (member & 63) & 1 == 1
  }
}
