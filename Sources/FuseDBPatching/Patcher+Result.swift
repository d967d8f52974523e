internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

extension Patcher {
  /// Verifies the file that was made: a patch can be made for a file that nobody may serve. [U18]
  func proveResult() throws(FuseError) {
    let result = try file.mapped(header: head.newHeader.bytes, byteCount: head.newByteCount)
    do throws(FuseError) {
      try Verifier.requireSound(result)
    } catch {
      guard error.code == .corrupted || error.code == .truncated else { throw error }
      throw body.bad("the patch makes a damaged file: \(error.message)")
    }
  }
}
