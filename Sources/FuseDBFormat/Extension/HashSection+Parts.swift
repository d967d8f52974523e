extension HashSection {
  /// The number of a hash's bucket: that of its pilot.
  @inlinable
  @inline(__always)
  package func bucket(of hash: UInt64) -> Int {
    let (line, position) = pilotPosition(of: hash)
    return Int(truncatingIfNeeded: line) &* Self.pilotsPerLine &+ Int(truncatingIfNeeded: position)
  }

  /// The lines of the pilots of some parts.
  package func pilotLines(ofParts parts: Range<Int>) -> Range<Int> {
    parts.lowerBound << Int(partShift)..<min(parts.upperBound << Int(partShift), Int(pilotLineCount))
  }

  /// The hashes whose pilots stand in some lines, at least one.
  package func hashes(ofPilotLines lines: Range<Int>) -> ClosedRange<UInt64> {
    firstHash(ofPilotLine: UInt64(lines.lowerBound))...(firstHash(ofPilotLine: UInt64(lines.upperBound)) &- 1)
  }

  /// The smallest hash that leads to a line or to one after it; for the line after the last, 0, as if it were 2^64.
  private func firstHash(ofPilotLine line: UInt64) -> UInt64 {
    guard line < pilotLineCount else { return 0 }
    let (quotient, remainder) = pilotLineCount.dividingFullWidth((line, 0))
    return remainder == 0 ? quotient : quotient + 1
  }
}
