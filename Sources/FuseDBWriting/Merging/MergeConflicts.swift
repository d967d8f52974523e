internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Tells whether files have different objects under a key, and combines them where that is wanted.
@safe
final class MergeConflicts: @unchecked Sendable {
  // SAFETY: used by the thread that merges the keys, and by no other.
  private let inputs: [MergeInput]
  private let store: ObjectStore
  private let combiner: MergeOptions.Combiner?
  /// How many objects of each partition were stored once for all: two of these that have different numbers are different.
  private let sharedCounts: [Int]
  private var opened: [(input: Int, records: MergeRecords)?]
  /// What the last key is to get, unless that is the object of a file.
  private var combined: [UInt8]?

  /// - Parameter combiner: what combines different objects, if they are to be combined.
  init(_ inputs: [MergeInput], _ store: ObjectStore, combiner: MergeOptions.Combiner?) throws(FuseError) {
    self.inputs = inputs
    self.store = store
    self.combiner = combiner
    opened = Array(repeating: nil, count: MergeInput.mostOpen)
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
    let first = if let combined { combined } else { try object(at: batch.lastPosition) }
    return try first != object(at: head.position)
  }

  private func isShared(_ object: ObjectNumber) -> Bool { object.number < sharedCounts[object.partition] }

  /// Combines the object of the last key of a batch with another, and keeps the outcome until ``settle(_:)``.
  func combine(_ batch: KeyBatch, with head: KeyHead) throws(FuseError) {
    guard let combiner else { return }
    let key = head.keyBytes
    let first = if let combined { combined } else { try object(at: batch.lastPosition) }
    let second = try object(at: head.position)
    let combination: MergeOptions.Combination
    do {
      combination = try combiner(key, first.rawSpan, second.rawSpan)
    } catch let error as FuseError {
      throw error
    } catch {
      throw FuseError(.invalidValue, "the objects under \(quoted(key)) cannot be combined: \(error)")
    }
    switch combination {
    case .first: break
    case .second:
      combined = nil
      batch.replaceLast(object: head.object, position: head.position)
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

  /// Stores what was combined for the last key of a batch. Returns false where the key has the object of a file.
  func settle(_ batch: KeyBatch) throws(FuseError) -> Bool {
    guard let value = combined else { return false }
    combined = nil
    batch.replaceLast(object: try store.add(value.rawSpan), position: batch.lastPosition)
    return true
  }

  /// The object of a file.
  private func object(at rawPosition: UInt64) throws(FuseError) -> [UInt8] {
    let position = MergePosition(rawPosition)
    var bytes: [UInt8] = []
    var window = RecordWindow()
    let records = try records(of: position.input)
    try records.append(objectAt: position.offset, to: &bytes, &window)
    // Another file may have been written into this one, and its record here be whole.
    try inputs[position.input].checkUnchanged(records.file)
    return bytes
  }

  /// A file's records: of those that don't stay open, as many are kept open as the table has slots for.
  private func records(of input: Int) throws(FuseError) -> MergeRecords {
    if let kept = inputs[input].keptRecords { return kept }
    let slot = input % opened.count
    if let known = opened[slot], known.input == input { return known.records }
    let records = try inputs[input].openRecords()
    opened[slot] = (input, records)
    return records
  }
}
