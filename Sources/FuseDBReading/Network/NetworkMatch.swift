public import CFuseIntrinsics
public import FuseDBFormat

/// Where the search for an address ended: the longest block's object and length, or that there is none.
@usableFromInline package struct NetworkMatch: Equatable, Sendable {
  @usableFromInline let answer: NetworkAnswer
  @usableFromInline let table: NetworkSection.Table
  /// The line that says so; -1 where the family has no lines, `noLine` where other keys said so.
  @usableFromInline let line: Int
  static let noLine = -2

  @inlinable
  @inline(__always)
  init(_ answer: NetworkAnswer, _ table: NetworkSection.Table, line: Int) {
    self.answer = answer
    self.table = table
    self.line = line
  }

  /// Whether a block holds the address.
  @inlinable package var isFound: Bool { answer.length != NetworkAnswer.noLength }
  /// Whether the line proves nothing. [A10]
  @inlinable package var isDamaged: Bool { answer.length == NetworkAnswer.damagedLength }
  /// The object's offset.
  @inlinable package var object: UInt64 { answer.object }
  /// The block's prefix length, where there is one.
  @inlinable package var prefixLength: Int { Int(answer.length) }
}

extension NetworkTable {
  /// The longest block that holds an address, if what says so is not damaged.
  ///
  /// - Parameter isChecked: whether the line is compared with its check. If not, damage gives any answer.
  /// - Throws: ``FuseError`` with code `corrupted` where the line, or what led to it, is damaged. [A10]
  package func match(_ address: FuseAddress, isChecked: Bool = true) throws(FuseError) -> NetworkMatch {
    let match = anyMatch(address, isChecked: isChecked)
    guard !match.isDamaged else { throw damage(match.table, match.line) }
    return match
  }

  /// The same, or a match that is damaged.
  @inlinable
  @inline(__always)
  func anyMatch(_ address: FuseAddress, isChecked: Bool) -> NetworkMatch {
    if address.family == .ipv4 {
      guard ipv4LineCount > 0 else { return NetworkMatch(.none, .ipv4, line: -1) }
      let number = UInt32(truncatingIfNeeded: address.bits)
      let candidates = ipv4Candidates(number)
      // Most have one candidate, which is waited for together with its base.
      // SAFETY: it is not read, and its number was cut to those of lines.
      unsafe fuse_prefetch(ipv4Lines + 64 &* candidates.first)
      return ipv4Match(number, in: ipv4Line(number, among: candidates), isChecked: isChecked)
    }
    guard ipv6LineCount > 0 else { return NetworkMatch(.none, .ipv6, line: -1) }
    let upper = UInt64(truncatingIfNeeded: address.bits &>> 64)
    return ipv6Match(address.bits, in: ipv6Line(upper, in: ipv6Leaf(upper)), isChecked: isChecked)
  }

  /// The address that answers for another: itself, or the IPv4 address in it where the section names an alias. [A14]
  @inlinable
  @inline(__always)
  package func resolved(_ address: FuseAddress) -> FuseAddress {
    hasAliases && address.family == .ipv6 ? aliased(address) : address
  }

  @inline(never)
  @usableFromInline
  func aliased(_ address: FuseAddress) -> FuseAddress {
    guard address.family == .ipv6 else { return address }
    for alias in section.aliases {
      let length = Int(alias.prefixLength)
      guard (address.bits ^ alias.address) & ~FuseAddress.hostMask(.ipv6, length) == 0 else { continue }
      return FuseAddress(ipv4: UInt32(truncatingIfNeeded: address.bits >> UInt128(96 - length)))
    }
    return address
  }
}

extension NetworkTable {
  /// The block of a match: the longest that holds the address, as it was inserted.
  package func key(of match: NetworkMatch, _ address: FuseAddress) -> FuseNetwork? {
    match.isFound ? FuseNetwork(around: address, prefixLength: match.prefixLength) : nil
  }

  /// The largest block around an address of which all addresses have the same longest block, or all have none.
  package func scope(of match: NetworkMatch, _ address: FuseAddress) -> FuseNetwork {
    let family = address.family
    let run = run(of: match, address)
    // The block's size is bound by where it would take in what comes before the run, what comes after, and the address's own block.
    var hostBits = family.bitCount - (match.isFound ? match.prefixLength : 0)
    if run.first > 0 { hostBits = min(hostBits, Self.highestDifference(address.bits, run.first - 1)) }
    if run.last < FuseAddress.hostMask(family, 0) {
      hostBits = min(hostBits, Self.highestDifference(address.bits, run.last + 1))
    }
    return FuseNetwork(around: address, prefixLength: family.bitCount - max(0, hostBits))
  }

  private static func highestDifference(_ left: UInt128, _ right: UInt128) -> Int {
    127 - (left ^ right).leadingZeroBitCount
  }

  /// The first and last address of the run around an address that answered with `match`.
  func run(of match: NetworkMatch, _ address: FuseAddress) -> (first: UInt128, last: UInt128) {
    guard match.line >= 0 else { return (0, FuseAddress.hostMask(address.family, 0)) }
    let unit: UInt128 = match.table == .ipv6 ? 64 : 0
    let number = address.bits >> unit
    let (base, next) = bases(of: match.table, match.line)
    let bounds = withLine(match.table, match.line) { line in
      let shift = UInt128(NetworkLine.shift(of: line))
      let distance = min((number &- base) &>> shift, UInt128(UInt16.max))
      var lane = NetworkLine.lane(at: UInt16(truncatingIfNeeded: distance), of: line, lanes)
      let end = Int(lanes.rawValue)
      var after = lane + 1
      // Unused lanes repeat the last answer.
      while after < end, NetworkLine.answer(after, of: line, lanes) == match.answer { after += 1 }
      while lane > 0, NetworkLine.answer(lane - 1, of: line, lanes) == match.answer { lane -= 1 }
      let first = base &+ UInt128(NetworkLine.start(lane, of: line)) &<< shift
      return (first, after < end ? base &+ UInt128(NetworkLine.start(after, of: line)) &<< shift : next)
    }
    // Of all bits that the table knows: after the last number comes 0.
    let all = FuseAddress.hostMask(address.family, 0)
    let first = (bounds.0 &<< unit) & all
    let last = ((bounds.1 &<< unit) &- 1) & all
    guard match.table == .deep else { return (first, last) }
    // Beyond its /64 a run of the table of longer blocks says nothing.
    let block = FuseNetwork(around: address, prefixLength: 64)
    return (max(first, block.address.bits), min(last, block.lastBits))
  }
}
