public import FuseDBFormat
public import FuseDBServing
internal import FuseDBSystem

/// Makes a local file the version that a ref leads to. See spec/delivery.md §8.
///
///     let fetcher = FuseFetcher(try FuseRemote("https://data.example.com/fuse"), try RefName("geo"), path: "geo.fsdb")
///     let report = try fetcher.fetch()
///     report.way             // .patches(1)
///     report.byteCount       // 53,120
///
/// Beside the file stand `geo.fsdb.origin`, which says where it came from, `geo.fsdb.lock`, which one fetcher at a time holds, and while a transfer goes on, parts of it, with which a later one goes on.
public struct FuseFetcher: Sendable {
  /// What is asked of a version.
  public struct Options: Sendable {
    /// The keys of which one has to have signed manifest and ref; none for any.
    public var trustedKeys: [TrustedKey] = []
    /// What the new file has to pass before it takes the place of the one that is here. What is verified of it is the level of
    /// these rules, and everything where ``trustedKeys`` are empty.
    public var rules = SwapRules()
    /// How many earlier files stay, as `geo.fsdb.before-41` of generation 41.
    public var keptFileCount = 0
    /// What happens where the way by patches fails: whether the whole file is fetched.
    public var fallsBack = true

    /// The default options.
    public init() {}
  }

  /// How the new file came here.
  public enum Way: Sendable, Hashable {
    /// The ref has not changed, or the file is that of the version already.
    case none
    /// By so many patches.
    case patches(Int)
    /// As a whole.
    case whole
  }

  /// What ``fetch(isTrial:progress:)`` did, and what it cost.
  public struct Report: Sendable {
    /// How the file came here.
    public var way = Way.none
    /// The generation of the version that is here now; 0 while it is not known.
    public var generation = 0
    /// The digest of its manifest; nil while none is known.
    public var manifest: FuseDigest?
    /// How many bytes the file has.
    public var fileByteCount = 0
    /// How many bytes the blobs of the way have.
    public var plannedByteCount = 0
    /// How many bytes went over the wire, heads included, in both directions.
    public var byteCount = 0
    /// In how many requests.
    public var requestCount = 0
    /// How long asking for documents took.
    public var timeAsking = Duration.zero
    /// How long the transfer took.
    public var timeTransferring = Duration.zero
    /// How long making the file and proving it took.
    public var timeMaking = Duration.zero
    /// Why the way by patches failed, where it did.
    public var fallback: FuseError?
  }

  /// Where versions come from.
  public let remote: FuseRemote
  /// The ref that is followed.
  public let name: RefName
  /// Where the file is.
  public let path: String
  /// What is asked of a version.
  public var options: Options

  /// A fetcher of what a ref leads to, to the file at `path`. Nothing is asked yet.
  public init(_ remote: FuseRemote, _ name: RefName, path: String, options: Options = Options()) {
    self.remote = remote
    self.name = name
    self.path = path
    self.options = options
  }

  /// Asks, transfers, proves, and puts the new file in the place of the old one, in one step.
  ///
  /// - Parameters:
  ///   - isTrial: whether to say what it would cost, and transfer no more than documents.
  ///   - progress: called now and then with how many bytes of how many are here.
  /// - Throws: ``FuseError``: `unavailable` or `notFound` where the remote does not give what is needed; `refused` where a
  ///   document is not trusted or a rule does not let the file serve; `corrupted` where what came is not what was announced;
  ///   `outputChanged` while another process fetches to the same path; `inputOutput` where a file cannot be written. The file that
  ///   was here stays then.
  /// - Complexity: over patches, that of ``FusePatch/apply(_:to:output:options:)``; over the whole file, unpacking and verifying it.
  @discardableResult
  public func fetch(
    isTrial: Bool = false, progress: ((_ byteCount: Int, _ total: Int) -> Void)? = nil
  ) throws(FuseError) -> Report {
    let session = try RemoteSession(remote)
    return try fetch(session, isTrial: isTrial, progress: progress)
  }

  /// The same over connections that are kept.
  func fetch(
    _ session: RemoteSession, isTrial: Bool, progress: ((Int, Int) -> Void)?
  ) throws(FuseError) -> Report {
    guard let lock = try FileLock(path + ".lock", .exclusive) else {
      throw FuseError(.outputChanged, "another process fetches to this file; nothing has changed", path: path)
    }
    defer { withExtendedLifetime(lock) {} }
    var attempt = FetchAttempt(self, session, progress)
    return try attempt.run(isTrial: isTrial)
  }
}
