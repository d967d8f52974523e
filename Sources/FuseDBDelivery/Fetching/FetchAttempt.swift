internal import FuseDBFormat
internal import FuseDBPatching
internal import FuseDBReading
internal import FuseDBServing
internal import FuseDBSystem

/// One attempt to have the version of a ref.
struct FetchAttempt {
  private let fetcher: FuseFetcher
  private let session: RemoteSession
  private let progress: ((Int, Int) -> Void)?
  private var report = FuseFetcher.Report()

  init(_ fetcher: FuseFetcher, _ session: RemoteSession, _ progress: ((Int, Int) -> Void)?) {
    self.fetcher = fetcher
    self.session = session
    self.progress = progress
  }

  private var options: FuseFetcher.Options { fetcher.options }
  private var path: String { fetcher.path }

  mutating func run(isTrial: Bool) throws(FuseError) -> FuseFetcher.Report {
    let start = MonotonicClock.now
    let (bytesBefore, requestsBefore) = (session.byteCount, session.requestCount)
    defer {
      report.byteCount = session.byteCount - bytesBefore
      report.requestCount = session.requestCount - requestsBefore
    }
    try look(start, isTrial)
    report.byteCount = session.byteCount - bytesBefore
    report.requestCount = session.requestCount - requestsBefore
    return report
  }

  private mutating func look(_ start: Duration, _ isTrial: Bool) throws(FuseError) {
    let before = try known()
    let base = try Base(path)
    let refPath = fetcher.remote.path(of: "refs/\(fetcher.name)")
    // A file that is gone is fetched again, whatever the ref says.
    let tag = base == nil ? "" : before?.tag ?? ""
    guard
      case .bytes(let refBytes, let newTag) = try session.document(
        "refs/\(fetcher.name)", most: Ref.mostBytes, tag: tag)
    else {
      // Who says so may go on for ever.
      try Self.check(expires: before?.expires, refPath)
      report.generation = before?.generation ?? 0
      report.manifest = before?.manifest
      report.fileByteCount = base?.reader.byteCount ?? 0
      report.timeAsking = MonotonicClock.now - start
      return
    }
    let ref = try Ref(parsing: refBytes, of: fetcher.name, path: refPath)
    let digest = try FuseDigest.of(refBytes)
    try check(ref, refBytes, digest, before, refPath)
    let (manifest, _) = try manifest(ref.manifest.digest, byteCount: ref.manifest.byteCount)
    guard let manifest else { throw FuseError(.notFound, "the manifest of the ref is gone; try again", path: refPath) }
    guard manifest.generation == ref.generation else {
      throw FuseError(
        .refused, "the ref is of generation \(ref.generation), and its manifest of \(manifest.generation)",
        path: refPath)
    }
    let origin = Origin(
      remote: fetcher.remote.description, name: fetcher.name, sequence: ref.sequence, ref: digest, tag: newTag,
      expires: ref.expires,
      generation: ref.generation, manifest: ref.manifest.digest, file: manifest.file)
    report.generation = ref.generation
    report.manifest = ref.manifest.digest
    report.fileByteCount = manifest.file.byteCount
    let own = try base?.digest()
    if own == manifest.file.digest {
      report.timeAsking = MonotonicClock.now - start
      if origin != before, !isTrial { try finish(origin) }
      return
    }
    var plan: TransferPlan?
    if let own, let back = ref.patches.first(where: { $0.file == own && $0.blob.byteCount < manifest.whole.byteCount })
    {
      plan = TransferPlan(patches: [back], mostBytes: manifest.file.byteCount)
    } else if let own {
      let generation = own == before?.file.digest ? before?.generation : nil
      plan = try TransferPlan.find(from: own, generation: generation, to: manifest) { digest throws(FuseError) in
        try self.manifest(digest, byteCount: Manifest.mostBytes).manifest
      }
    }
    report.timeAsking = MonotonicClock.now - start
    report.way = plan.map { .patches($0.patches.count) } ?? .whole
    report.plannedByteCount = plan.map { $0.patches.map(\.blob.byteCount).reduce(0, +) } ?? manifest.whole.byteCount
    if isTrial { return }
    // From here on an older ref is refused, also after a kill. [Z10]
    if let before {
      var seen = origin
      (seen.tag, seen.generation, seen.manifest, seen.file) = ("", before.generation, before.manifest, before.file)
      try seen.save(besides: path)
    }
    if let plan, let base {
      do throws(FuseError) {
        try patch(base.reader, plan, manifest)
      } catch {
        // Another way helps where what came by this one is of no use.
        guard options.fallsBack,
          [.corrupted, .truncated, .notFound, .patchMismatch, .limitExceeded].contains(error.code)
        else { throw error }
        report.fallback = error
        report.way = .whole
        try whole(base.reader, manifest)
      }
    } else {
      try whole(base?.reader, manifest)
    }
    try finish(origin)
  }

