import Glibc

/// Makes every long call of the library a thousand times, those that fail too, and checks that nothing of them stays:
/// no descriptor, no mapping, no memory.
///
/// The last line says whether all was well; so does the exit code.
struct LongCallsProgram {
  static func run() -> Int32 {
    Resources.calmHeap()
    do {
      let folder = try ScratchFolder()
      let files = try CallFiles(in: folder)
      let calls = files.writing + files.merging + files.comparing + files.reading + files.serving
      var callCount = 0
      for call in calls {
        try call.check()
        print("  \(call.name): \(call.count) times")
        fflush(nil)
        callCount += call.count
      }
      print("LongCalls passed: \(calls.count) calls, \(callCount) times in all, and nothing of them stays")
      return 0
    } catch {
      print("LongCalls failed: \(error)")
      return 1
    }
  }
}
