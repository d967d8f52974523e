/// What a build is doing.
package enum BuildPhase: String, Sendable {
  /// What was added is brought into order.
  case sorting
  /// Data and keys are written.
  case writing
  /// The extension block is made.
  case indexing
  /// The file is made durable and moved to its name.
  case syncing

  /// The share of a whole build that is done when this phase begins,
  private var start: Double {
    switch self {
    case .sorting: 0
    case .writing: 0.1
    case .indexing: 0.6
    case .syncing: 0.95
    }
  }

  /// and when it ends.
  private var end: Double {
    switch self {
    case .sorting: 0.1
    case .writing: 0.6
    case .indexing: 0.95
    case .syncing: 1
    }
  }

  /// The share of a whole build that is done, about, when `share` of this phase is.
  func ofWhole(_ share: Double) -> Double { start + (end - start) * share }
}