  /// Where the file that is here came from, as far as that is known.
  private func known() throws(FuseError) -> Origin? {
    try Origin(
      besides: path, remote: fetcher.remote.description, name: fetcher.name, isSigned: !options.trustedKeys.isEmpty)
  }

  // MARK: Documents

  private func check(
    _ ref: Ref, _ bytes: [UInt8], _ digest: FuseDigest, _ before: Origin?, _ path: String
  ) throws(FuseError) {
    try Trust.check(ref.signatures, of: bytes, by: options.trustedKeys, path: path)
    try Self.check(expires: ref.expires, path)
    guard let before else { return }
    guard ref.sequence >= before.sequence else {
      throw FuseError(
        .refused,
        "the ref has sequence \(ref.sequence), and \(before.sequence) was seen before: the remote shows an old state; nothing has changed",
        path: path)
    }
    guard ref.sequence > before.sequence || digest == before.ref else {
      throw FuseError(
        .refused,
        "there are two refs of sequence \(ref.sequence): the remote shows each client another; nothing has changed",
        path: path)
    }
    guard ref.generation >= before.generation || ref.goesBack else {
      throw FuseError(
        .refused,
        "the ref is of generation \(ref.generation), and \(before.generation) is here: only an announcement that says so goes back; nothing has changed",
        path: path)
    }
  }

  /// Throws where the moment is past. [Z12]
  private static func check(expires: Int?, _ path: String) throws(FuseError) {
    let now = Int(WallClock.now)
    guard let expires, now >= expires else { return }
    throw FuseError(
      .refused,
      "the ref has expired \(now - expires) seconds ago: the remote is not kept up, or shows an old state; nothing has changed",
      path: path)
  }

  private func manifest(
    _ digest: FuseDigest, byteCount: Int
  ) throws(FuseError) -> (manifest: Manifest?, bytes: [UInt8]) {
    let name = "manifests/\(digest)"
    let path = fetcher.remote.path(of: name)
    let bytes: [UInt8]
    do throws(FuseError) {
      guard case .bytes(let found, _) = try session.document(name, most: byteCount) else { return (nil, []) }
      bytes = found
    } catch {
      guard error.code == .notFound else { throw error }
      return (nil, [])
    }
    let manifest = try Manifest(parsing: bytes, named: digest, path: path)
    guard manifest.name == fetcher.name.name else {
      throw FuseError(
        .refused, "this is a manifest of '\(manifest.name)', and '\(fetcher.name.name)' was asked for", path: path)
    }
    try Trust.check(manifest.signatures, of: bytes, by: options.trustedKeys, path: path)
    return (manifest, bytes)
  }

  // MARK: Files

  private func partPath(_ blob: Manifest.Blob) -> String {
    "\(path).part-\(String(blob.digest.description.prefix(16)))"
  }

  /// Tidies up, and says where the file came from: in this order, so that who was killed in between comes here again.
  private func finish(_ origin: Origin) throws(FuseError) {
    let place = Neighbours(of: path)
    for name in place.names(after: ".part-") { try? FolderFiles.remove(place.folder + "/" + name) }
    try origin.save(besides: path)
  }

  private mutating func transfer(_ blobs: [Manifest.Blob]) throws(FuseError) -> [FileMapping] {
    let start = MonotonicClock.now
    defer { report.timeTransferring += MonotonicClock.now - start }
    let total = blobs.map(\.byteCount).reduce(0, +)
    var files: [FileMapping] = []
    var done = 0
    for blob in blobs {
      let before = done
      let part = try PartFile(partPath(blob))
      files.append(try session.blob(blob, into: part) { [progress] count in progress?(before + count, total) })
      done += blob.byteCount
      // Also of one that was here from before.
      progress?(done, total)
    }
    try Cancellation.check()
    return files
  }

  private mutating func patch(
    _ old: FuseReader, _ plan: TransferPlan, _ manifest: Manifest
  ) throws(FuseError) {
    // Each is proved before it is opened again by its path, beside OUTPUT.
    _ = try transfer(plan.patches.map(\.blob))
    let start = MonotonicClock.now
    defer { report.timeMaking += MonotonicClock.now - start }
    var limits = FusePatch.Options()
    limits.greatestByteCount = plan.mostBytes
    limits.keepsOtherFiles = true
    let options = options
    let path = path
    try FusePatch.apply(
      plan.patches.map { partPath($0.blob) }, to: old, output: path, options: limits
    ) { made throws(FuseError) in
      // It was verified whole.
      try Self.prove(made, manifest, options, isVerified: true, insteadOf: old, path: path)
      try keepOld(old)
    }
  }

