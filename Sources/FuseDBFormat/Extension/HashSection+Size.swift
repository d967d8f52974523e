extension HashSection {
  /// Keys that share a pilot, on average: more of them make the pilots' table smaller and the search for pilots longer.
  private static let keysPerPilot = 5
  private static let partShiftOfBuilder: UInt8 = 5
  /// Pilot lines of a part in a section of more than one.
  static let pilotLinesPerPart = 1 << Int(partShiftOfBuilder)
  /// Keys of a part, on average: few enough for its table of taken slots to fit into the first-level cache and for a
  /// last part that is not full to waste little, enough for parts to differ little in size.
  package static let keysPerPart = pilotLinesPerPart * pilotsPerLine * keysPerPilot

  /// The canonical section for so many keys. [X11]
  package init(keyCount: Int, slotsPerLine: SlotsPerLine, seed: UInt64) {
    let isOnePart = keyCount <= Self.keysPerPart
    let partCount = isOnePart ? 1 : keyCount.dividedRoundingUp(by: Self.keysPerPart)
    let pilotLineCount =
      isOnePart
      ? max(1, keyCount.dividedRoundingUp(by: Self.pilotsPerLine * Self.keysPerPilot))
      : partCount * Self.pilotLinesPerPart
    // Nine of ten slots are taken.
    let linesPerPart = max(1, (10 * keyCount).dividedRoundingUp(by: 9 * partCount * Int(slotsPerLine.rawValue)))
    self.init(
      seed: seed, pilotLineCount: UInt64(pilotLineCount), partCount: UInt64(partCount),
      linesPerPart: UInt64(linesPerPart), partShift: Self.partShiftOfBuilder, slotsPerLine: slotsPerLine)
  }
}

extension Int {
  fileprivate func dividedRoundingUp(by divisor: Int) -> Int { (self + divisor - 1) / divisor }
}
