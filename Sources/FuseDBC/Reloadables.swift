public import CFuseDB
internal import FuseDB
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBServing
internal import FuseDBSystem
internal import Synchronization

/// A reloadable reader, and which thread is asking the caller's own rule.
final class ReloadableBox {
  let store: ReloadableReader
  private let rule: AcceptRule?

  init(_ store: ReloadableReader, _ rule: AcceptRule?) {
    self.store = store
    self.rule = rule
  }

  /// Throws where this thread is asking the rule: a swap would wait for itself.
  func checkOutsideOfRule() throws(FuseError) {
    guard rule?.isAsking == true else { return }
    throw .slip("'accept' examines a file, and must not reload, swap or roll back what asks it")
  }
}

/// The caller's own rule for new files.
final class AcceptRule: Sendable {
  typealias Function = @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, OpaquePointer?) -> Int32

  private let function: Function
  // The caller's, who says that any thread may have it.
  private nonisolated(unsafe) let context: UnsafeMutableRawPointer?
  /// The number of the thread that is asking, or -1.
  private let thread = Atomic(-1)

  init(_ function: @escaping Function, _ context: UnsafeMutableRawPointer?) {
    self.function = function
    self.context = context
  }

  var isAsking: Bool { thread.load(ordering: .relaxed) == ThreadNumber.own }

  func examine(_ new: FuseReader, insteadOf old: FuseReader?) throws(FuseError) {
    // One thread at a time is here.
    thread.store(ThreadNumber.own, ordering: .relaxed)
    defer { thread.store(-1, ordering: .relaxed) }
    let answer = withHandle(of: new) { new in withHandle(of: old) { old in function(context, new, old) } }
    guard answer == 0 else {
      throw FuseError(
        .refused, "the program's own rule does not accept the file (rule 'accept', which returned \(answer))")
    }
  }
}

extension ServingOptions {
  init(_ options: fuse_serving_options, _ rule: AcceptRule?) throws(FuseError) {
    self.init()
    let open = try FuseDBC.options(options.open, fuse_open_options(), "open")
    access = try FuseAccess(open)
    checksums = try FuseReader.Checksums(open.checksums)
    rules.check = try choice(options.check, "check", [.checksums, .full, nil])
    rules.threadCount = try threads(options.thread_count, "thread_count") ?? 1
    rules.leastKeyCount = try count(options.least_key_count, "least_key_count")
    rules.allowsEmpty = options.allows_empty
    rules.greatestShrink = try share(
      options.greatest_shrink, isGiven: options.has_greatest_shrink, "greatest_shrink")
    for key in try array(options.required_keys, options.required_key_count, "required_keys") {
      rules.requiredKeys.append(Array(try given(key, "required_keys")))
    }
    if let rule { rules.accept = { new, old in try rule.examine(new, insteadOf: old) } }
    keptFileCount = try count(options.kept_file_count, "kept_file_count")
    countsLookups = options.counts_lookups
  }
}

/// Opens the file at a path, if it passes the rules.
@c @implementation
public func fuse_reloadable_open(
  _ path: UnsafePointer<CChar>?, _ path_size: Int, _ options: UnsafePointer<fuse_serving_options>?,
  _ call: UnsafePointer<fuse_call>?, _ reloadable: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(reloadable, "reloadable")
    let path = try FuseDBC.path(path, path_size, "path")
    let given = try FuseDBC.options(options, fuse_serving_options(), "options")
    let rule = given.accept.map { AcceptRule($0, given.context) }
    let options = try ServingOptions(given, rule)
    let store = try longCall(call) { _ throws(FuseError) in try ReloadableReader(path: path, options: options) }
    slot.pointee = try handle(of: ReloadableBox(store, rule), HandleKind.reloadable)
    return Status.ok
  }
}

/// Closes it.
@c @implementation
public func fuse_reloadable_close(_ reloadable: OpaquePointer?) -> fuse_status {
  close(reloadable, HandleKind.reloadable)
}

/// A reader of the newest file, which stays as it is and keeps the file until it is closed.
@c @implementation
public func fuse_reloadable_snapshot(
  _ reloadable: OpaquePointer?, _ snapshot: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reloadable, HandleKind.reloadable, error) { (box: ReloadableBox) throws(FuseError) in
    let slot = try slot(snapshot, "snapshot")
    slot.pointee = try handle(of: box.store.snapshot(), HandleKind.reader)
    return Status.ok
  }
}

/// The object under a key of the newest file, copied.
@c @implementation
public func fuse_reloadable_get(
  _ reloadable: OpaquePointer?, _ key: UnsafeRawPointer?, _ key_size: Int, _ value: UnsafeMutablePointer<fuse_buffer>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reloadable, HandleKind.reloadable, error) { (box: ReloadableBox) throws(FuseError) in
    let key = try given(key, key_size, "key")
    let buffer = try buffer(value, "value")
    return try counted(box.store) { reader throws(FuseError) in try copy(key, of: reader, to: buffer) }
  }
}

/// FUSE_OK where the newest file has the key, FUSE_NONE where not.
@c @implementation
public func fuse_reloadable_contains(
  _ reloadable: OpaquePointer?, _ key: UnsafeRawPointer?, _ key_size: Int,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  withObject(reloadable, HandleKind.reloadable, error) { (box: ReloadableBox) throws(FuseError) in
    let key = try given(key, key_size, "key")
    return try box.store.contains(key.bytes) ? Status.ok : Status.none
  }
}

