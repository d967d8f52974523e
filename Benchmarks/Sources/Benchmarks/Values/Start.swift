/// From where a loop starts each time.
enum Start: CaseIterable {
  /// From a key; the processor begins with the next one when it likes.
  case key
  /// From a key, when the look-up before has ended.
  case keySerially
  /// From a value that was found before.
  case found
}
