/// The command line is wrong: exit status 64.
struct UsageError: Error, Equatable {
  /// What is wrong and what to do, as a sentence.
  var message: String
  /// The command concerned, once it is known.
  var command: String?
  /// Whether the list of commands is printed, too.
  var showsOverview: Bool

  init(_ message: String, in command: String? = nil, showsOverview: Bool = false) {
    self.message = message
    self.command = command
    self.showsOverview = showsOverview
  }
}
