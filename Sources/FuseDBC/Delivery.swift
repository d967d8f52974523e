public import CFuseDB
internal import FuseDB
internal import FuseDBDelivery
internal import FuseDBFormat
internal import FuseDBServing

/// A subscription, and what it asks of the caller.
private final class SubscriptionBox {
  let subscription: FuseSubscription
  /// The caller's own rule where a file is fetched, and where it is swapped in: which thread asks is another question for each.
  let fetchingRule: AcceptRule?
  let servingRule: AcceptRule?

  init(_ subscription: FuseSubscription, _ fetchingRule: AcceptRule?, _ servingRule: AcceptRule?) {
    self.subscription = subscription
    self.fetchingRule = fetchingRule
    self.servingRule = servingRule
  }
}

/// What a subscription calls.
private struct SubscriptionCallbacks: @unchecked Sendable {
  // The context is the caller's, who says that the subscription's thread may have it.
  let onUpdate: (@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<fuse_fetch_report>?) -> Void)?
  let onFailure: (@convention(c) (UnsafeMutableRawPointer?, OpaquePointer?) -> Void)?
  let context: UnsafeMutableRawPointer?

  init(_ options: fuse_delivery_options) {
    onUpdate = options.on_update
    onFailure = options.on_failure
    context = options.context
  }

  func tell(_ event: FuseSubscription.Event) {
    switch event {
    case .unchanged: break
    case .updated(let report):
      guard let onUpdate else { return }
      var told = fuse_fetch_report(report)
      told.size = MemoryLayout<fuse_fetch_report>.size
      withUnsafePointer(to: told) { onUpdate(context, $0) }
    case .failed(let reason):
      guard let onFailure else { return }
      let handle = try? handle(of: ErrorBox(reason), HandleKind.error)
      onFailure(context, handle)
      _ = close(handle, HandleKind.error)
    }
  }
}

extension FuseDigest {
  /// The digits, as the header's structs have them.
  fileprivate func copy<Text: BitwiseCopyable>(to text: inout Text) {
    withUnsafeMutableBytes(of: &text) { text in
      for (number, digit) in description.utf8.enumerated() where number < text.count - 1 { text[number] = digit }
    }
  }
}

extension fuse_fetch_report {
  fileprivate init(_ made: FuseFetcher.Report) {
    self.init()
    switch made.way {
    case .none: way = Int32(FUSE_WAY_NONE)
    case .patches(let count):
      way = Int32(FUSE_WAY_PATCHES)
      patch_count = UInt32(clamping: count)
    case .whole: way = Int32(FUSE_WAY_WHOLE)
    }
    generation = UInt64(made.generation)
    file_byte_count = UInt64(made.fileByteCount)
    planned_byte_count = UInt64(made.plannedByteCount)
    byte_count = UInt64(made.byteCount)
    request_count = UInt64(made.requestCount)
    seconds_asking = made.timeAsking / .seconds(1)
    seconds_transferring = made.timeTransferring / .seconds(1)
    seconds_making = made.timeMaking / .seconds(1)
    fell_back = made.fallback != nil
    made.manifest?.copy(to: &manifest)
  }
}

/// Where a version comes from, and how.
private struct DeliveryArguments {
  let given: fuse_delivery_options
  let remote: FuseRemote
  let name: RefName
  let path: String
  let fetching: FuseFetcher.Options
  let serving: ServingOptions
  let fetchingRule: AcceptRule?
  let servingRule: AcceptRule?

  init(
    _ remote: UnsafePointer<CChar>?, _ remote_size: Int, _ name: UnsafePointer<CChar>?, _ name_size: Int,
    _ path: UnsafePointer<CChar>?, _ path_size: Int, _ options: UnsafePointer<fuse_delivery_options>?
  ) throws(FuseError) {
    self.path = try FuseDBC.path(path, path_size, "path")
    self.name = try RefName(try text(name, name_size, "name"))
    given = try FuseDBC.options(options, fuse_delivery_options(), "options")
    let rules = try FuseDBC.options(given.serving, fuse_serving_options(), "serving")
    fetchingRule = rules.accept.map { AcceptRule($0, rules.context) }
    servingRule = rules.accept.map { AcceptRule($0, rules.context) }
    serving = try ServingOptions(rules, servingRule)
    var fetching = FuseFetcher.Options()
    fetching.rules = try ServingOptions(rules, fetchingRule).rules
    for key in try array(given.trusted_keys, given.trusted_key_count, "trusted_keys") {
      let word = try text(key.data, key.size, "trusted_keys")
      fetching.trustedKeys.append(try TrustedKey(textOrPath: word))
    }
    fetching.keptFileCount = try count(given.kept_file_count, "kept_file_count")
    fetching.fallsBack = !given.patches_only
    self.fetching = fetching
    var transfers = FuseRemote.Options()
    transfers.connectTimeout =
      try time(given.connect_timeout, "connect_timeout", transfers.connectTimeout) ?? .seconds(1_000_000)
    transfers.stallTimeout = try time(given.stall_timeout, "stall_timeout", transfers.stallTimeout) ?? .zero
    transfers.deadline = try time(given.deadline, "deadline", .seconds(3600))
    transfers.greatestRate = given.greatest_rate == 0 ? nil : try count(given.greatest_rate, "greatest_rate")
    if given.retry_count != 0 { transfers.retryCount = max(0, Int(given.retry_count)) }
    self.remote = try FuseRemote(
      String(path: Array(try FuseDBC.given(remote, remote_size, "remote"))), options: transfers)
  }
}

