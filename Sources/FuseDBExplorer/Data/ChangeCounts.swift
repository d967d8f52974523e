internal import FuseDBFormat
internal import FuseDBPatching
internal import FuseDBReading
internal import FuseDBValues

/// How many keys two files answer differently, and which fields of their values changed most.
struct ChangeCounts: Sendable {
  /// So many changed values are taken apart for their fields, of at most so many bytes.
  private static let mostValues = 20_000
  private static let valueByteCount = 16_384

  var added = 0
  var removed = 0
  var changed = 0
  var equal = 0
  /// How many changed values were compared field by field.
  var compared = 0
  /// The fields that changed, those first that changed most.
  var fields: [(path: [UInt8], count: Int)] = []

  init(
    from old: FuseReader, to new: FuseReader, progress: (Double) -> Void = { _ in }
  ) throws(FuseError) {
    var counts: [[UInt8]: Int] = [:]
    var differences = try new.differences(from: old)
    let total = Double(max(1, old.keyCount + new.keyCount))
    while !differences.isAtEnd {
      // In steps, so that progress can be told also where nothing differs.
      var left = 50_000
      while let difference = try differences.next(lookingAt: &left) {
        switch difference {
        case .added: added += 1
        case .removed: removed += 1
        case .changed(let from, let to):
          changed += 1
          if compared < Self.mostValues { try compare(from, to, &counts) }
        }
      }
      progress(Double(differences.numbers.old + differences.numbers.new) / total)
    }
    equal = differences.equalCount
    fields = counts.sorted { $0.value == $1.value ? $0.key.lexicographicallyPrecedes($1.key) : $0.value > $1.value }
      .prefix(20).map { ($0.key, $0.value) }
  }

  private mutating func compare(_ old: Entry, _ new: Entry, _ counts: inout [[UInt8]: Int]) throws(FuseError) {
    let oldBytes = try old.bytes.byteCount <= Self.valueByteCount ? try old.bytes.array() : nil
    let newBytes = try new.bytes.byteCount <= Self.valueByteCount ? try new.bytes.array() : nil
    guard let oldBytes, let newBytes, let from = try? FuseValue(messagePack: oldBytes),
      let to = try? FuseValue(messagePack: newBytes)
    else { return }
    compared += 1
    Self.compare(from, to, [], &counts)
  }

  /// Counts the fields that differ: members of maps, three names deep.
  private static func compare(_ old: FuseValue, _ new: FuseValue, _ path: [[UInt8]], _ counts: inout [[UInt8]: Int]) {
    guard path.count < 3, let oldPairs = old.pairs, let newPairs = new.pairs, oldPairs.count <= 500,
      newPairs.count <= 500
    else {
      let text = FusePath.spelling(of: path)
      if counts[text] != nil || counts.count < 2000 { counts[text, default: 0] += 1 }
      return
    }
    var olds: [FuseValue: FuseValue] = [:]
    for pair in oldPairs { olds[pair.key] = pair.value }
    var names = newPairs.map { ($0.key, Optional($0.value)) }
    let known = Set(newPairs.map(\.key))
    names += oldPairs.filter { !known.contains($0.key) }.map { ($0.key, nil) }
    for (name, value) in names {
      let before = olds[name]
      guard before != value else { continue }
      let bytes = name.stringBytes ?? Array(name.description.utf8)
      compare(before ?? .null, value ?? .null, path + [bytes], &counts)
    }
  }
}

/// Some differences of two files, from a place in both on.
struct ChangePage: Sendable {
  static let mostListed = 25
  /// So many keys are looked at.
  static let mostSteps = 100_000

  /// One key that two files answer differently.
  struct Change: Sendable {
    var key: [UInt8]
    var number: Int?
    var old: ShownObject?
    var new: ShownObject?
    /// Where a page begins that has this one first.
    var place: (old: Int, new: Int)
  }

  var changes: [Change] = []
  var stepCount = 0
  /// Where to go on, if there may be more.
  var next: (old: Int, new: Int)?

  init(from old: FuseReader, to new: FuseReader, at place: (old: Int, new: Int)) throws(FuseError) {
    var differences = try new.differences(from: old, startingAt: place)
    var left = Self.mostSteps
    // No more than one key a step is passed over, so the place before each difference is near.
    while changes.count < Self.mostListed, let difference = try differences.next(lookingAt: &left) {
      let numbers = differences.numbers
      switch difference {
      case .added(let entry):
        changes.append(
          Change(
            key: try entry.key, number: numbers.new - 1, new: try ShownObject(at: entry.objectOffset, of: new),
            place: (numbers.old, numbers.new - 1)))
      case .removed(let entry):
        changes.append(
          Change(
            key: try entry.key, old: try ShownObject(at: entry.objectOffset, of: old),
            place: (numbers.old - 1, numbers.new)))
      case .changed(let from, let to):
        changes.append(
          Change(
            key: try to.key, number: numbers.new - 1, old: try ShownObject(at: from.objectOffset, of: old),
            new: try ShownObject(at: to.objectOffset, of: new), place: (numbers.old - 1, numbers.new - 1)))
      }
    }
    stepCount = Self.mostSteps - left
    if !differences.isAtEnd { next = differences.numbers }
  }
}
