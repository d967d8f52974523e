package import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

// Beginnings of texts. See spec/matches.md §4.

extension FuseReader {
  /// So many keys are looked up before the order of keys is asked.
  private static let lookupsAtFirst = 40
  /// Nor more once so many bytes were hashed for them.
  private static let hashedBytesAtFirst = 16 << 10
  /// How many are looked up at once, at first.
  private static let lookupsAtOnce = 8
  /// For so many lengths the text is hashed once.
  private static let lengthsAtOnce = 64

  /// The entry of the longest key with which a text begins. [Q6]
  package func entry(beginning text: RawSpan, _ work: inout MatchWork) throws(FuseError) -> IndexEntry? {
    if let set = shardSet { return try entry(beginning: text, in: set, &work) }
    let lengths = index.lengths
    guard index.table != nil || index.memory != nil else { return try entry(searchedBeginning: text, &work) }
    var next = lengths.longest(atMost: text.byteCount)
    var hashedByteCount = 0
    // SAFETY: the text's bytes are there until this function returns; a group has at most `lookupsAtOnce` questions.
    let found = unsafe try text.withUnsafeBytes { (text) throws(FuseError) -> IndexEntry? in
      unsafe try withUnsafeTemporaryAllocation(
        of: KeyQuestion.self, capacity: Self.lookupsAtOnce
      ) { (questions) throws(FuseError) -> IndexEntry? in
        var left = Self.lookupsAtFirst / Self.lookupsAtOnce
        while next != nil, left > 0, hashedByteCount < Self.hashedBytesAtFirst {
          var count = 0
          while let length = next, count < Self.lookupsAtOnce, hashedByteCount < Self.hashedBytesAtFirst {
            unsafe questions.initializeElement(at: count, to: question(text.baseAddress!, count: length))
            count += 1
            hashedByteCount += length
            next = lengths.longest(atMost: length - 1)
          }
          if let entry = try unsafe answer(questions, count: count, &work) { return entry }
          left -= 1
        }
        return nil
      }
    }
    if let found { return found }
    guard let next else {
      try mapping.checkNotShrunk()
      return nil
    }
    return try entry(longBeginning: text.extracting(first: next), &work)
  }

  /// The same where many lengths are left, of which the text's own is the first.
  @inline(never)
  private func entry(longBeginning text: RawSpan, _ work: inout MatchWork) throws(FuseError) -> IndexEntry? {
    let lengths = index.lengths
    let shared: Int
    switch try neighbour(of: text, &work) {
    case .begins(let entry): return entry
    // A key that begins the text begins what comes between the two in order.
    case .shares(let count): shared = count
    }
    var next = lengths.longest(atMost: shared)
    var provedStrides: Set<Int> = []
    // SAFETY: no number here reaches `lengthsAtOnce`.
    let found = unsafe try withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.lengthsAtOnce) {
      (group) throws(FuseError) -> IndexEntry? in
      unsafe try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.lengthsAtOnce) {
        (hashes) throws(FuseError) -> IndexEntry? in
        while next != nil {
          var count = 0
          while let length = next, count < Self.lengthsAtOnce {
            unsafe group.initializeElement(at: count, to: UInt32(length))
            count += 1
            next = lengths.longest(atMost: length - 1)
          }
          work.lookupCount += count
          unsafe work.hashedByteCount += Int(group[0])
          unsafe text.hash(
            prefixes: UnsafeBufferPointer(rebasing: group[..<count]), seed: hashSeed, into: hashes.baseAddress!)
          for number in 0..<count {
            let key = unsafe text.extracting(first: Int(group[number]))
            if let entry = try entry(forKey: key, hash: unsafe hashes[number], &provedStrides) { return entry }
          }
        }
        return nil
      }
    }
    if found == nil { try mapping.checkNotShrunk() }
    return found
  }

  /// The entry of a key whose hash is known, among many that are looked up: whatever they are, each stride of the key index is compared with
  /// its checksum once. [Q7]
  private func entry(
    forKey key: RawSpan, hash: UInt64, _ provedStrides: inout Set<Int>
  ) throws(FuseError) -> IndexEntry? {
    guard let table = index.table else { return try entry(inMemory: key, hash: hash) }
    let probe = table.probe(of: hash)
    let slot = table.slot(probe)
    if slot.tag == HashLine.tag(of: hash) {
      if table.compare(key, with: slot) == .found { return found(key, slot) }
      if let offset = try otherEntry(key, hash), let stride = try stride(holding: offset),
        !provedStrides.contains(stride)
      {
        try checkStride(stride)
        provedStrides.insert(stride)
      }
    }
    if checksums == .verified, !table.isSound(probe) { throw damagedLine(hash) }
    return nil
  }

  /// The same for few questions, where there is no hash index: one search in the order of keys for each length that is left.
  private func entry(searchedBeginning text: RawSpan, _ work: inout MatchWork) throws(FuseError) -> IndexEntry? {
    let lengths = index.lengths
    var next = lengths.longest(atMost: text.byteCount)
    while let length = next {
      switch try neighbour(of: text.extracting(first: length), &work) {
      case .begins(let entry): return entry
      case .shares(let count): next = lengths.longest(atMost: count)
      }
    }
    try mapping.checkNotShrunk()
    return nil
  }

  /// What the last key that does not come after a text says about the keys with which it begins.
  private enum Neighbour {
    /// It is the longest of them.
    case begins(IndexEntry)
    /// They have at most so many bytes; -1 where there is none.
    case shares(Int)
  }

  private func neighbour(of text: RawSpan, _ work: inout MatchWork) throws(FuseError) -> Neighbour {
    work.searchCount += 1
    if let compact {
      let found = try compactNeighbour(of: text, in: compact)
      if let entry = found.entry { return .begins(entry) }
      return .shares(found.sharedByteCount)
    }
    let found = try search(text, .first)
    let (previous, position) = (found.previous, found.position)
    let mapping = mapping
    let file = mapping.bytes
    if position.number < keyCount {
      let entry = try entry(at: position.offset)
      if file.extracting(entry.keyRange).equals(text) { return .begins(entry) }
    }
    guard let previous else { return .shares(-1) }
    let shared = file.extracting(previous).sharedByteCount(with: text)
    // The length of a key, two bytes, stands before it.
    return shared == previous.count ? .begins(try entry(at: previous.lowerBound - 2)) : .shares(shared)
  }
}
