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

// A set has the number of the shard in the upper bits of the pilot's line, which no file reaches.
extension LookupStep {
  private static let shardShift: UInt64 = 46
  private static let noShard: UInt64 = 1 &<< 18 &- 1

  /// Of a set, which of its shards has the key; nil where that could not be opened.
  var shard: Int? {
    let number = probe.pilotLine &>> Self.shardShift
    return number == Self.noShard ? nil : Int(truncatingIfNeeded: number)
  }

  /// The same step, as one in a shard of a set.
  func inShard(_ number: Int?) -> LookupStep {
    var step = self
    let upper = number.map { UInt64(truncatingIfNeeded: $0) } ?? Self.noShard
    step.probe.pilotLine = withoutShard.probe.pilotLine | upper &<< Self.shardShift
    return step
  }

  /// The step as the shard itself takes it.
  var withoutShard: LookupStep {
    var step = self
    step.probe.pilotLine &= 1 &<< Self.shardShift &- 1
    return step
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
    // SAFETY: this reader keeps the set.
    if let set = unsafe uncountedSet { return unsafe set._withUnsafeGuaranteedRef { firstStep(of: key, in: $0) } }
    if let compact { return LookupStep(hash: compact.begin(key)) }
    guard let index = index.memory else { return LookupStep(hash: 0) }
    let hash = key.hash(seed: index.seed)
    index.prefetch(hash)
    return LookupStep(hash: hash)
  }

  /// Asks for everything that the answers need.
  ///
  /// - Parameter withObjects: whether objects are among that.
  @usableFromInline
  @unsafe
  func fetch(_ steps: UnsafeMutableBufferPointer<LookupStep>, count: Int, withObjects: Bool) {
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
        if withObjects { mapping.prefetch(at: slot.object, lineCount: lineCount) }
      }
    } else if let compact {
      for number in 0..<count { unsafe steps[number].probe = compactProbe(of: steps[number].hash, in: compact) }
      for number in 0..<count {
        let step = unsafe steps[number]
        compact.prefetchBlock(of: step.hash, line: step.probe.position.line, slot: step.probe.position.slot)
      }
      if !withObjects { return }
      for number in 0..<count {
        let step = unsafe steps[number]
        compact.prefetchRow(of: step.hash, line: step.probe.position.line, slot: step.probe.position.slot)
      }
    } else if let set = shardSet {
      unsafe fetch(steps, count: count, in: set, withObjects: withObjects)
    } else if let index = index.memory {
      for number in 0..<count {
        guard let offset = index.firstOffset(hash: unsafe steps[number].hash) else { continue }
        mapping.prefetch(at: UInt64(truncatingIfNeeded: offset), lineCount: 1)
      }
    }
  }

  /// Where the search for a hash ends in a compact file; its slot is asked for.
  func compactProbe(of hash: UInt64, in compact: CompactReader) -> HashSectionTable.Probe {
    let place = compact.slotPlace(of: hash)
    return HashSectionTable.Probe(
      pilotLine: place.pilotLine, position: HashSection.SlotPosition(line: place.line, slot: place.slot))
  }

  /// Where the row under a key begins, after its other steps.
  func rowOffset(
    forKey key: RawSpan, after step: LookupStep, in compact: CompactReader
  ) throws(FuseError) -> UInt64? {
    let position = step.probe.position
    let reference = try compact.reference(
      forKey: key, hash: step.hash, pilotLine: step.probe.pilotLine, line: position.line, slot: position.slot)
    return reference.map { compact.rowOffset(ofReference: $0) }
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
    guard let table else { return try objectOffset(inMemory: key, after: step) }
    return try objectOffset(forKey: key, hash: step.hash, probe: step.probe, in: table, isFlat: true)
  }

  @inline(never)
  @usableFromInline
  func objectOffset(inMemory key: RawSpan, after step: LookupStep) throws(FuseError) -> UInt64? {
    // SAFETY: this reader keeps the set.
    if let set = unsafe uncountedSet {
      return try unsafe set.guaranteed { set throws(FuseError) in try objectOffset(forKey: key, after: step, in: set) }
    }
    if let compact { return try rowOffset(forKey: key, after: step, in: compact) }
    return try objectOffset(inMemory: key)
  }
}
