internal import FuseDBFormat
internal import FuseDBSystem
internal import Synchronization

/// Works that a page shows when they are done: each on a thread of its own, and kept.
///
/// A request never waits for one. As many run as a server can spare, and as many results are kept as are looked at.
final class BackgroundJobs<Key: Hashable & Sendable, Product: Sendable>: Sendable {
  enum State: Sendable {
    /// How much is done, from 0 to 1.
    case running(Double)
    /// Too many others run.
    case waiting
    case done(Product)
    case failed(FuseError)

    var isUnderWay: Bool {
      switch self {
      case .running, .waiting: true
      case .done, .failed: false
      }
    }
  }

  typealias Work = @Sendable (_ progress: @escaping @Sendable (Double) -> Void) throws(FuseError) -> Product

  private struct Jobs {
    var states: [Key: State] = [:]
    /// The keys, the oldest first.
    var order: [Key] = []
    var runningCount = 0
  }

  private let jobs = Mutex(Jobs())
  private let mostRunning: Int
  private let mostKept: Int

  init(mostRunning: Int = 2, mostKept: Int = 16) {
    self.mostRunning = mostRunning
    self.mostKept = mostKept
  }

  /// What is known; nil where nothing was begun.
  func state(of key: Key) -> State? { jobs.withLock { $0.states[key] } }

  /// What is known, or else begins the work.
  ///
  /// - Parameters:
  ///   - isShort: whether it is done at once.
  ///   - isNew: whether what is done already counts for nothing.
  func state(of key: Key, isShort: Bool = false, isNew: Bool = false, _ work: @escaping Work) -> State {
    let known: State? = jobs.withLock { jobs in
      switch jobs.states[key] {
      case .some(let state) where state.isUnderWay || !isNew: return state
      default: break
      }
      guard isShort || jobs.runningCount < mostRunning else { return .waiting }
      if jobs.states[key] == nil { jobs.order.append(key) }
      jobs.states[key] = .running(0)
      jobs.runningCount += 1
      Self.forget(&jobs, beyond: mostKept)
      return nil
    }
    if let known { return known }
    if isShort {
      run(key, work)
    } else {
      do throws(FuseError) {
        try BackgroundWork.detachOrThrow { self.run(key, work) }
      } catch {
        finish(key, .failed(error))
      }
    }
    return state(of: key) ?? .waiting
  }

  private func run(_ key: Key, _ work: Work) {
    do throws(FuseError) {
      finish(key, .done(try work { share in self.note(share, of: key) }))
    } catch {
      finish(key, .failed(error))
    }
  }

  private func note(_ share: Double, of key: Key) {
    jobs.withLock { jobs in if jobs.states[key] != nil { jobs.states[key] = .running(share) } }
  }

  private func finish(_ key: Key, _ state: State) {
    jobs.withLock { jobs in
      jobs.runningCount -= 1
      if jobs.states[key] != nil { jobs.states[key] = state }
    }
  }

  private static func forget(_ jobs: inout Jobs, beyond count: Int) {
    while jobs.order.count > count,
      let place = jobs.order.firstIndex(where: { jobs.states[$0].map { !$0.isUnderWay } ?? true })
    {
      jobs.states[jobs.order.remove(at: place)] = nil
    }
  }
}
