internal import FuseDBFormat

/// The errors of ranges that don't go together: each names both places.
struct RangeMessages: Sendable {
  let inputs: [(name: String, format: FuseInput.Format)]
  let names: OptionNames

  private func place(_ record: RangeRecord) -> String {
    let position = InputPosition(record.position)
    let input = inputs[position.input]
    return input.format.position(in: input.name, position.line)
  }

  /// The error about two ranges: its place is that of the one that was read later.
  private func error(
    _ code: FuseError.Code, _ one: RangeRecord, _ other: RangeRecord, _ message: (RangeRecord, String) -> String
  ) -> FuseError {
    let (before, after) = one.position < other.position ? (one, other) : (other, one)
    return FuseError(
      code, "the range \(after.range) \(message(before, place(before)))", path: place(after))
  }

  func overlap(_ one: RangeRecord, _ other: RangeRecord) -> FuseError {
    error(.invalidValue, one, other) { before, place in
      """
      overlaps in part with the range \(before.range) at \(place); correct one of them, or let \(names.overlap) say \
      whose the addresses of both are
      """
    }
  }

  func conflict(_ one: RangeRecord, _ other: RangeRecord) -> FuseError {
    error(.duplicateKey, one, other) { _, place in
      """
      has another object at \(place); keep one of them, or let \(names.overlap) or \(names.onDuplicate) say which one \
      counts
      """
    }
  }

  func repeats(_ one: RangeRecord, _ other: RangeRecord) -> FuseError {
    error(.duplicateKey, one, other) { _, place in
      "was added before, at \(place); keep one of them, or let \(names.onDuplicate) say which one counts"
    }
  }

  func tooDeep(_ record: RangeRecord, _ count: Int) -> FuseError {
    FuseError(
      .limitExceeded,
      "the range \(record.range) is the innermost of \(count) around one address, and there is memory for no more; raise \(names.memory)",
      path: place(record))
  }
}
