extension DecodingState {
  /// Up to here, each name is compared with each; from there on they are sorted.
  private static let fewNames = 16

  /// Throws if a name stands twice in the map at `map`, of `count` pairs, whose first key is at `first`. [V8]
  ///
  /// - Complexity: O(count log count).
  func checkNames(of map: Int, first: Int, count: Int) throws {
    if count <= Self.fewNames {
      var prints = InlineArray<16, UInt64>(repeating: 0)
      var offset = first
      for number in 0..<count {
        let key = name(at: offset)
        for earlier in 0..<number where prints[earlier] == key.print {
          return try checkAllNames(of: map, first: first, count: count)
        }
        prints[number] = key.print
        offset = end(ofValueAt: key.end)
      }
    } else {
      try checkAllNames(of: map, first: first, count: count)
    }
  }

  @inline(never)
  private func checkAllNames(of map: Int, first: Int, count: Int) throws {
    struct Name {
      var print: UInt64
      var start: UInt32
      var end: UInt32
    }
    var names: [Name] = []
    var offset = first
    for _ in 0..<count {
      let key = name(at: offset)
      guard key.end > offset else { break }
      names.append(Name(print: key.print, start: UInt32(key.start), end: UInt32(key.end)))
      offset = end(ofValueAt: key.end)
    }
    let bytes = bytes
    names.sort { left, right in
      if left.print != right.print { return left.print < right.print }
      let order = bytes.extracting(Int(left.start)..<Int(left.end))
        .compare(bytes.extracting(Int(right.start)..<Int(right.end)))
      return order != 0 ? order < 0 : left.start < right.start
    }
    for (left, right) in zip(names, names.dropFirst()) where left.print == right.print {
      let name = bytes.extracting(Int(right.start)..<Int(right.end))
      guard bytes.extracting(Int(left.start)..<Int(left.end)).equals(name) else { continue }
      throw corrupted("the name \(quoted(name)) stands twice in this map", at: map, offset: Int(right.start))
    }
  }

  /// The key at `offset`: where what tells it from others begins and where it ends, and a number that equal ones share.
  @inline(__always)
  private func name(at offset: Int) -> (start: Int, end: Int, print: UInt64) {
    let key = head(at: offset)
    switch key.kind {
    // However long its head is.
    case .string:
      let end = min(key.end &+ key.count, bytes.byteCount)
      return (min(key.end, end), end, bytes.extracting(min(key.end, end)..<end).print)
    default:
      let end = max(offset, end(ofValueAt: offset))
      let start = min(offset, end)
      // Otherwise the text "a" would be 97, of which it has the byte.
      return (start, end, ~bytes.extracting(start..<end).print)
    }
  }
}

extension RawSpan {
  /// A number that equal bytes share, and few others do: of their count, their first and their last ones.
  @inline(__always)
  fileprivate var print: UInt64 {
    let count = byteCount
    let salt = UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
    if count >= 8 {
      let last = loadInside(at: count &- 8, as: UInt64.self)
      return loadInside(at: 0, as: UInt64.self) ^ (last << 29 | last >> 35) ^ salt
    }
    if count >= 4 {
      return UInt64(loadInside(at: 0, as: UInt32.self)) << 32 ^ UInt64(loadInside(at: count &- 4, as: UInt32.self))
        ^ salt
    }
    var print = salt
    for offset in 0..<count { print ^= UInt64(loadInside(at: offset, as: UInt8.self)) << (8 * UInt64(offset)) }
    return print
  }
}
