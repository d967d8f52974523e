import FuseDB
import ProgramSupport

extension CallFiles {
  private func apply(_ patch: String, to old: String) throws {
    try FusePatch.apply(patch, to: try FuseReader(path: old), output: output)
  }

  private func make(from old: String, to new: String, at path: String) throws {
    try FusePatch.make(from: try FuseReader(path: old), to: try FuseReader(path: new), at: path)
  }

  /// Differences and patches.
  var comparing: [LongCall] {
    let made = folder.path("made.patch")
    return [
      LongCall("diff") {
        var differences = try FuseReader(path: new).differences(from: FuseReader(path: old))
        while try differences.next() != nil {}
      },
      LongCall("diff that is not finished") {
        var differences = try FuseReader(path: new).differences(from: FuseReader(path: old))
        _ = try differences.next()
      },
      LongCall("make a patch") { try make(from: old, to: new, at: made) },
      LongCall("make a patch of a damaged file", fails: .corrupted) {
        try make(from: old, to: damagedObject, at: made)
      },
      LongCall("make a patch in a folder that is not there", fails: .inputOutput) {
        try make(from: old, to: new, at: unwritable)
      },
      LongCall("apply a patch") { try apply(patch, to: old) },
      LongCall("apply a patch to another file", fails: .patchMismatch) { try apply(patch, to: other) },
      LongCall("apply a patch to a damaged file", fails: .corrupted) { try apply(patch, to: damagedObject) },
      LongCall("apply a damaged patch", fails: .corrupted) { try apply(damagedPatch, to: old) },
      LongCall("apply no patch", fails: .corrupted) { try apply(new, to: old) },
    ]
  }
}
