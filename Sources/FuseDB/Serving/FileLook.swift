/// What was found last under a path, so that each file is judged once.
struct FileLook: Sendable {
  /// The file that was looked at last, taken or refused.
  var file: FileIdentity
  /// Whether it may be good though it was refused, and looks the same: the system failed, or somebody wrote to it so
  /// shortly before that it may be complete by now.
  var isDoubtful = false
  /// Why nothing could be opened after that; nil when something could.
  var obstacle: FileIdentity?

  init(at file: FileIdentity) { self.file = file }
}
