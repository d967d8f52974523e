/// One subject's loop over questions that wants something of each value.
struct ValueLoop {
  let subject: Subject
  let wanted: Wanted
  var start = Start.key
  let run: (Range<Int>) throws -> Outcome
  /// The loop, where it runs in this process.
  var tally: ((Range<Int>) throws -> Tally)?
  /// The loop that only finds the value: what a difference is taken to.
  var base: ((Range<Int>) throws -> Tally)?

  var name: String { wanted.name(start) }
}

extension ValueLoop {
  /// A loop in this process, compiled for the look-up as a service's code would be.
  ///
  /// - Parameter keys: what the look-up gets, one for each question.
  init(_ subject: Subject, _ wanted: Wanted, _ keys: ByteList, _ lookUp: some LookUp) {
    self.init(
      subject: subject, wanted: wanted,
      run: { range in
        var tally = Tally()
        let nanoseconds = try timed { tally = try lookUp.tally(keys, range) }
        return Outcome(nanoseconds: nanoseconds, found: tally.found, sum: tally.sum)
      }, tally: { try lookUp.tally(keys, $0) })
  }

  /// A loop in this process that starts from values found before.
  init(_ subject: Subject, _ wanted: Wanted, found: ByteList, _ lookUp: some LookUp) {
    self.init(subject, wanted, found, lookUp)
    start = .found
  }

  /// Loops in this process from keys: at the processor's liking, and one look-up after the other where that is measured.
  ///
  /// - Parameter base: the look-up that only finds the value.
  static func fromKeys(
    _ subject: Subject, _ wanted: Wanted, _ keys: ByteList, _ lookUp: some LookUp, over base: some LookUp
  ) -> [ValueLoop] {
    var loop = ValueLoop(subject, wanted, keys, lookUp)
    if wanted != .bytes { loop.base = { try base.tally(keys, $0) } }
    guard wanted.isMeasuredSerially else { return [loop] }
    var serial = ValueLoop(subject, wanted, keys, SerialLookUp(other: lookUp))
    serial.start = .keySerially
    return [loop, serial]
  }
}