/// A time in seconds: 0 for the default, negative for no end.
private func time(_ seconds: Double, _ name: StaticString, _ usual: Duration) throws(FuseError) -> Duration? {
  guard seconds <= 1e9 else { throw .slip("'\(name)' is \(seconds) seconds and at most 1e9") }
  return seconds == 0 ? usual : seconds < 0 ? nil : .milliseconds(max(1, Int64(seconds * 1000)))
}

/// Makes the file at a path the version that a ref leads to.
@c @implementation
public func fuse_fetch(
  _ remote: UnsafePointer<CChar>?, _ remote_size: Int, _ name: UnsafePointer<CChar>?, _ name_size: Int,
  _ path: UnsafePointer<CChar>?, _ path_size: Int, _ options: UnsafePointer<fuse_delivery_options>?, _ is_trial: Bool,
  _ call: UnsafePointer<fuse_call>?, _ report: UnsafeMutablePointer<fuse_fetch_report>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let given = try DeliveryArguments(remote, remote_size, name, name_size, path, path_size, options)
    let slot = try ReportSlot(report, "report")
    let fetcher = FuseFetcher(given.remote, given.name, path: given.path, options: given.fetching)
    let made = try longCall(call) { progress throws(FuseError) in
      try fetcher.fetch(isTrial: is_trial) { done, total in progress?(Double(done) / Double(max(total, 1))) }
    }
    slot.fill(fuse_fetch_report(made))
    return made.way == .none ? Status.none : Status.ok
  }
}

extension FusePublisher.Options {
  fileprivate init(_ options: fuse_publish_options) throws(FuseError) {
    self.init()
    for path in try paths(options.key_paths, options.key_path_count, "key_paths") {
      keys.append(try SigningKey(path: path))
    }
    metadata = try FuseDBC.metadata(options.metadata, options.metadata_count)
    guard options.validity >= 0, options.validity <= 1e9 else {
      throw .slip("'validity' is \(options.validity) seconds, and has to be from 0 to 1e9")
    }
    if options.validity > 0 { validity = .seconds(max(1, Int64(options.validity))) }
    let distances = try array(options.patch_distances, options.patch_distance_count, "patch_distances")
    if options.patch_distances != nil { patchDistances = distances.map(Int.init) }
    if options.makes_no_patches { patchDistances = [] }
    leastKeyCount = try count(options.least_key_count, "least_key_count")
    greatestShrink = try share(options.greatest_shrink, isGiven: options.has_greatest_shrink, "greatest_shrink")
  }
}

/// Adds the file at a path to a remote as the newest version, and has a ref lead to it.
@c @implementation
public func fuse_publish(
  _ remote: UnsafePointer<CChar>?, _ remote_size: Int, _ name: UnsafePointer<CChar>?, _ name_size: Int,
  _ path: UnsafePointer<CChar>?, _ path_size: Int, _ options: UnsafePointer<fuse_publish_options>?,
  _ call: UnsafePointer<fuse_call>?, _ report: UnsafeMutablePointer<fuse_publish_report>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let path = try FuseDBC.path(path, path_size, "path")
    let name = try RefName(try text(name, name_size, "name"))
    let options = try FusePublisher.Options(try FuseDBC.options(options, fuse_publish_options(), "options"))
    let publisher = try FusePublisher(
      try FuseRemote(String(path: Array(try given(remote, remote_size, "remote")))))
    let slot = try ReportSlot(report, "report")
    let made = try longCall(call) { _ throws(FuseError) in
      try publisher.publish(path, as: name, options: options)
    }
    var published = fuse_publish_report()
    published.generation = UInt64(made.generation)
    published.key_count = UInt64(made.keyCount)
    published.byte_count = UInt64(made.byteCount)
    published.packed_byte_count = UInt64(made.packedByteCount)
    published.patch_count = UInt64(made.patches.count)
    published.patch_byte_count = UInt64(made.patches.reduce(0) { $0 + $1.byteCount })
    made.manifest.copy(to: &published.manifest)
    slot.fill(published)
    return made.isNew ? Status.ok : Status.none
  }
}

