import Glibc
import Testing

/// Waits until `condition` holds, and records an issue if it doesn't in a long while.
func eventually(
  _ what: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) rethrows {
  for _ in 0..<10_000 {
    if try condition() { return }
    usleep(2000)
  }
  Issue.record(what ?? "it never came to be", sourceLocation: sourceLocation)
}
