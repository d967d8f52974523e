internal import FuseDB

/// Whether two values are the same as far as some of their fields go: `--field` and `--ignore` of `diff`.
struct FieldComparison {
  /// Some 20 MB.
  private static let mostRemembered = 1 << 18

  let witness: FieldWitness
  /// Of the fields that are ignored.
  let ignoredWitness: FieldWitness
  private let ignored: [ArraySlice<FusePath.Step>]
  private let old: FuseReader
  private let new: FuseReader
  /// What was found of objects that were compared before: few objects may answer many keys.
  private var known: [Pair: Bool] = [:]

  private struct Pair: Hashable {
    let old: UInt64
    let new: UInt64
  }

  init(_ fields: [ValueField], _ ignored: [ValueField], _ old: FuseReader, _ new: FuseReader) {
    witness = FieldWitness(fields)
    ignoredWitness = FieldWitness(ignored)
    self.ignored = ignored.map { $0.path.steps[...] }
    self.old = old
    self.new = new
  }

  /// Whether the values of two entries, whose bytes differ, are the same in what counts.
  mutating func areEqual(_ first: Entry, _ second: Entry) throws(FuseError) -> Bool {
    guard !witness.fields.isEmpty || !ignored.isEmpty else { return false }
    let pair = Pair(old: first.objectOffset, new: second.objectOffset)
    if let known = known[pair] { return known }
    let areEqual = try compare(first, second)
    if known.count >= Self.mostRemembered { known.removeAll(keepingCapacity: true) }
    known[pair] = areEqual
    return areEqual
  }

  private func compare(_ first: Entry, _ second: Entry) throws(FuseError) -> Bool {
    var areEqual = false
    try old.decoding(at: first.objectOffset) { () throws(FuseError) in
      let before = try FuseView(validating: first.bytes)
      try new.decoding(at: second.objectOffset) { () throws(FuseError) in
        let after = try FuseView(validating: second.bytes)
        ignoredWitness.look(at: before)
        ignoredWitness.look(at: after)
        areEqual = self.areEqual(before, after)
      }
    }
    return areEqual
  }

  private func areEqual(_ before: FuseView, _ after: FuseView) -> Bool {
    guard !witness.fields.isEmpty else { return Self.areEqual(before, after, but: ignored) }
    // All of them, so that the witness sees each.
    var areEqual = true
    for (number, field) in witness.fields.enumerated() {
      let steps = field.path.steps
      let (first, second) = (witness.find(number, in: before), witness.find(number, in: after))
      let rest = ignored.filter { $0.starts(with: steps) }.map { $0.dropFirst(steps.count) }
      if let first, let second {
        if !Self.areEqual(first, second, but: rest) { areEqual = false }
      } else if first != nil || second != nil, !rest.contains([]) {
        areEqual = false
      }
    }
    return areEqual
  }

  /// Whether two values have the same bytes but for what is at `ignored`.
  private static func areEqual(_ first: FuseView, _ second: FuseView, but ignored: [ArraySlice<FusePath.Step>]) -> Bool
  {
    if ignored.contains([]) || first.messagePack.equals(second.messagePack) { return true }
    guard !ignored.isEmpty, first.kind == second.kind else { return false }
    switch first.kind {
    case .map: return areEqualMaps(first, second, but: ignored)
    case .array: return areEqualArrays(first, second, but: ignored)
    default: return false
    }
  }

  private static func areEqualMaps(
    _ first: FuseView, _ second: FuseView, but ignored: [ArraySlice<FusePath.Step>]
  ) -> Bool {
    guard var left = first.pairs, var right = second.pairs else { return false }
    while true {
      let (old, new) = (next(&left, but: ignored), next(&right, but: ignored))
      guard let old, let new else { return old == nil && new == nil }
      guard old.key.messagePack.equals(new.key.messagePack) else { return false }
      var below: [ArraySlice<FusePath.Step>] = []
      if let name = old.key.stringBytes {
        for steps in ignored where name.equals(steps.first!.name) { below.append(steps.dropFirst()) }
      }
      guard areEqual(old.value, new.value, but: below) else { return false }
    }
  }

  /// The next pair that is not ignored as a whole.
  @_lifetime(copy pairs)
  private static func next(_ pairs: inout FuseView.Pairs, but ignored: [ArraySlice<FusePath.Step>]) -> FuseView.Pair? {
    while let pair = pairs.next() {
      var isIgnored = false
      if let name = pair.key.stringBytes {
        for steps in ignored where steps.count == 1 && name.equals(steps.first!.name) { isIgnored = true }
      }
      if !isIgnored { return pair }
    }
    return nil
  }

  private static func areEqualArrays(
    _ first: FuseView, _ second: FuseView, but ignored: [ArraySlice<FusePath.Step>]
  ) -> Bool {
    guard var left = first.elements, var right = second.elements else { return false }
    var number = 0
    while true {
      let (old, new) = (left.next(), right.next())
      let below = ignored.filter { $0.first!.number == number }.map { $0.dropFirst() }
      number += 1
      if old == nil && new == nil { return true }
      if below.contains([]) { continue }
      guard let old, let new, areEqual(old, new, but: below) else { return false }
    }
  }
}
