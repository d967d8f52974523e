public import FuseDBFormat
internal import FuseDBReading
public import FuseDBServing
internal import FuseDBSystem

/// Follows a ref, and serves what it leads to.
///
///     let geo = try FuseSubscription(FuseRemote("https://data.example.com/fuse"), RefName("geo"), path: "geo.fsdb")
///     try geo.reader.value(Org.self, forKey: "8.8.8.8")     // any thread, any time: the newest version
///     geo.stop()
///
/// A thread of its own asks the remote now and then, fetches what changed, proves it, and swaps it in under load. What fails is tried
/// again; the file that serves goes on serving. The file stays on the disk: the next start serves it before it asks.
public final class FuseSubscription: Sendable {
  /// How a ref is followed.
  public struct Options: Sendable {
    /// What is asked of a version, and how many earlier files stay.
    public var fetch = FuseFetcher.Options()
    /// How the file serves.
    public var serving = ServingOptions()
    /// How often the remote is asked, give or take a fifth, so that many clients don't come together.
    public var interval = Duration.seconds(30)
    /// How long the time between attempts becomes while they fail.
    public var longestInterval = Duration.seconds(600)

    /// The default options.
    public init() {}
  }

  /// What happened.
  public enum Event: Sendable {
    /// The remote was asked, and has nothing new.
    case unchanged(FuseFetcher.Report)
    /// Another version serves.
    case updated(FuseFetcher.Report)
    /// An attempt failed; told once for each reason.
    case failed(FuseError)
  }

  /// What came of the attempts so far.
  public struct Status: Sendable {
    /// How many attempts there were.
    public var attemptCount = 0
    /// How many of them brought another version.
    public var updateCount = 0
    /// How many of them failed.
    public var failureCount = 0
    /// How many failed because what came was not trusted, was damaged or broke a rule.
    public var refusalCount = 0
    /// How many bytes went over the wire in all.
    public var byteCount = 0
    /// How many requests were made in all.
    public var requestCount = 0
    /// The generation of the version that serves; 0 while it is not known.
    public var generation = 0
    /// When the remote last said what clients are to have, in seconds since 1970; 0 for never.
    public var timeOfSuccess = 0.0
    /// Why the last attempt failed; nil where it did not.
    public var error: FuseError?

    /// Nothing came of anything yet.
    public init() {}
  }

  /// What serves. It is swapped, and stays the same object.
  public let reader: ReloadableReader
  private let work: Work

  /// Opens the file at `path`, or fetches it where there is none, and begins to follow.
  ///
  /// - Parameters:
  ///   - onEvent: called on the thread that follows, one at a time.
  /// - Throws: ``FuseError`` as ``FuseFetcher/fetch(isTrial:progress:)`` and ``ReloadableReader/init(path:options:)``;
  ///   `inputOutput` where the system has no thread left.
  /// - Precondition: the interval is positive.
  public init(
    _ remote: FuseRemote, _ name: RefName, path: String, options: Options = Options(),
    onEvent: (@Sendable (Event) -> Void)? = nil
  ) throws(FuseError) {
    precondition(options.interval > .zero, "the interval between attempts is positive")
    let fetcher = FuseFetcher(remote, name, path: path, options: options.fetch)
    let session = try RemoteSession(remote)
    var first: FuseFetcher.Report?
    if FileStatus(at: path) == nil { first = try fetcher.fetch(session, isTrial: false, progress: nil) }
    reader = try ReloadableReader(path: path, options: options.serving)
    work = Work(fetcher, options, reader, try Waker(), onEvent)
    if let first { work.count(first) }
    let (work, isFetched) = (work, first != nil)
    try BackgroundWork.detachOrThrow { work.run(afterFirst: isFetched) }
  }

  deinit { stop() }

  /// Ends following. A transfer that goes on ends soon; no function is called any more when this returns, unless it is that
  /// function that calls it. The reader goes on serving.
  public func stop() { work.stop() }

  /// What came of the attempts so far.
  public var status: Status { work.status.change { $0 } }

  /// Asks the remote now, on this thread.
  ///
  /// - Throws: ``FuseError`` as ``FuseFetcher/fetch(isTrial:progress:)``.
  @discardableResult
  public func update() throws(FuseError) -> FuseFetcher.Report {
    try work.update(try RemoteSession(work.fetcher.remote))
  }

  /// What the thread works with; it does not keep the subscription.
  private final class Work: Sendable {
    let fetcher: FuseFetcher
    let status = Monitor(Status())
    private let options: Options
    private let reader: ReloadableReader
    private let waker: Waker
    private let onEvent: (@Sendable (Event) -> Void)?
    private let call = EndableCall()
    /// One attempt at a time, of whichever thread.
    private let turn = ExclusiveTurn()
    private let gate = StopGate()

    init(
      _ fetcher: FuseFetcher, _ options: Options, _ reader: ReloadableReader, _ waker: Waker,
      _ onEvent: (@Sendable (Event) -> Void)?
    ) {
      self.fetcher = fetcher
      self.options = options
      self.reader = reader
      self.waker = waker
      self.onEvent = onEvent
    }

    func stop() {
      call.end()
      waker.wake()
      gate.stop()
    }

    func run(afterFirst: Bool) {
      var session: RemoteSession?
      var pause = afterFirst ? jittered(options.interval) : .zero
      var failures = 0
      var told: FuseError?
      while waker.wait(atMost: pause) != .waker {
        do throws(FuseError) {
          let now: RemoteSession
          if let session { now = session } else { now = try RemoteSession(fetcher.remote) }
          session = now
          let report = try call.run { () throws(FuseError) in try update(now) }
          failures = 0
          told = nil
          pause = jittered(options.interval)
          tell(report.way == .none ? .unchanged(report) : .updated(report))
        } catch {
          if error.code == .cancelled { return }
          session = nil
          failures += 1
          // Up to twice as long each time, by chance: full jitter.
          let longest = min(options.longestInterval, options.interval * (1 << min(failures, 16)))
          pause =
            options.interval / 2 + (max(longest, options.interval) - options.interval / 2) * Double.random(in: 0...1)
          if error != told { tell(.failed(error)) }
          told = error
        }
      }
    }

    private func jittered(_ time: Duration) -> Duration { time * Double.random(in: 0.8...1.2) }

    private func tell(_ event: Event) {
      guard let onEvent, gate.enter() else { return }
      defer { gate.leave() }
      onEvent(event)
    }

    func update(_ session: RemoteSession) throws(FuseError) -> FuseFetcher.Report {
      do throws(FuseError) {
        return try turn.take { () throws(FuseError) in
          let report = try fetcher.fetch(session, isTrial: false, progress: nil)
          if report.way != .none { try reader.reload() }
          count(report)
          return report
        }
      } catch {
        status.change { status in
          status.attemptCount += 1
          guard error.code != .cancelled else { return }
          status.failureCount += 1
          if ![.unavailable, .notFound, .inputOutput].contains(error.code) { status.refusalCount += 1 }
          status.error = error
        }
        throw error
      }
    }

    func count(_ report: FuseFetcher.Report) {
      status.change { status in
        status.attemptCount += 1
        if report.way != .none { status.updateCount += 1 }
        status.byteCount += report.byteCount
        status.requestCount += report.requestCount
        status.generation = report.generation
        status.timeOfSuccess = WallClock.now
        status.error = nil
      }
    }
  }
}
