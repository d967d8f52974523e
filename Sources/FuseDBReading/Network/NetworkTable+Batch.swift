internal import CFuseIntrinsics
public import FuseDBFormat

/// How far the look-ups of a group of addresses came that wait for memory together: among which lines the line of each is, or in which
/// leaf; -1 where its family has no lines.
@usableFromInline package struct NetworkGroup {
  @inlinable package static var addressesAtOnce: Int { 16 }

  @usableFromInline package var first = InlineArray<16, Int>(repeating: -1)
  @usableFromInline var last = InlineArray<16, Int>(repeating: -1)

  @inlinable package init() {}
}

extension NetworkTable {
  /// Finds the line of each address of a group; in `group.first`.
  ///
  /// Each step asks for what the next one reads, for all addresses at once.
  /// - Precondition: the group is not larger than ``NetworkGroup/addressesAtOnce``.
  @inline(never)
  @usableFromInline
  package func findLines(_ addresses: Span<FuseAddress>, _ group: inout NetworkGroup) {
    precondition(addresses.count <= NetworkGroup.addressesAtOnce, "a group has no more addresses")
    // SAFETY: the numbers are those of the span, and below those of a group.
    for i in addresses.indices { firstStep(unsafe addresses[unchecked: i], &group, i) }
    for i in addresses.indices { secondStep(unsafe addresses[unchecked: i], &group, i) }
    for i in addresses.indices { thirdStep(unsafe addresses[unchecked: i], &group, i) }
  }

  /// The match of an address of which ``findLines(_:_:)`` found the line; it may be damaged.
  @inlinable
  @inline(__always)
  package func match(_ address: FuseAddress, in line: Int, isChecked: Bool) -> NetworkMatch {
    guard line >= 0 else { return NetworkMatch(.none, address.family == .ipv4 ? .ipv4 : .ipv6, line: -1) }
    return address.family == .ipv4
      ? ipv4Match(UInt32(truncatingIfNeeded: address.bits), in: line, isChecked: isChecked)
      : ipv6Match(address.bits, in: line, isChecked: isChecked)
  }

  // SAFETY: of the three, as of the whole table; what is asked for ahead of time is not read.

  @inline(__always)
  private func firstStep(_ address: FuseAddress, _ group: inout NetworkGroup, _ i: Int) {
    var first = -1
    if address.family == .ipv4 {
      if ipv4LineCount > 0 {
        first = Int(truncatingIfNeeded: UInt32(truncatingIfNeeded: address.bits) &>> directoryShift)
        // SAFETY: the directory has an entry for each value of the upper bits.
        unsafe fuse_prefetch(directory + 4 &* first)
      }
    } else if ipv6LineCount > 0 {
      first = ipv6Leaf(UInt64(truncatingIfNeeded: address.bits &>> 64))
      // SAFETY: the leaf is one of those that the section has.
      unsafe fuse_prefetch(ipv6Bases + 64 &* first)
    }
    unsafe group.first[unchecked: i] = first
  }

  @inline(__always)
  private func secondStep(_ address: FuseAddress, _ group: inout NetworkGroup, _ i: Int) {
    let first = unsafe group.first[unchecked: i]
    guard first >= 0 else { return }
    if address.family == .ipv4 {
      let candidates = ipv4Candidates(UInt32(truncatingIfNeeded: address.bits))
      unsafe group.first[unchecked: i] = candidates.first
      unsafe group.last[unchecked: i] = candidates.last
      // SAFETY: the number was cut to those of lines.
      unsafe fuse_prefetch(ipv4Bases + 4 &* candidates.first)
      // Most have one candidate.
      unsafe fuse_prefetch(ipv4Lines + 64 &* candidates.first)
    } else {
      let line = ipv6Line(UInt64(truncatingIfNeeded: address.bits &>> 64), in: first)
      unsafe group.first[unchecked: i] = line
      // SAFETY: as for IPv4.
      unsafe fuse_prefetch(ipv6Lines + 64 &* line)
    }
  }

  @inline(__always)
  private func thirdStep(_ address: FuseAddress, _ group: inout NetworkGroup, _ i: Int) {
    let first = unsafe group.first[unchecked: i]
    guard first >= 0, address.family == .ipv4 else { return }
    let line = unsafe ipv4Line(UInt32(truncatingIfNeeded: address.bits), among: (first, group.last[unchecked: i]))
    // SAFETY: the line is one of the candidates.
    unsafe fuse_prefetch(ipv4Lines + 64 &* line)
    unsafe group.first[unchecked: i] = line
  }
}
