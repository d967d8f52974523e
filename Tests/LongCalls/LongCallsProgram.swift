import Glibc
import ProgramSupport

/// Makes every long call of the library a thousand times, those that fail too, and checks that nothing of them stays:
/// no descriptor, no mapping, no memory.
///
///     LongCalls [--only PART-OF-A-NAME] [--count COUNT]
///
/// The last line says whether all was well; so does the exit code.
struct LongCallsProgram {
  static func run(_ arguments: [String]) -> Int32 {
    var (part, count) = ("", 1000)
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      switch (name, rest.popFirst()) {
      case ("--only", let text?): part = text
      case ("--count", let text?) where Int(text) ?? 0 > 0: count = Int(text) ?? count
      default:
        print("usage: LongCalls [--only PART-OF-A-NAME] [--count COUNT]")
        return 64
      }
    }
    Resources.calmHeap()
    do {
      let folder = Scratch()
      let files = try CallFiles(in: folder)
      let all = files.writing + files.merging + files.comparing + files.reading + files.serving
      let calls = all.filter { part.isEmpty || $0.name.contains(part) }
      guard !calls.isEmpty else { throw Violation("no call has '\(part)' in its name") }
      for call in calls {
        try call.check(count: count)
        print("  \(call.name): \(count) times")
        fflush(nil)
      }
      print("LongCalls passed: \(calls.count) calls, each \(count) times, and nothing of them stays")
      return 0
    } catch {
      print("LongCalls failed: \(error)")
      return 1
    }
  }
}
