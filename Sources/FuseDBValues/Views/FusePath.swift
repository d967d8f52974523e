public import FuseDBFormat

/// A path inside a value, as `fusedb get --field` takes it: names of map entries and numbers of array elements, with dots
/// between them.
///
///     let city = FusePath("geo.city.0")
///     try reader.withValue(forKey: "8.8.8.8") { $0[path: city]?.string }   // "Mountain View"
///
/// A path whose steps are known when the program is written is shorter as `$0["geo"]?["city"]?[0]`.
public struct FusePath: Hashable, Sendable {
  package struct Step: Hashable, Sendable {
    /// What to look for in a map.
    package let name: [UInt8]
    /// What to look for in an array.
    package let number: Int?

    package init(name: [UInt8], number: Int?) {
      self.name = name
      self.number = number
    }
  }

  package let steps: [Step]

  /// Takes `text` apart at its dots; after a backslash, any character is part of a name. Any text is a path. [W18]
  public init(_ text: some FuseKeyBytes) {
    var names: [[UInt8]] = [[]]
    var isEscaped = false
    for byte in text.keyBytes.array() {
      switch byte {
      case UInt8(ascii: "\\") where !isEscaped:
        isEscaped = true
        continue
      case UInt8(ascii: ".") where !isEscaped: names.append([])
      default: names[names.count - 1].append(byte)
      }
      isEscaped = false
    }
    steps = names.map { Step(name: $0, number: Self.number($0)) }
  }

  private static func number(_ name: [UInt8]) -> Int? {
    guard name.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else { return nil }
    return Int(String(decoding: name, as: UTF8.self))
  }
}

extension FusePath: CustomStringConvertible {
  /// The path as text: `geo.city.0`.
  public var description: String {
    let names = steps.map { step in
      step.name.flatMap { byte in
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: "\\") ? [UInt8(ascii: "\\"), byte] : [byte]
      }
    }
    return String(decoding: Array(names.joined(separator: [UInt8(ascii: ".")])), as: UTF8.self)
  }
}

extension FuseView {
  /// The value that `path` leads to, or nil when it leads nowhere: as by ``subscript(name:)`` in maps, and by
  /// ``subscript(_:)-(Int)`` in arrays.
  ///
  /// - Complexity: O(heads before the value), without allocation.
  public subscript(path path: FusePath) -> FuseView? {
    @_lifetime(copy self)
    get {
      var view = self
      var index = 0
      if let start = unsafe row {
        // SAFETY: a node that is found is one of the same scope.
        let (node, count) = unsafe RowScope.follow(start, path.steps)
        guard let node = unsafe node else { return nil }
        view = unsafe _overrideLifetime(FuseView(row: node), copying: self)
        index = count
      }
      for step in path.steps[index...] {
        if view.isRow {
          guard let next = view.entered(name: step.name.rawSpan, index: step.number ?? -1) else { return nil }
          view = next
          continue
        }
        let next: FuseView?
        switch view.head.kind {
        case .map: next = view[name: step.name.rawSpan]
        case .array: next = view[step.number ?? -1]
        default: next = nil
        }
        guard let next else { return nil }
        view = next
      }
      return view
    }
  }
}
