/// What was found last under a path, so that each file is judged once.
struct FileLook: Sendable {
  /// The file that was looked at last, taken or refused.
  var file: FileIdentity
  /// Whether it was refused so soon after somebody wrote to it that it may be complete by now, and look the same.
  var isDoubtful = false
  /// Why nothing could be opened after that; nil when something could.
  var obstacle: FileIdentity?

  init(at file: FileIdentity) { self.file = file }
}
