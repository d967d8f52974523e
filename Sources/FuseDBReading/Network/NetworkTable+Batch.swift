public import CFuseIntrinsics
public import FuseDBFormat

extension NetworkTable {
  /// How many look-ups wait for memory together.
  @inlinable static var addressesAtOnce: Int { 16 }

  /// Calls `body` with the number and the match of each address, in their order.
  ///
  /// Each step asks for what the next one reads, for sixteen addresses at once.
  @inlinable
  package func forEachMatch(
    _ addresses: Span<FuseAddress>, isChecked: Bool = true,
    _ body: (_ number: Int, _ match: NetworkMatch) throws(FuseError) -> Void
  ) throws(FuseError) {
    var steps = InlineArray<16, Step>(repeating: Step())
    var start = 0
    while start < addresses.count {
      let count = min(Self.addressesAtOnce, addresses.count &- start)
      for i in 0..<count { steps[i] = firstStep(addresses[start &+ i]) }
      for i in 0..<count { secondStep(addresses[start &+ i], &steps[i]) }
      for i in 0..<count { thirdStep(addresses[start &+ i], &steps[i]) }
      for i in 0..<count {
        let address = addresses[start &+ i]
        let match =
          if steps[i].first < 0 {
            NetworkMatch(.none, address.family == .ipv4 ? .ipv4 : .ipv6, line: -1)
          } else if address.family == .ipv4 {
            try ipv4Match(UInt32(truncatingIfNeeded: address.bits), in: steps[i].first, isChecked: isChecked)
          } else { try ipv6Match(address.bits, in: steps[i].first, isChecked: isChecked) }
        try body(start &+ i, match)
      }
      start &+= count
    }
  }

  /// How far a look-up came: among which lines its line is, or in which leaf; -1 where its family has no lines.
  @usableFromInline struct Step {
    @usableFromInline var first = -1
    @usableFromInline var last = -1

    @inlinable init() {}
  }

  // SAFETY: of the three, as of the whole table; what is asked for ahead of time is not read.

  @inlinable
  @inline(__always)
  func firstStep(_ address: FuseAddress) -> Step {
    var step = Step()
    if address.family == .ipv4 {
      guard ipv4LineCount > 0 else { return step }
      step.first = Int(truncatingIfNeeded: UInt32(truncatingIfNeeded: address.bits) &>> directoryShift)
      // SAFETY: the directory has an entry for each value of the upper bits.
      unsafe fuse_prefetch(directory + 4 &* step.first)
    } else {
      guard ipv6LineCount > 0 else { return step }
      step.first = ipv6Leaf(UInt64(truncatingIfNeeded: address.bits &>> 64))
      // SAFETY: the leaf is one of those that the section has.
      unsafe fuse_prefetch(ipv6Bases + 64 &* step.first)
    }
    return step
  }

  @inlinable
  @inline(__always)
  func secondStep(_ address: FuseAddress, _ step: inout Step) {
    guard step.first >= 0 else { return }
    if address.family == .ipv4 {
      let candidates = ipv4Candidates(UInt32(truncatingIfNeeded: address.bits))
      (step.first, step.last) = candidates
      // SAFETY: the number was cut to those of lines.
      unsafe fuse_prefetch(ipv4Bases + 4 &* candidates.first)
      // Most have one candidate.
      unsafe fuse_prefetch(ipv4Lines + 64 &* candidates.first)
    } else {
      step.first = ipv6Line(UInt64(truncatingIfNeeded: address.bits &>> 64), in: step.first)
      // SAFETY: as for IPv4.
      unsafe fuse_prefetch(ipv6Lines + 64 &* step.first)
    }
  }

  @inlinable
  @inline(__always)
  func thirdStep(_ address: FuseAddress, _ step: inout Step) {
    guard step.first >= 0, address.family == .ipv4 else { return }
    let line = ipv4Line(UInt32(truncatingIfNeeded: address.bits), among: (step.first, step.last))
    if line != step.first {
      // SAFETY: the line is one of the candidates.
      unsafe fuse_prefetch(ipv4Lines + 64 &* line)
    }
    step.first = line
  }
}
