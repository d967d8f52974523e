/// Tells whether files have different objects under a key, and combines them where that is wanted.
@safe
final class MergeConflicts: @unchecked Sendable {
  // SAFETY: used by the thread that merges the keys, and by no other.
  private let inputs: [MergeInput]
  private let store: ObjectStore
  private let combiner: MergeOptions.Combiner?
  private let pages: [MappedPages]
  /// How many objects of each partition were stored once for all: two of these that have different numbers are different.
  private let sharedCounts: [Int]
  /// What the last key is to get, unless that is the object of a file.
  private var combined: [UInt8]?

  /// - Parameter pageLimit: how much of all files may be in memory.
  init(
    _ inputs: [MergeInput], _ store: ObjectStore, pageLimit: Int, combiner: MergeOptions.Combiner?
  ) throws(FuseError) {
    self.inputs = inputs
    self.store = store
    self.combiner = combiner
    pages = inputs.map { $0.dataPages(limit: pageLimit / inputs.count) }
    sharedCounts = try store.partitions().map { $0.residentCount }
  }

  /// Whether different objects are combined.
  var combines: Bool { combiner != nil }

  /// Whether the last key of a batch has another object than the same key has here.
  func differs(_ batch: KeyBatch, from head: KeyHead) throws(FuseError) -> Bool {
    let last = batch.lastObject
    if combined == nil {
      if last == head.object { return false }
      if isShared(last) && isShared(head.object) { return true }
    }
    let second = try bytes(at: head.place)
    if let combined { return !combined.rawSpan.equals(second) }
    let first = try bytes(at: batch.lastPlace)
    return !first.equals(second)
  }

  private func isShared(_ object: ObjectNumber) -> Bool { object.number < sharedCounts[object.partition] }

  /// Combines the object of the last key of a batch with another, and keeps the outcome until ``settle(_:)``.
  func combine(_ batch: KeyBatch, with head: KeyHead) throws(FuseError) {
    guard let combiner else { return }
    let key = head.keyBytes
    let second = try bytes(at: head.place)
    let outcome: MergeOptions.Combination
    if let combined {
      outcome = try combiner(key, combined.rawSpan, second)
    } else {
      let first = try bytes(at: batch.lastPlace)
      outcome = try combiner(key, first, second)
    }
    switch outcome {
    case .first: break
    case .second:
      combined = nil
      batch.replaceLast(object: head.object, place: head.place)
    case .value(let value):
      do throws(FuseError) {
        try MessagePackCursor.validate(value.rawSpan)
      } catch {
        throw FuseError(
          .invalidValue,
          "what the objects under \(quoted(key)) were combined into is not one MessagePack value: \(error.message)",
          offset: error.offset)
      }
      combined = value
    }
  }

  /// Stores what was combined for the last key of a batch.
  func settle(_ batch: KeyBatch) throws(FuseError) {
    guard let value = combined else { return }
    combined = nil
    batch.replaceLast(object: try store.add(value.rawSpan), place: batch.lastPlace)
  }

  /// The object of a file.
  @_lifetime(borrow self)
  private func bytes(at rawPlace: UInt64) throws(FuseError) -> RawSpan {
    let place = MergePlace(rawPlace)
    let reader = inputs[place.input].reader
    let record = try reader.record(at: place.offset)
    pages[place.input].willRead(record.offset..<record.end)
    let mapping = reader.mapping
    // SAFETY: the mapping lives as long as the inputs, which this object keeps.
    return unsafe _overrideLifetime(mapping.bytes.extracting(record.range), borrowing: self)
  }
}