/// Calls `visit` with the object under a key of the newest file, in place, which is good until it returns.
@c @implementation
public func fuse_reloadable_visit(
  _ reloadable: OpaquePointer?, _ key: UnsafeRawPointer?, _ key_size: Int,
  _ visit: (@convention(c) (UnsafeMutableRawPointer?, UnsafeRawPointer?, Int) -> Int32)?,
  _ context: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: ReloadableBox = try object(reloadable, HandleKind.reloadable)
    let key = try given(key, key_size, "key")
    guard let visit else { throw .slip("'visit' is NULL") }
    return try counted(box.store) { reader throws(FuseError) in
      guard let bytes = try reader.bytes(forKey: key.bytes) else { return Status.none }
      let span = fuse_span(bytes)
      if visit(context, span.data, span.size) != 0 { throw .cancelled }
      try reader.checkNotShrunk()
      return Status.ok
    }
  }
}

/// Looks something up in the newest file, and counts that.
private func counted(
  _ store: ReloadableReader, _ look: (FuseReader) throws(FuseError) -> fuse_status
) throws(FuseError) -> fuse_status {
  do throws(FuseError) {
    let status = try store.withReader { reader throws(FuseError) in try look(reader) }
    if store.countsLookups {
      store.countLookups(hits: status == Status.ok ? 1 : 0, misses: status == Status.ok ? 0 : 1, failures: 0)
    }
    return status
  } catch {
    store.countLookups(hits: 0, misses: 0, failures: 1)
    throw error
  }
}

/// Swaps the file of a reloadable reader.
private func swap(
  _ reloadable: OpaquePointer?, _ call: UnsafePointer<fuse_call>?, _ error: HandleSlot?,
  _ body: (ReloadableReader) throws(FuseError) -> Bool
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: ReloadableBox = try object(reloadable, HandleKind.reloadable)
    try box.checkOutsideOfRule()
    let isTaken = try longCall(call) { _ throws(FuseError) in try body(box.store) }
    return isTaken ? Status.ok : Status.none
  }
}

/// Takes the file that is under the path now.
@c @implementation
public func fuse_reloadable_reload(
  _ reloadable: OpaquePointer?, _ call: UnsafePointer<fuse_call>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  swap(reloadable, call, error) { store throws(FuseError) in
    try store.reload()
    return true
  }
}

/// The same unless it is the file that was looked at last, taken or refused: FUSE_NONE then.
@c @implementation
public func fuse_reloadable_reload_if_changed(
  _ reloadable: OpaquePointer?, _ call: UnsafePointer<fuse_call>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  swap(reloadable, call, error) { store throws(FuseError) in try store.reloadIfChanged() }
}

/// Takes the file at another path, and files from there from now on.
@c @implementation
public func fuse_reloadable_swap(
  _ reloadable: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ path_size: Int, _ call: UnsafePointer<fuse_call>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  swap(reloadable, call, error) { store throws(FuseError) in
    try store.swap(to: try FuseDBC.path(path, path_size, "path"))
    return true
  }
}

/// Goes back to the file before this one.
@c @implementation
public func fuse_reloadable_rollback(
  _ reloadable: OpaquePointer?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  swap(reloadable, nil, error) { store throws(FuseError) in
    try store.rollback()
    return true
  }
}

/// Where files are taken from, as it was given.
@c @implementation
public func fuse_reloadable_path(
  _ reloadable: OpaquePointer?, _ path: UnsafeMutablePointer<fuse_buffer>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: ReloadableBox = try object(reloadable, HandleKind.reloadable)
    try buffer(path, "path").set(box.store.path)
    return Status.ok
  }
}

/// What happened so far.
@c @implementation
public func fuse_reloadable_counters(
  _ reloadable: OpaquePointer?, _ counters: UnsafeMutablePointer<fuse_counters>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: ReloadableBox = try object(reloadable, HandleKind.reloadable)
    let slot = try ReportSlot(try slot(counters, "counters"), "counters")
    let found = box.store.counters
    var counters = fuse_counters()
    counters.generation = UInt64(found.generation)
    counters.key_count = UInt64(box.store.keyCount)
    counters.reload_count = UInt64(found.reloadCount)
    counters.refusal_count = UInt64(found.refusalCount)
    counters.hit_count = UInt64(found.hitCount)
    counters.miss_count = UInt64(found.missCount)
    counters.failure_count = UInt64(found.failureCount)
    counters.loaded_at = found.loadedAt
    counters.built_at = found.builtAt ?? 0
    counters.has_built_at = found.builtAt != nil
    counters.gathered_at = found.gatheredAt
    slot.fill(counters)
    return Status.ok
  }
}

/// Why the last refused file was refused: FUSE_OK, and an error to be freed in `reason`.
@c @implementation
public func fuse_reloadable_last_refusal(
  _ reloadable: OpaquePointer?, _ reason: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: ReloadableBox = try object(reloadable, HandleKind.reloadable)
    let slot = try slot(reason, "reason")
    guard let found = box.store.counters.lastError else { return Status.none }
    slot.pointee = try handle(of: ErrorBox(found), HandleKind.error)
    return Status.ok
  }
}
