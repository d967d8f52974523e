internal import FuseDBFormat

/// A value that is being encoded: what its type has asked its encoder for so far.
struct EncodingFrame {
  enum Shape { case nothing, single, keyed, unkeyed }

  /// Where its bytes begin.
  let start: Int
  /// How many steps of the coding path lead to it.
  let pathCount: Int
  var shape = Shape.nothing
  /// Whether a dictionary encodes itself here, in any order.
  var isDictionary = false
  /// Pairs or elements so far.
  var count = 0
  /// Parts that are encoded elsewhere, because whoever asked for their containers may fill them later.
  var parts: [Part] = []

  /// Whether a part of it would stand in too many arrays and maps.
  var isTooDeep = false

  struct Part {
    /// Where its bytes belong.
    let offset: Int
    let state: EncodingState
  }
}
