internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import Synchronization

/// Writes the section `HASH` under one seed. See spec/extension.md §5 and spec/decisions/0008-hash-section.md.
///
/// Keys that share a pilot form a bucket. The buckets of a part are placed one after the other,
/// large ones first, each by the smallest pilot that leads all its keys to free slots. Parts do not depend on each
/// other, so all processors work on them, some at a time; what they made is written in order.
struct HashSectionBuilder<Table: SlotTable> {
  private let section: Table
  private let records: HashRecords.Contents
  private let sizes: BlockSizes

  init(_ section: Table, from records: HashRecords.Contents, _ sizes: BlockSizes) {
    self.section = section
    self.records = records
    self.sizes = sizes
  }

  /// Writes the section from `start` on.
  ///
  /// - Returns: the section's checksum; nil when the seed does not suit the keys, and then anything stands there.
  /// - Complexity: O(keys), on average; memory for some parts a thread.
  func write(to file: AtomicFile, at start: Int) throws(FuseError) -> UInt32? {
    let pilots = try file.stream(at: start)
    try pilots.write(section.bytes.rawSpan)
    let slots = try file.stream(
      at: start + HashSection.byteCount + Int(section.pilots.pilotLineCount) * HashSection.lineByteCount)
    let work = Work(section, records, sizes, pilots: pilots, slots: slots)
    let outcomes = Parallel.map(sizes.threadCount, threadCount: sizes.threadCount) { _ in work.run() }
    for outcome in outcomes { if try !outcome.get() { return nil } }
    try pilots.flush()
    try slots.flush()
    var checksum = pilots.checksum
    checksum.append(slots.checksum.value, byteCount: slots.byteCount)
    return checksum.value
  }

  /// What the threads share.
  @safe
  private final class Work: Sendable {
    private let section: Table
    private let records: HashRecords.Contents
    private let sizes: BlockSizes
    private let next = Atomic(0)
    /// Whether nothing more is wanted: the seed does not suit the keys, or writing failed.
    private let isStopped = Atomic(false)
    private let sequencer = Sequencer()
    // SAFETY: the streams are used in sequence alone, and after all threads have ended.
    private nonisolated(unsafe) let pilots: FileStream
    private nonisolated(unsafe) let slots: FileStream

    init(
      _ section: Table, _ records: HashRecords.Contents, _ sizes: BlockSizes, pilots: FileStream,
      slots: FileStream
    ) {
      self.section = section
      self.records = records
      self.sizes = sizes
      // SAFETY: no other thread has this object yet.
      unsafe self.pilots = pilots
      unsafe self.slots = slots
    }

    /// Makes parts until there are no more. The result says whether the seed suits.
    func run() -> Result<Bool, FuseError> {
      do throws(FuseError) {
        let maker = try HashPartsMaker(section, from: records, sizes)
        return .success(try makeAll(maker))
      } catch {
        isStopped.store(true, ordering: .relaxed)
        return .failure(error)
      }
    }

    private func makeAll(_ maker: HashPartsMaker<Table>) throws(FuseError) -> Bool {
      while !isStopped.load(ordering: .relaxed) {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        let first = number * sizes.partsAtOnce
        guard first < Int(section.pilots.partCount) else { break }
        let parts = first..<min(first + sizes.partsAtOnce, Int(section.pilots.partCount))
        // Others wait for this number, so it takes its turn, come what may.
        let outcome = Result { () throws(FuseError) in
          try Cancellation.check()
          return try maker.make(parts)
        }
        try sequencer.run(number) { () throws(FuseError) in
          // SAFETY: the streams are used under the sequencer alone, which lets one thread in at a time.
          if try outcome.get() { unsafe try maker.write(pilotsTo: pilots, slotsTo: slots) }
        }
        if try !outcome.get() {
          isStopped.store(true, ordering: .relaxed)
          return false
        }
      }
      return true
    }
  }
}
