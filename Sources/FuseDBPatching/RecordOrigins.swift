internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// From which record of the old file each record of the new one comes.
struct RecordOrigins {
  /// Stands for no record; a file has one fewer at most.
  static let none = UInt32.max
  /// How many records with one checksum are compared, so that a file full of them cannot make this slow.
  private static let mostCandidates = 8

  /// The old record for each new one: equal to it, or its predecessor under some key.
  private(set) var origins: [UInt32]
  /// Whether the two are equal.
  private(set) var areEqual: [Bool]

  private let old: PatchEnd
  private let new: PatchEnd

  /// Pairs the records through their keys, and those that are left by their bytes.
  ///
  /// - Complexity: O(keys log records + bytes of the objects); 5 bytes of memory a new record, 8 an old one.
  init(from old: PatchEnd, to new: PatchEnd) throws(FuseError) {
    self.old = old
    self.new = new
    origins = try [UInt32](new.recordCount, of: Self.none)
    areEqual = try [Bool](new.recordCount, of: false)
    try pairByKeys()
    try pairByBytes()
    try old.reader.checkNotShrunk()
    try new.reader.checkNotShrunk()
  }

  private mutating func pairByKeys() throws(FuseError) {
    var keys = try KeyPairs(from: old.reader, to: new.reader)
    while let pair = try keys.next() {
      guard let oldEntry = pair.old, let newEntry = pair.new else { continue }
      let origin = try old.record(of: oldEntry.entry)
      let record = try new.record(of: newEntry.entry)
      guard !areEqual[record], origins[record] != UInt32(origin) else { continue }
      if isEqual(record, origin) {
        set(record, origin)
      } else if origins[record] == Self.none {
        origins[record] = UInt32(origin)
      }
    }
  }

  /// Records whose keys are all new, or which no key reaches, may stand in the old file all the same.
  private mutating func pairByBytes() throws(FuseError) {
    var byChecksum: [UInt64]?
    for record in 0..<new.recordCount where !areEqual[record] {
      // Files in insertion order go on where the record before came from.
      if record > 0, areEqual[record - 1], Int(origins[record - 1]) + 1 < old.recordCount,
        isEqual(record, Int(origins[record - 1]) + 1)
      {
        set(record, Int(origins[record - 1]) + 1)
        continue
      }
      let candidates = if let byChecksum { byChecksum } else { try oldRecordsByChecksum() }
      byChecksum = candidates
      let first = UInt64(new.checksum(record)) << 32
      var index = candidates.partitioningIndex { $0 >= first }
      let end = min(candidates.count, index + Self.mostCandidates)
      while index < end, candidates[index] >> 32 == first >> 32 {
        let origin = Int(candidates[index] & 0xFFFF_FFFF)
        if isEqual(record, origin) {
          set(record, origin)
          break
        }
        index += 1
      }
    }
  }

  /// Every old record's number below its checksum, sorted.
  private func oldRecordsByChecksum() throws(FuseError) -> [UInt64] {
    var all: [UInt64] = []
    try all.reserve(old.recordCount)
    for number in 0..<old.recordCount { all.append(UInt64(old.checksum(number)) << 32 | UInt64(number)) }
    try all.checkRoomForSorting()
    all.sort()
    return all
  }

  private mutating func set(_ record: Int, _ origin: Int) {
    origins[record] = UInt32(origin)
    areEqual[record] = true
  }

  private func isEqual(_ record: Int, _ origin: Int) -> Bool { new.object(record).equals(old.object(origin)) }
}

extension [UInt64] {
  /// The first index whose element and all after it fulfil `condition`.
  fileprivate func partitioningIndex(where condition: (UInt64) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if condition(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// Which record of the new file each record of the old one has become. See spec/patch.md §5.
struct RecordSuccessors {
  private(set) var records: [UInt32] = []

  /// Of no records.
  init() {}

  /// - Parameter memory: an array that is empty, and may have room.
  init(oldCount: Int, in memory: [UInt32] = []) throws(FuseError) {
    records = memory
    try records.reserve(oldCount)
    records.append(contentsOf: repeatElement(RecordOrigins.none, count: oldCount))
  }

  /// The new record, or nil where the old one has gone.
  @inline(__always)
  subscript(origin: Int) -> Int? { records[origin] == RecordOrigins.none ? nil : Int(records[origin]) }

  /// Records that are copied, to those from `first` on. A copy succeeds whatever came before it. [U11]
  mutating func set(_ origins: Range<Int>, _ first: Int) {
    for origin in origins { records[origin] = UInt32(first + origin - origins.lowerBound) }
  }

  /// A record that is edited: its successor only where there is none yet. [U11]
  mutating func setEdited(_ origin: Int, _ record: Int) {
    if records[origin] == RecordOrigins.none { records[origin] = UInt32(record) }
  }
}
