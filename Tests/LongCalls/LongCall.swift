import FuseDB
import Glibc
import ProgramSupport

/// A call that is made many times.
struct LongCall {
  let name: String
  private let body: () throws -> Void

  init(_ name: String, _ body: @escaping () throws -> Void) {
    self.name = name
    self.body = body
  }

  /// The same, of a call that has to fail with one of these codes.
  init(_ name: String, fails codes: FuseError.Code..., body: @escaping () throws -> Void) {
    self.init(name) {
      do {
        try body()
      } catch let error as FuseError where codes.contains(error.code) {
        return
      }
      throw Violation("the call succeeded, and had to fail with \(codes.map(\.rawValue))")
    }
  }

  /// Throws when something of the calls stays.
  ///
  /// Threads take and leave some memory when they like, so that one comparison proves little against a call. What stays
  /// of each call stays in every round: one round after which nothing is left proves enough.
  func check(count: Int) throws {
    // Far less than a thousand times what any block, descriptor or mapping of a call takes.
    let margin = Resources.Margin(mappingCount: 0, mappedByteCount: 1 << 20, heapByteCount: 1 << 16)
    do {
      for _ in 0..<20 { try body() }
      var violation: Violation?
      for _ in 0..<3 {
        let before = try Resources()
        for _ in 0..<count { try body() }
        // Threads that nobody waits for end a little later.
        for _ in 0..<100 {
          do {
            return try Resources().check(against: before, margin)
          } catch let error as Violation {
            violation = error
          }
          usleep(20_000)
        }
      }
      if let violation { throw Violation("after \(count) calls \(violation)") }
    } catch {
      throw Violation("\(name): \(error)")
    }
  }
}
