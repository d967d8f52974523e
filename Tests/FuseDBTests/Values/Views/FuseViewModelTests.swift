import ProgramSupport
import Testing

import FuseDB

/// Views beside ``DecodedValue``.
struct `A view of a random value` {
  @Test func `says what a slow model says: every accessor, name, number, path and step`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<3000 {
      let bytes = ReferenceValue.random(&random).bytes
      let model = try #require(DecodedValue.of(bytes))
      let value = try FuseView(validating: bytes.rawSpan)
      let problem = Self.difference(value, model, bytes)
      #expect(problem == nil, "\(bytes.hex)")
    }
  }

  /// The same where other bytes follow the value, as they do wherever it is part of another.
  @Test func `does not depend on what follows it`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<300 {
      let bytes = ReferenceValue.random(&random).bytes
      let model = try #require(DecodedValue.of(bytes))
      for tail in [0x00, 0xC1, 0xFF] as [UInt8] {
        let longer = bytes + [UInt8](repeating: tail, count: 20)
        let problem = Self.difference(FuseView(validated: longer.rawSpan), model, bytes)
        #expect(problem == nil, "\(bytes.hex)")
      }
    }
  }

  /// The first difference between a view and the model of the same bytes, or nil.
  static func difference(_ view: FuseView, _ model: DecodedValue, _ bytes: [UInt8]) -> String? {
    let own = view.messagePack.array()
    if own != bytes { return "bytes \(own.hex) for \(bytes.hex)" }
    if view.kind != model.kind { return "\(view.kind) for \(model.kind)" }
    if view.accessors != model.accessors { return "\(view.accessors) for \(model.accessors)" }
    if let json = try? FuseJSON.text(from: bytes), view.json != json { return "\(view.json) for \(json)" }
    if view[-1] != nil || view[.max] != nil || view[.min] != nil { return "an element that is none" }
    if view["no such name"] != nil { return "a name that is none" }
    switch model {
    case .array(let values): return difference(view, values)
    case .map(let pairs): return difference(view, pairs)
    default:
      let isLeaf = view.elements == nil && view.pairs == nil && view[0] == nil && view[""] == nil
      return isLeaf && view[integerKey: 0] == nil ? nil : "a scalar that holds something"
    }
  }

  private static func difference(_ view: FuseView, _ values: [DecodedValue.Part]) -> String? {
    guard var elements = view.elements, view.pairs == nil, view[integerKey: 0] == nil else { return "no array" }
    for (number, value) in values.enumerated() {
      if elements.count != values.count - number { return "\(elements.count) elements to come" }
      guard let step = elements.next(), let element = view[number], let end = view[path: FusePath("\(number)")] else {
        return "no element \(number)"
      }
      if let problem = difference(step, value.value, value.bytes) { return problem }
      if element.transcript() != step.transcript() || end.transcript() != step.transcript() { return "[\(number)]" }
    }
    return elements.next() == nil && view[values.count] == nil ? nil : "too many elements"
  }

  private static func difference(_ view: FuseView, _ all: [DecodedValue.Pair]) -> String? {
    guard var pairs = view.pairs, view.elements == nil, view[0] == nil else { return "no map" }
    for (number, pair) in all.enumerated() {
      if pairs.count != all.count - number { return "\(pairs.count) pairs to come" }
      guard let step = pairs.next() else { return "no pair \(number)" }
      if let problem = difference(step.key, pair.key.value, pair.key.bytes) { return problem }
      if let problem = difference(step.value, pair.value.value, pair.value.bytes) { return problem }
      // Of equal keys the last counts, and numbers are equal however they are written.
      let last = all.last { $0.key.value.isSameKey(as: pair.key.value) }!.value
      switch pair.key.value {
      case .string(let name):
        guard let found = view[name] else { return "no value under \(name.hex)" }
        if found.messagePack.array() != last.bytes { return "not the last under \(name.hex)" }
        let steps = name.flatMap { [UInt8(ascii: "\\"), $0] }
        if view[path: FusePath(steps)]?.transcript() != found.transcript() { return "not the same by a path" }
      case .unsigned, .signed:
        guard let key = step.key.int else { break }
        guard let found = view[integerKey: key] else { return "no value under \(key)" }
        if found.messagePack.array() != last.bytes { return "not the last under \(key)" }
      default: break
      }
    }
    return pairs.next() == nil ? nil : "too many pairs"
  }
}

extension DecodedValue {
  fileprivate func isSameKey(as other: DecodedValue) -> Bool {
    switch (self, other) {
    case (.unsigned(let left), .signed(let right)): left == right
    case (.signed(let left), .unsigned(let right)): left == right
    default: self == other
    }
  }
}
