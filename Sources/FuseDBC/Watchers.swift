public import CFuseDB
internal import FuseDB
internal import FuseDBServing

/// What a watcher calls.
private struct WatchCallbacks: @unchecked Sendable {
  // The context is the caller's, who says that the watcher's thread may have it.
  let onReload: (@convention(c) (UnsafeMutableRawPointer?, OpaquePointer?) -> Void)?
  let onFailure: (@convention(c) (UnsafeMutableRawPointer?, OpaquePointer?) -> Void)?
  let context: UnsafeMutableRawPointer?

  init(_ options: fuse_watcher_options) {
    onReload = options.on_reload
    onFailure = options.on_failure
    context = options.context
  }

  func tell(_ reader: FuseReader) {
    guard let onReload else { return }
    withHandle(of: reader) { reader in onReload(context, reader) }
  }

  func tell(_ reason: FuseError) {
    guard let onFailure else { return }
    let handle = try? handle(of: ErrorBox(reason), HandleKind.error)
    onFailure(context, handle)
    _ = close(handle, HandleKind.error)
  }
}

/// A time in seconds.
private func seconds(_ time: Double, _ name: StaticString) throws(FuseError) -> Duration {
  guard time.isFinite, time <= 1e9 else { throw .slip("'\(name)' is \(time) seconds and at most 1e9") }
  return .nanoseconds(Int64(time * 1e9))
}

/// Begins to watch.
@c @implementation
public func fuse_watcher_start(
  _ reloadable: OpaquePointer?, _ options: UnsafePointer<fuse_watcher_options>?,
  _ watcher: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: ReloadableBox = try object(reloadable, HandleKind.reloadable)
    let slot = try slot(watcher, "watcher")
    let given = try FuseDBC.options(options, fuse_watcher_options(), "options")
    var options = FuseWatcher.Options()
    guard given.poll_interval >= 0 else { throw .slip("'poll_interval' is \(given.poll_interval) and not negative") }
    if given.poll_interval > 0 {
      options.pollInterval = max(try seconds(given.poll_interval, "poll_interval"), .milliseconds(1))
    }
    guard !given.debounce.isNaN else { throw .slip("'debounce' is no number") }
    if given.debounce > 0 { options.debounce = try seconds(given.debounce, "debounce") }
    if given.debounce < 0 { options.debounce = .zero }
    options.usesFileEvents = !given.polls_only
    let callbacks = WatchCallbacks(given)
    let watcher = try FuseWatcher(
      box.store, options: options, onReload: { callbacks.tell($0) }, onFailure: { callbacks.tell($0) })
    do throws(FuseError) {
      slot.pointee = try handle(of: watcher, HandleKind.watcher)
    } catch {
      watcher.stop()
      throw error
    }
    return Status.ok
  }
}

/// Ends the watching: afterwards no callback runs, and no file is taken.
@c @implementation
public func fuse_watcher_stop(
  _ watcher: OpaquePointer?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let watcher: FuseWatcher = try object(watcher, HandleKind.watcher)
    watcher.stop()
    return Status.ok
  }
}

/// Stops and closes.
@c @implementation
public func fuse_watcher_close(_ watcher: OpaquePointer?) -> fuse_status {
  guard watcher != nil else { return Status.ok }
  guard let closed: FuseWatcher = closed(watcher, HandleKind.watcher) else { return Status.invalidArgument }
  closed.stop()
  return Status.ok
}
