internal import CFuseTransfer
internal import FuseDBFormat
internal import FuseDBSystem

/// Transfers over HTTP, with attempts after those that failed. One thread at a time. See spec/delivery.md §8.
@safe
final class WebTransfers {
  struct Answer {
    var isNotModified: Bool
    var tag: String
  }

  private let url: String
  private let options: FuseRemote.Options
  // SAFETY: made in init, freed in deinit and used by this object alone.
  private let transfers: OpaquePointer

  init(_ url: String, _ options: FuseRemote.Options) throws(FuseError) {
    // SAFETY: libcurl gives what is asked for or nil, and nil is turned away.
    guard let transfers = unsafe fuse_transfers_make() else {
      guard fuse_transfers_can_be_made() != 0 else { throw .missing(fuse_transfers_library) }
      throw FuseError(.inputOutput, "memory is too short for transfers")
    }
    self.url = url
    self.options = options
    unsafe self.transfers = transfers
  }

  // SAFETY: this object alone has the transfers, and ends here.
  deinit { unsafe fuse_transfers_free(transfers) }

  /// Gets a file, again where that may help, going on after the bytes that came.
  ///
  /// - Parameters:
  ///   - tag: of the version that is known already; empty for none.
  ///   - counting: told of each request, and of the bytes that it took in both directions.
  func get(
    _ name: String, most: Int, tag: String, from: Int, into sink: some TransferSink,
    counting: (_ byteCount: Int, _ requests: Int) -> Void
  ) throws(FuseError) -> Answer {
    var attempt = 0
    while true {
      try Cancellation.check()
      var answer = fuse_answer()
      try transfer("\(url)/\(name)", most: most, tag: tag, into: sink, &answer)
      counting(Int(answer.wire_size), 1)
      switch answer.outcome {
      case FUSE_TRANSFER_DONE: return Answer(isNotModified: false, tag: Self.text(of: answer.tag))
      case FUSE_TRANSFER_NOT_MODIFIED: return Answer(isNotModified: true, tag: tag)
      default: break
      }
      let error = error(answer, name)
      guard error.code == .unavailable, attempt < options.retryCount, answer.outcome != FUSE_TRANSFER_FORBIDDEN else {
        throw error
      }
      try pause(before: attempt, atLeast: answer.retry_after)
      attempt += 1
    }
  }

  /// What `take`, `poll` and `begin_anew` are given.
  private final class Context {
    let sink: any TransferSink
    var error: FuseError?

    init(_ sink: any TransferSink) { self.sink = sink }

    func run(_ body: () throws(FuseError) -> Void) -> Int32 {
      do throws(FuseError) {
        try body()
        return error == nil ? 0 : 1
      } catch {
        self.error = error
        return 1
      }
    }
  }

  private func transfer(
    _ url: String, most: Int, tag: String, into sink: some TransferSink, _ answer: inout fuse_answer
  ) throws(FuseError) {
    let context = Context(sink)
    // SAFETY: the context and the texts live until the call returns. The callbacks get that context, and bytes that are good
    // until they return.
    withExtendedLifetime(context) {
      unsafe url.withCString { url in
        unsafe tag.withCString { tagText in
          var request = unsafe fuse_request(
            url: url, tag: tag.isEmpty ? nil : tagText, from: Int64(sink.byteCount), most: Int64(most),
            deadline: options.deadline.map(\.inSeconds) ?? 0, connect_deadline: options.connectTimeout.inSeconds,
            stall_deadline: options.stallTimeout.inSeconds, most_per_second: Int64(options.greatestRate ?? 0),
            take: { context, bytes, count in
              let context = unsafe Unmanaged<Context>.fromOpaque(context!).takeUnretainedValue()
              let span = unsafe RawSpan(_unsafeStart: bytes, byteCount: count)
              do throws(FuseError) { try context.sink.take(span) } catch {
                context.error = error
                return 1
              }
              return context.error == nil ? 0 : 1
            },
            begin_anew: { context in
              let context = unsafe Unmanaged<Context>.fromOpaque(context!).takeUnretainedValue()
              _ = context.run { () throws(FuseError) in try context.sink.beginAnew() }
            },
            poll: { context in
              let context = unsafe Unmanaged<Context>.fromOpaque(context!).takeUnretainedValue()
              return context.run { () throws(FuseError) in try Cancellation.check() }
            },
            context: Unmanaged.passUnretained(context).toOpaque())
          unsafe fuse_transfer(transfers, &request, &answer)
        }
      }
    }
    if let error = context.error { throw error }
  }

  private func error(_ answer: fuse_answer, _ name: String) -> FuseError {
    let path = "\(FuseRemote.shown(url))/\(name)"
    let reason = Self.text(of: answer.reason)
    switch answer.outcome {
    case FUSE_TRANSFER_TOO_LONG:
      return FuseError(.limitExceeded, "the server sends more bytes than this file may have", path: path)
    case FUSE_TRANSFER_OUT_OF_MEMORY: return FuseError(.inputOutput, "memory is too short for a transfer", path: path)
    case FUSE_TRANSFER_FORBIDDEN:
      return FuseError(
        .refused, "the transfer is not allowed: \(reason); look at the address and the certificate", path: path)
    case FUSE_TRANSFER_REFUSED where answer.status == 404 || answer.status == 410:
      return FuseError(.notFound, "the server has no such file (HTTP status \(answer.status))", path: path)
    case FUSE_TRANSFER_REFUSED
    where (400..<500).contains(answer.status) && answer.status != 408 && answer.status != 429:
      return FuseError(.notFound, "the server does not give the file (HTTP status \(answer.status))", path: path)
    case FUSE_TRANSFER_REFUSED:
      return FuseError(.unavailable, "the server cannot give the file now (HTTP status \(answer.status))", path: path)
    default: return FuseError(.unavailable, "the transfer failed: \(reason)", path: path)
    }
  }

  /// Waits a random time, up to one that doubles with each attempt: so that many clients don't come back together.
  private func pause(before attempt: Int, atLeast asked: Int64) throws(FuseError) {
    let longest = options.longestPause.inSeconds
    let random = Double.random(in: 0...min(longest, Double(1 << min(attempt, 20))))
    let end = MonotonicClock.now + .seconds(min(longest, Double(asked)) + random)
    while MonotonicClock.now < end {
      try Cancellation.check()
      Sleep.seconds(min(0.1, (end - MonotonicClock.now).inSeconds))
    }
  }

  /// The text of an array of C.
  private static func text<Characters>(of characters: Characters) -> String {
    // SAFETY: the array is a value of this function, and holds a text that ends in a zero byte.
    unsafe withUnsafeBytes(of: characters) { bytes in unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
  }
}

extension Duration {
  package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
