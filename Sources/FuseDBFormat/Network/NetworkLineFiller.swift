/// Fills the lines of one table with runs, each as far as it goes. See spec/network.md §4.
struct NetworkLineFiller {
  private let lanes: NetworkSection.Lanes
  private var starts = InlineArray<9, UInt128>(repeating: 0)
  private var answers = InlineArray<9, NetworkAnswer>(repeating: .none)
  private var count = 0
  /// All distances from the line's base, or-ed.
  private var distances: UInt128 = 0
  /// How many lines were handed out.
  private(set) var lineCount = 0
  private(set) var runCount = 0

  init(_ lanes: NetworkSection.Lanes) { self.lanes = lanes }

  /// Adds a run, which begins after the one before.
  ///
  /// - Parameter emit: takes a line that is complete, and its base.
  /// - Returns: the number of the line that has the run.
  mutating func add(
    _ start: UInt128, _ answer: NetworkAnswer, _ emit: ([UInt8], UInt128) throws(FuseError) -> Void
  ) throws(FuseError) -> Int {
    if !fits(start) { try end(before: start, emit) }
    starts[count] = start
    answers[count] = answer
    distances |= start - starts[0]
    count += 1
    runCount += 1
    return lineCount
  }

  /// Hands out the last line.
  mutating func finish(_ emit: ([UInt8], UInt128) throws(FuseError) -> Void) throws(FuseError) {
    // After the last address comes the first.
    if count > 0 { try end(before: 0, emit) }
  }

  /// Whether the line has a lane left and can tell this start from its base exactly. [A11]
  private func fits(_ start: UInt128) -> Bool {
    guard count > 0 else { return true }
    guard count < Int(lanes.rawValue) else { return false }
    let distance = start - starts[0]
    return distance >> Self.shift(distances | distance) <= UInt128(UInt16.max)
  }

  /// The zeros at the end of all distances.
  private static func shift(_ distances: UInt128) -> UInt128 {
    distances == 0 ? 0 : UInt128(distances.trailingZeroBitCount)
  }

  private mutating func end(
    before next: UInt128, _ emit: ([UInt8], UInt128) throws(FuseError) -> Void
  ) throws(FuseError) {
    guard lineCount < NetworkSection.mostLines else {
      throw FuseError(.limitExceeded, "there are more networks than a network section can hold")
    }
    let line = image(before: next)
    let base = starts[0]
    lineCount += 1
    count = 0
    distances = 0
    try emit(line, base)
  }

  /// The line's 64 bytes.
  private func image(before next: UInt128) -> [UInt8] {
    let laneCount = Int(lanes.rawValue)
    let shift = Self.shift(distances)
    var out: [UInt8] = []
    out.reserveCapacity(64)
    for lane in 0..<laneCount {
      out.append16(
        lane < count ? UInt16(truncatingIfNeeded: (starts[lane] - starts[0]) >> shift) : NetworkLine.unusedStart)
    }
    for lane in 0..<laneCount { out.append(answers[min(lane, count - 1)].length) }
    for lane in 0..<laneCount {
      let object = answers[min(lane, count - 1)].object
      for byte in 0..<NetworkLine.objectByteCount(lanes) {
        out.append(UInt8(truncatingIfNeeded: object >> UInt64(8 * byte)))
      }
    }
    // Objects of three bytes leave room.
    out += [UInt8](repeating: 0, count: NetworkLine.shift - out.count)
    out.append(UInt8(shift))
    out += [0, 0, 0, 0, 0, 0, 0]
    let check = NetworkLine.check(of: out.rawSpan, base: starts[0], next: next)
    for byte in 0..<4 { out[60 + byte] = UInt8(truncatingIfNeeded: check >> UInt32(8 * byte)) }
    return out
  }
}

extension [UInt8] {
  fileprivate mutating func append16(_ value: UInt16) {
    append(UInt8(truncatingIfNeeded: value))
    append(UInt8(truncatingIfNeeded: value >> 8))
  }
}
