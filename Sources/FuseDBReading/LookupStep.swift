internal import FuseDBCompact
public import FuseDBFormat
public import FuseDBSystem
internal import FuseDBValues

/// How far one of many look-ups is that wait for memory together.
///
/// Each key goes the steps of a single look-up: pilot, slot, entry and object. A step asks for the cache lines of all
/// keys before the next step reads them. The table is that of the reader, which the loop over many keys has at hand; nil where the index
/// is in memory.
@usableFromInline
struct LookupStep: Sendable {
  /// How many keys are on their way at once: enough to keep the processor's memory requests busy, few enough for what
  /// they ask for to stay in the first-level cache.
  @usableFromInline
  static let keysAtOnce = 16

  @usableFromInline let hash: UInt64
  @usableFromInline var probe: HashSectionTable.Probe

  @inlinable
  @inline(__always)
  init(hash: UInt64) {
    self.hash = hash
    probe = HashSectionTable.Probe(pilotLine: 0, position: HashSection.SlotPosition(line: 0, slot: 0))
  }
}

extension FuseReader {
  /// Hashes a key and asks for what the hash leads to.
  @inlinable
  @inline(__always)
  func firstStep(of key: RawSpan, in table: HashSectionTable?) -> LookupStep {
    guard let table else { return firstStep(inMemory: key) }
    let hash = key.flatHash(seed: table.section.seed)
    table.prefetchPilot(of: hash)
    return LookupStep(hash: hash)
  }

  @inline(never)
  @usableFromInline func firstStep(inMemory key: RawSpan) -> LookupStep {
    if let compact { return LookupStep(hash: compact.begin(key)) }
    if let set = shardSet { return firstStep(of: key, in: set) }
    guard let index = index.memory else { return LookupStep(hash: 0) }
    let hash = key.hash(seed: index.seed)
    index.prefetch(hash)
    return LookupStep(hash: hash)
  }

  /// Asks for everything that the answers need.
  @usableFromInline
  @unsafe
  func fetch(_ steps: UnsafeMutableBufferPointer<LookupStep>, count: Int) {
    // SAFETY: the caller has given values to the first `count` steps, and no number here reaches `count`.
    let mapping = mapping
    // Most objects reach into a second line, which is of interest here if it is to be summed up.
    let lineCount: UInt = checksums == .verified ? 2 : 1
    if let table = index.table {
      for number in 0..<count {
        let probe = table.probe(of: unsafe steps[number].hash)
        table.prefetchSlot(probe)
        unsafe steps[number].probe = probe
      }
      for number in 0..<count {
        let slot = table.slot(unsafe steps[number].probe)
        table.prefetchEntry(of: slot)
        mapping.prefetch(at: slot.object, lineCount: lineCount)
      }
    } else if let compact {
      for number in 0..<count {
        let place = unsafe compact.slotPlace(of: steps[number].hash)
        unsafe steps[number].probe.position = HashSection.SlotPosition(line: place.line, slot: place.slot)
      }
      for number in 0..<count {
        let step = unsafe steps[number]
        compact.prefetchBlock(of: step.hash, line: step.probe.position.line, slot: step.probe.position.slot)
      }
      for number in 0..<count {
        let step = unsafe steps[number]
        compact.prefetchRow(of: step.hash, line: step.probe.position.line, slot: step.probe.position.slot)
      }
    } else if let set = shardSet {
      unsafe fetch(steps, count: count, in: set)
    } else if let index = index.memory {
      for number in 0..<count {
        guard let offset = index.firstOffset(hash: unsafe steps[number].hash) else { continue }
        mapping.prefetch(at: UInt64(truncatingIfNeeded: offset), lineCount: 1)
      }
    }
  }

  /// Whether a key is there, after its other steps.
  @inlinable
  @inline(__always)
  func contains(_ key: RawSpan, after step: LookupStep, in table: HashSectionTable?) throws(FuseError) -> Bool {
    let offset = try objectOffset(forKey: key, after: step, in: table)
    try mapping.checkNotShrunk()
    return offset != nil
  }

  @inlinable
  @inline(__always)
  func objectOffset(
    forKey key: RawSpan, after step: LookupStep, in table: HashSectionTable?
  ) throws(FuseError) -> UInt64? {
    guard let table else { return try objectOffset(inMemory: key) }
    return try objectOffset(forKey: key, hash: step.hash, probe: step.probe, in: table, isFlat: true)
  }
}
