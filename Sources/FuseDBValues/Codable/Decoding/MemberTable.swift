internal import FuseDBFormat

/// The offsets of the members of a large map, to find members by name in any order.
final class MemberTable {
  /// Up to here, members are compared with each other, and need no table: it would be an allocation.
  static let mostCompared = 16

  private struct Member {
    /// A number that equal keys share, and few others do.
    var print: UInt32 = 0
    /// Where the key begins, and where its value.
    var key: UInt32 = 0
    var value: UInt32 = 0
  }

  /// By their prints.
  private let members: [Member]

  /// Looks at the `count` pairs of validated bytes from `first` on.
  ///
  /// - Throws: the offset of a key that occurred before. [W12]
  /// - Complexity: O(count log count). It takes 12 bytes a pair.
  init(_ count: Int, from first: Int, in bytes: RawSpan) throws(EqualKeys) {
    var members: [Member] = []
    // So many pairs are there, of two bytes at least, unless the file was overwritten.
    members.reserveCapacity(min(count, bytes.byteCount / 2))
    var offset = first
    while members.count < count, offset < bytes.byteCount {
      let member = Self.member(at: offset, in: bytes)
      members.append(member)
      offset = MessagePackHead.end(ofValueAt: Int(member.value), in: bytes)
    }
    try Self.sort(&members, in: bytes)
    self.members = members
  }

  /// Looks at the `count` pairs of a map, whose first key is at `first`; gives a table where they are many.
  ///
  /// - Throws: the offset of a key that occurred before. [W12]
  @inline(__always)
  static func ofMembers(_ count: Int, from first: Int, in bytes: RawSpan) throws(EqualKeys) -> MemberTable? {
    if count > mostCompared { return try MemberTable(count, from: first, in: bytes) }
    try compare(count, from: first, in: bytes)
    return nil
  }

  /// Compares the keys of up to ``mostCompared`` pairs with each other.
  ///
  /// - Throws: the offset of a key that occurred before. [W12]
  private static func compare(_ count: Int, from first: Int, in bytes: RawSpan) throws(EqualKeys) {
    var members = InlineArray<16, Member>(repeating: Member())
    var offset = first
    for number in 0..<count {
      let member = member(at: offset, in: bytes)
      for earlier in 0..<number where members[earlier].print == member.print {
        try expectOther(members[earlier], member, in: bytes)
      }
      members[number] = member
      offset = MessagePackHead.end(ofValueAt: Int(member.value), in: bytes)
    }
  }

  /// Where the value under `name` begins, or under `number` if that is the key; nil where there is none.
  ///
  /// - Complexity: O(log members), also where all prints are the same.
  func value(of name: RawSpan, number: Int?, in bytes: RawSpan) -> Int? {
    if let value = value(Self.print(of: name), order: { Self.order($0, name, in: bytes) }) { return value }
    return number.flatMap { number in
      value(Self.print(ofInteger: Int128(number)), order: { Self.order($0, number, in: bytes) })
    }
  }

  /// - Parameter order: where a member's key stands beside the one that is looked for: below 0, before it; above 0,
  ///   after it.
  private func value(_ print: UInt32, order: (Member) -> Int) -> Int? {
    var start = 0
    var end = members.count
    while start < end {
      let middle = (start + end) / 2
      let member = members[middle]
      let order = member.print != print ? (member.print < print ? -1 : 1) : order(member)
      if order == 0 { return Int(member.value) }
      if order < 0 { start = middle + 1 } else { end = middle }
    }
    return nil
  }

  // MARK: Members

  @inline(never)
  private static func sort(_ members: inout [Member], in bytes: RawSpan) throws(EqualKeys) {
    members.sort { left, right in
      left.print != right.print
        ? left.print < right.print
        : MessagePackHead.isAscending(Int(left.key), Int(right.key), in: bytes)
    }
    for (left, right) in zip(members, members.dropFirst()) where left.print == right.print {
      try expectOther(left, right, in: bytes)
    }
  }

  @inline(__always)
  private static func member(at offset: Int, in bytes: RawSpan) -> Member {
    let key = MessagePackHead(at: offset, in: bytes)
    let value: Int
    let print: UInt32
    if key.kind == .string {
      value = min(key.end &+ key.count, bytes.byteCount)
      print = Self.print(of: bytes.extracting(min(key.end, value)..<value))
    } else {
      value = MessagePackHead.end(ofValueAt: offset, in: bytes)
      print =
        if let number = key.integer(Int128.self) { Self.print(ofInteger: number) } else {
          ~Self.print(of: bytes.extracting(min(offset, value)..<value))
        }
    }
    return Member(print: print, key: UInt32(truncatingIfNeeded: offset), value: UInt32(truncatingIfNeeded: value))
  }

  @inline(never)
  private static func expectOther(_ left: Member, _ right: Member, in bytes: RawSpan) throws(EqualKeys) {
    guard !MessagePackHead.isAscending(Int(left.key), Int(right.key), in: bytes),
      !MessagePackHead.isAscending(Int(right.key), Int(left.key), in: bytes)
    else { return }
    throw EqualKeys(offset: Int(max(left.key, right.key)))
  }

  // As they are sorted: texts, then integers, then the rest.

  @inline(__always)
  private static func order(_ member: Member, _ name: RawSpan, in bytes: RawSpan) -> Int {
    let key = MessagePackHead(at: Int(member.key), in: bytes)
    guard key.kind == .string, key.count <= bytes.byteCount &- key.end else { return 1 }
    return bytes.extracting(key.end..<key.end &+ key.count).compare(name)
  }

  private static func order(_ member: Member, _ number: Int, in bytes: RawSpan) -> Int {
    let key = MessagePackHead(at: Int(member.key), in: bytes)
    guard key.kind != .string else { return -1 }
    guard let integer = key.integer(Int128.self) else { return 1 }
    return integer < number ? -1 : integer > number ? 1 : 0
  }

  // MARK: Prints

  /// Of the count of some bytes, their first and their last ones.
  @inline(__always)
  private static func print(of bytes: RawSpan) -> UInt32 {
    let count = bytes.byteCount
    var print = UInt64(truncatingIfNeeded: count)
    if count >= 8 {
      let last = bytes.loadInside(at: count &- 8, as: UInt64.self)
      print ^= bytes.loadInside(at: 0, as: UInt64.self) ^ (last << 29 | last >> 35)
    } else if count >= 4 {
      let first = UInt64(bytes.loadInside(at: 0, as: UInt32.self))
      print ^= first << 32 ^ UInt64(bytes.loadInside(at: count &- 4, as: UInt32.self)) << 8
    } else {
      for offset in 0..<count { print = print << 8 ^ UInt64(bytes.loadInside(at: offset, as: UInt8.self)) }
    }
    return UInt32(truncatingIfNeeded: (print &* 0x9E37_79B9_7F4A_7C15) >> 32)
  }

  private static func print(ofInteger number: Int128) -> UInt32 {
    UInt32(truncatingIfNeeded: (UInt64(truncatingIfNeeded: number) &* 0xD6E8_FEB8_6659_FD93) >> 32)
  }
}

/// Two keys of a map are equal.
struct EqualKeys: Error {
  /// Where the second one begins.
  let offset: Int
}
