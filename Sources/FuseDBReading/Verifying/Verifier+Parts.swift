internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

extension Verifier {
  /// The shares of the stages of which progress tells. Walking again takes no time where nothing is damaged.
  enum Share {
    static let data = 0.3
    static let dataAgain = 0.2
    static let index = 0.3
    static let indexAgain = 0.2
  }

  /// Checks all that follows the header; the index ends at `indexEnd`.
  @_lifetime(self: copy self)
  mutating func walk(_ header: Header, indexEnd: Int) throws(FuseError) {
    let dataEnd = Int(header.indexOffset)
    let data = Header.byteCount..<dataEnd
    let index = dataEnd..<indexEnd
    let points = SplitPoints(data: data, index: index, of: file, partByteCount: division.partByteCount)
    var starts = try RecordStarts(dataEnd: dataEnd)

    let dataParts = try prove(SplitPoints.parts(from: points.records, until: dataEnd), dataEnd: dataEnd, starts)
    let isDataSound = dataParts.allSatisfy(\.isSound)
    if isDataSound {
      for part in dataParts { starts.insert(part) }
    } else {
      // Damage of the data section stands after that of the whole file.
      try compareFile(Checksum(), from: Header.byteCount, with: header)
      try walkData(dataParts, header: header, index: index, &starts)
    }

    var indexParts: [IndexPart] = []
    if level == .full {
      indexParts = try prove(SplitPoints.parts(from: points.entries, until: indexEnd), indexEnd: indexEnd, starts)
    } else {
      summary.keyCount = Int(header.keyCount)
    }
    if isDataSound {
      var whole = Checksum()
      for part in dataParts { whole.append(part.checksum, byteCount: part.range.count) }
      for part in indexParts.prefix(while: \.isSound) { whole.append(part.checksum, byteCount: part.range.count) }
      // What no walk has summed up: the index when it was not walked or is damaged, and what follows it.
      let end = indexParts.first { !$0.isSound }?.range.lowerBound ?? indexParts.last?.range.upperBound ?? dataEnd
      try compareFile(whole, from: end, with: header)
      try walkData(dataParts, header: header, index: index, &starts)
    }
    if level == .full { try walkIndex(indexParts, header: header, index: index, starts) }
  }

  /// Has threads walk through the parts of the data section.
  @_lifetime(self: copy self)
  private mutating func prove(_ parts: [Range<Int>], dataEnd: Int, _ starts: RecordStarts) throws(FuseError)
    -> [DataPart]
  {
    let mapping = mapping
    let level = level
    let stage = stage(share: Share.data)
    let proved = Parallel.map(parts.count, threadCount: division.threadCount, onProgress: stage) { number in
      let file = mapping.bytes
      return DataPart(unlessCancelled(parts[number]), of: file, dataEnd: dataEnd, level: level, starts: starts)
    }
    try Cancellation.check()
    return proved
  }

  /// Has threads walk through the parts of the index.
  @_lifetime(self: copy self)
  private mutating func prove(_ parts: [Range<Int>], indexEnd: Int, _ starts: RecordStarts) throws(FuseError)
    -> [IndexPart]
  {
    let mapping = mapping
    let stage = stage(share: Share.index)
    let proved = Parallel.map(parts.count, threadCount: division.threadCount, onProgress: stage) { number in
      let file = mapping.bytes
      return IndexPart(unlessCancelled(parts[number]), of: file.extracting(0..<indexEnd), starts: starts)
    }
    try Cancellation.check()
    return proved
  }
}

/// A part of the file, of which nothing is left once the verification is to end; what comes of it is not looked at then.
private func unlessCancelled(_ part: Range<Int>) -> Range<Int> {
  Cancellation.isRequested ? part.lowerBound..<part.lowerBound : part
}

/// The checksum of a part of the file, taken while a walk over its records or entries still has their bytes in the
/// processor's cache: so memory is read once.
struct PartChecksum {
  /// How far the walk goes before its bytes are summed up: they fit into a first-level cache beside what else is used.
  static let stepByteCount = 16 << 10
  /// From this size of an object on, its own checksum is appended to the part's instead of reading it a second time:
  /// appending takes as long as reading 4,000 bytes from the cache, but larger objects may have left it.
  static let bytesForAppending = 16 << 10

  private var checksum = Checksum()
  private var end: Int

  init(from start: Int) { end = start }

  /// Says that the walk has come to `offset`.
  @inline(__always)
  mutating func advance(to offset: Int, in file: RawSpan) {
    if offset &- end >= Self.stepByteCount { finish(at: offset, in: file) }
  }

  /// Says that the walk has come to the end of a large object, of which the checksum is known.
  mutating func advance(over object: Range<Int>, checksum known: UInt32, in file: RawSpan) {
    finish(at: object.lowerBound, in: file)
    checksum.append(known, byteCount: object.count)
    end = object.upperBound
  }

  /// The checksum of all bytes up to `offset`.
  @discardableResult
  @inline(never)
  mutating func finish(at offset: Int, in file: RawSpan) -> UInt32 {
    checksum.update(file.extracting(end..<offset))
    end = offset
    return checksum.value
  }
}