/// Opens the file at a path, or fetches it where there is none, and begins to follow.
@c @implementation
public func fuse_subscription_open(
  _ remote: UnsafePointer<CChar>?, _ remote_size: Int, _ name: UnsafePointer<CChar>?, _ name_size: Int,
  _ path: UnsafePointer<CChar>?, _ path_size: Int, _ options: UnsafePointer<fuse_delivery_options>?,
  _ call: UnsafePointer<fuse_call>?, _ subscription: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(subscription, "subscription")
    let given = try DeliveryArguments(remote, remote_size, name, name_size, path, path_size, options)
    var options = FuseSubscription.Options()
    options.fetch = given.fetching
    options.serving = given.serving
    guard given.given.interval >= 0, given.given.longest_interval >= 0 else {
      throw .slip("'interval' and 'longest_interval' are not negative")
    }
    options.interval = try time(given.given.interval, "interval", options.interval) ?? options.interval
    options.longestInterval =
      try time(given.given.longest_interval, "longest_interval", options.longestInterval) ?? options.longestInterval
    let callbacks = SubscriptionCallbacks(given.given)
    let made = try longCall(call) { _ throws(FuseError) in
      try FuseSubscription(given.remote, given.name, path: given.path, options: options) { callbacks.tell($0) }
    }
    do throws(FuseError) {
      slot.pointee = try handle(
        of: SubscriptionBox(made, given.fetchingRule, given.servingRule), HandleKind.subscription)
    } catch {
      made.stop()
      throw error
    }
    return Status.ok
  }
}

/// What serves, as a handle of its own.
@c @implementation
public func fuse_subscription_reloadable(
  _ subscription: OpaquePointer?, _ reloadable: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: SubscriptionBox = try object(subscription, HandleKind.subscription)
    let slot = try slot(reloadable, "reloadable")
    slot.pointee = try handle(of: ReloadableBox(box.subscription.reader, box.servingRule), HandleKind.reloadable)
    return Status.ok
  }
}

/// Asks the remote now, on this thread.
@c @implementation
public func fuse_subscription_update(
  _ subscription: OpaquePointer?, _ call: UnsafePointer<fuse_call>?,
  _ report: UnsafeMutablePointer<fuse_fetch_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: SubscriptionBox = try object(subscription, HandleKind.subscription)
    let slot = try ReportSlot(report, "report")
    guard box.fetchingRule?.isAsking != true, box.servingRule?.isAsking != true else {
      throw .slip("'accept' examines a file, and must not update the subscription that asks it")
    }
    let made = try longCall(call) { _ throws(FuseError) in try box.subscription.update() }
    slot.fill(fuse_fetch_report(made))
    return made.way == .none ? Status.none : Status.ok
  }
}

/// What came of the attempts so far.
@c @implementation
public func fuse_subscription_counters(
  _ subscription: OpaquePointer?, _ counters: UnsafeMutablePointer<fuse_delivery_counters>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: SubscriptionBox = try object(subscription, HandleKind.subscription)
    let slot = try ReportSlot(try slot(counters, "counters"), "counters")
    let status = box.subscription.status
    var found = fuse_delivery_counters()
    found.generation = UInt64(status.generation)
    found.attempt_count = UInt64(status.attemptCount)
    found.update_count = UInt64(status.updateCount)
    found.failure_count = UInt64(status.failureCount)
    found.refusal_count = UInt64(status.refusalCount)
    found.byte_count = UInt64(status.byteCount)
    found.request_count = UInt64(status.requestCount)
    found.succeeded_at = status.timeOfSuccess
    slot.fill(found)
    return Status.ok
  }
}

/// Why the last attempt failed: FUSE_OK, and an error to be freed in `reason`.
@c @implementation
public func fuse_subscription_last_failure(
  _ subscription: OpaquePointer?, _ reason: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: SubscriptionBox = try object(subscription, HandleKind.subscription)
    let slot = try slot(reason, "reason")
    guard let found = box.subscription.status.error else { return Status.none }
    slot.pointee = try handle(of: ErrorBox(found), HandleKind.error)
    return Status.ok
  }
}

/// Ends the following: afterwards no callback runs, and no file is taken.
@c @implementation
public func fuse_subscription_stop(
  _ subscription: OpaquePointer?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: SubscriptionBox = try object(subscription, HandleKind.subscription)
    box.subscription.stop()
    return Status.ok
  }
}

/// Stops and closes.
@c @implementation
public func fuse_subscription_close(_ subscription: OpaquePointer?) -> fuse_status {
  guard subscription != nil else { return Status.ok }
  guard let box: SubscriptionBox = closed(subscription, HandleKind.subscription) else { return Status.invalidArgument }
  box.subscription.stop()
  return Status.ok
}