  private mutating func whole(_ old: FuseReader?, _ manifest: Manifest) throws(FuseError) {
    let packed = try transfer([manifest.whole])[0]
    let start = MonotonicClock.now
    defer { report.timeMaking += MonotonicClock.now - start }
    let file = try AtomicFile(replacing: PinnedPath(path), ReplacementRules(kind: .database))
    try file.checkRoom(forBytes: manifest.file.byteCount)
    var header: [UInt8] = []
    let packedPath = fetcher.remote.path(of: "blobs/\(manifest.whole.digest)")
    try Packing.unpack(packed, byteCount: manifest.file.byteCount, path: packedPath) { part throws(FuseError) in
      let head = min(part.byteCount, Header.byteCount - header.count)
      header += part.extracting(first: head).array()
      try file.write(part.extracting(droppingFirst: head))
    }
    let made = try file.mapped(header: header, byteCount: manifest.file.byteCount)
    try Self.prove(made, manifest, options, isVerified: false, insteadOf: old, path: path)
    if let old { try keepOld(old) }
    try file.publish(header: header)
  }

  /// Throws unless the new file is what was announced, sound, and one that may serve. [Z18]
  private static func prove(
    _ made: FileMapping, _ manifest: Manifest, _ options: FuseFetcher.Options, isVerified: Bool,
    insteadOf old: FuseReader?,
    path: String
  ) throws(FuseError) {
    guard made.byteCount == manifest.file.byteCount, try FuseDigest.of(made) == manifest.file.digest else {
      throw FuseError(.corrupted, "the file that was made has another SHA-256 than its manifest says", path: path)
    }
    var rules = options.rules
    rules.check = isVerified ? nil : options.trustedKeys.isEmpty ? .full : rules.check
    let reader = try FuseReader(made, checksums: .verified)
    try rules.examine(reader, insteadOf: old)
  }

  /// Gives the file that is about to go a second name, and removes the oldest of these.
  private func keepOld(_ old: FuseReader) throws(FuseError) {
    guard options.keptFileCount > 0 else { return }
    try KeptFiles.keep(
      path,
      generation: try known()?.generation ?? 0,
      most: options.keptFileCount)
  }
}

/// Earlier files, which have names of their own.
enum KeptFiles {
  private static let mark = ".before-"

  static func keep(_ path: String, generation: Int, most: Int) throws(FuseError) {
    try FolderFiles.link(path, as: "\(path)\(mark)\(generation)")
    let place = Neighbours(of: path)
    let others = place.names(after: mark).compactMap { Int($0.dropFirst(place.name.count + mark.count)) }
    for old in others.filter({ $0 != generation }).sorted().dropLast(most - 1) {
      try FolderFiles.remove("\(path)\(mark)\(old)")
    }
  }
}

/// Files that stand beside another and have its name, with something after it.
private struct Neighbours {
  let folder: String
  let name: String

  init(of path: String) {
    let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    name = parts.last.flatMap { String($0) } ?? path
    folder = parts.count == 1 ? "." : String(path.utf8.dropLast(name.utf8.count)) ?? "."
  }

  func names(after mark: String) -> [String] {
    FolderListing.names(at: folder, most: 100_000).filter { $0.hasPrefix(name + mark) }
  }
}

/// The file that is here.
private final class Base {
  let reader: FuseReader
  private var known: FuseDigest?

  /// What is at `path`; nil where there is nothing, or a database that is damaged.
  ///
  /// - Throws: ``FuseError`` with code `refused` where something else is there, which must not be replaced.
  init?(_ path: String) throws(FuseError) {
    guard let status = FileStatus(at: path), status.kind != .regular || status.byteCount > 0 else { return nil }
    let file = try FileMapping(path: path)
    guard FileKind(of: file.bytes) == .database else {
      throw FuseError(
        .refused, "the file here is no database, and stays; give the one that is fetched another name", path: path)
    }
    do throws(FuseError) { reader = try FuseReader(file, checksums: .verified) } catch {
      guard [.corrupted, .truncated, .unsupportedVersion].contains(error.code) else { throw error }
      return nil
    }
  }

  func digest() throws(FuseError) -> FuseDigest {
    if let known { return known }
    let digest = try FuseDigest.of(reader.mapping)
    known = digest
    return digest
  }
}
