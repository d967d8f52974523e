internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What was found last under a path, so that each file is judged once.
struct FileLook: Sendable {
  /// The file that was looked at last, taken or refused.
  var file: FileIdentity
  /// Whether it may be good though it was refused, and looks the same: the system failed, or somebody wrote to it so
  /// shortly before that it may be complete by now.
  var isDoubtful = false
  /// Whether somebody went back from it: then another name or other rights make it no other file.
  var isGoneBackFrom = false
  /// Why nothing could be opened after that; nil when something could.
  var obstacle: FileIdentity?

  init(at file: FileIdentity) { self.file = file }

  /// Whether `found` is the file that was looked at last.
  func knows(_ found: FileIdentity) -> Bool {
    isGoneBackFrom ? file.isSameContent(as: found) : file == found
  }
}
