/// A loop over questions that is timed, and what it must find.
struct TimedLoop {
  /// How much is timed at once.
  enum Piece {
    /// A slice of a turn's questions.
    case slice
    /// A turn with all its questions: what starts threads does so once.
    case turn
    /// Everything: a turn has no choice of questions.
    case everything
  }

  let subject: Subject
  var piece = Piece.slice
  /// How many questions there are.
  let questionCount: Int
  /// Runs the loop; nil where the subject has no such thing.
  let run: (Range<Int>) throws -> Outcome?
  /// Throws where something else was found than what is there.
  let compare: (Outcome, Range<Int>) throws -> Void
}
