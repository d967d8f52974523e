internal import FuseDB
internal import FuseDBInput

// A list of addresses, one a line: nothing is copied or decoded twice on the way.

extension Get {
  private static let mostAddresses = 1024

  /// Whether lines of a list are taken as addresses wherever they are some.
  func takesAddresses(_ asking: Asking) -> Bool {
    let isByNetwork = if case .network? = matching { true } else { matching == nil }
    // That rule leaves addresses what they are.
    let isPlain = asking.rule == nil || asking.rule == .network
    return asking.under.isEmpty && isByNetwork && isPlain && asking.reader.hasNetworks && listFormat == .text
      && format == .text
      && defaultValue == nil
  }

  /// Prints what answers each line of a list; returns whether all were answered.
  func answerAddresses(
    _ keys: inout KeyList, _ asking: Asking, _ console: Console
  ) throws(FuseError) -> Bool {
    let reader = asking.reader
    var areAllThere = true
    var cache = ColumnCache()
    var addresses: [FuseAddress] = []
    addresses.reserveCapacity(Self.mostAddresses)
    // Their lines, back to back.
    var text: [UInt8] = []
    var ends: [Int] = []
    // Lines of answers, until there are enough to write.
    var lines: [UInt8] = []
    func write() throws(FuseError) {
      guard !lines.isEmpty else { return }
      try console.out.part { $0.out.append(contentsOf: lines) }
      lines.removeAll(keepingCapacity: true)
    }
    while true {
      addresses.removeAll(keepingCapacity: true)
      text.removeAll(keepingCapacity: true)
      ends.removeAll(keepingCapacity: true)
      let (other, isAtEnd) = try keys.next(upTo: Self.mostAddresses) { line throws(FuseError) in
        guard let address = FuseAddress(text: line) else { return false }
        if matching == nil, address.family == .ipv6, try !isAddressAlone(line.array(), address, reader) { return false }
        addresses.append(address)
        text.append(addingCapacity: line.byteCount) { $0.append(line) }
        ends.append(text.count)
        return true
      }
      do throws(FuseError) {
        try reader.forEachLongestMatch(of: addresses) { (number, match) throws(FuseError) in
          let line = (number == 0 ? 0 : ends[number - 1])..<ends[number]
          guard let match else {
            areAllThere = false
            return try sayAbsent(Array(text[line]), "no block holds the address", console)
          }
          guard try cache.read(match, self, reader) else {
            // A field is absent.
            try write()
            if try !answer(Array(text[line]), match, asking, console) { areAllThere = false }
            return
          }
          let key = try matching == nil || printsMatch ? reader.keyText(of: match.key) : nil
          let columns = cache.columns
          let count = line.count + (key?.bytes.byteCount ?? 0) + columns.count + 3
          lines.append(addingCapacity: count) { out in
            out.append(text.rawSpan.extracting(line))
            out.append(UInt8(ascii: "\t"))
            if let key {
              out.append(key.bytes)
              out.append(UInt8(ascii: "\t"))
            }
            out.append(cache.text.rawSpan.extracting(columns))
            out.append(UInt8(ascii: "\n"))
          }
        }
      } catch {
        // What was answered before it is said before it.
        try write()
        throw error
      }
      try write()
      if let other, try !answer([other], asking, console) { areAllThere = false }
      if isAtEnd { return areAllThere }
    }
  }

  /// Columns of objects that answered before: few objects answer most addresses.
  private struct ColumnCache {
    private static let slotCount = 4096
    private static let mostBytes = 8 << 20

    /// The object's offset of each slot; 0 is none's.
    private var offsets = [UInt64](repeating: 0, count: slotCount)
    private var ranges = [Range<Int>](repeating: 0..<0, count: slotCount)
    private var writer = JSONWriter()
    /// Where in ``text`` the columns stand that were read last.
    private(set) var columns = 0..<0
    /// The columns of all objects.
    var text: [UInt8] { writer.out }

    /// Reads the columns of an object; false where one is empty.
    mutating func read(_ match: borrowing FuseNetworkMatch, _ get: Get, _ reader: FuseReader) throws(FuseError) -> Bool
    {
      let offset = match.objectOffset
      let slot = Int(truncatingIfNeeded: (offset &* 0x9E37_79B9_7F4A_7C15) >> 52)
      if offsets[slot] != offset {
        if writer.out.count > Self.mostBytes { self = ColumnCache() }
        let start = writer.out.count
        guard try get.appendAllColumns(ofObjectAt: offset, reader, to: &writer) else {
          writer.out.removeSubrange(start...)
          return false
        }
        offsets[slot] = offset
        ranges[slot] = start..<writer.out.count
      }
      columns = ranges[slot]
      return true
    }
  }
}

extension OutputSpan<UInt8> {
  /// Appends bytes.
  ///
  /// - Precondition: there is room for them.
  fileprivate mutating func append(_ bytes: RawSpan) {
    precondition(bytes.byteCount <= freeCapacity, "the span has room for the bytes")
    // SAFETY: as many bytes fit after those that are there, and all of them are written.
    unsafe bytes.withUnsafeBytes { source in
      unsafe withUnsafeMutableBufferPointer { buffer, count in
        unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
          .copyMemory(from: source)
        count += source.count
      }
    }
  }
}
