public import CFuseDB
internal import CFuseHandles
internal import CFuseSystem
internal import FuseDB
internal import FuseDBSystem

/// A function of C that is told how far a call is, with what it is to be given.
struct ProgressCallback {
  private let function: @convention(c) (UnsafeMutableRawPointer?, Double) -> Int32
  private let context: UnsafeMutableRawPointer?
  private let ending: UnsafeMutablePointer<fuse_ending>

  init?(_ call: fuse_call, _ ending: UnsafeMutablePointer<fuse_ending>) {
    guard let function = call.progress else { return nil }
    self.function = function
    context = call.context
    self.ending = ending
  }

  func callAsFunction(_ share: Double) { if function(context, share) != 0 { fuse_ending_end(ending) } }
}

/// Does `body` as a long call that can be ended, and gives it what to tell progress to.
func longCall<Result>(
  _ given: UnsafePointer<fuse_call>?, _ body: (_ progress: ((Double) -> Void)?) throws(FuseError) -> Result
) throws(FuseError) -> Result {
  guard let given else { return try body(nil) }
  let call = try options(given, fuse_call(), "call")
  var token: UnsafePointer<UInt32>?
  if let cancel = call.cancel {
    guard let shell = fuse_shell_of(UnsafeRawPointer(cancel), HandleKind.cancel) else {
      throw badHandle(cancel, HandleKind.cancel)
    }
    token = fuse_shell_flag_address(shell)
  }
  // On the heap, for its address stays the same in all threads.
  let ending = UnsafeMutablePointer<fuse_ending>.allocate(capacity: 1)
  ending.initialize(to: fuse_ending(token: token, ended: 0, poll: nil, context: nil, thread: nil))
  defer { ending.deallocate() }
  fuse_ending_poll(ending, call.poll, call.context)
  return try Cancellation.with(ending) { () throws(FuseError) in
    try Cancellation.check()
    guard let callback = ProgressCallback(call, ending) else { return try body(nil) }
    return try body { callback($0) }
  }
}

/// Makes a token.
@c @implementation
public func fuse_cancel_make(
  _ cancel: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(cancel, "cancel")
    guard let shell = fuse_shell_open(HandleKind.cancel, nil) else { throw .outOfMemory("make a handle") }
    slot.pointee = OpaquePointer(shell)
    return Status.ok
  }
}

// Of these the first is for signal handlers, too: it reads and writes the shell alone.

/// Has the calls that were given the token, and those that will be, end with FUSE_ERROR_CANCELLED, mostly within some milliseconds.
@c @implementation
public func fuse_cancel_request(_ cancel: OpaquePointer?) -> fuse_status {
  guard let shell = fuse_shell_of(UnsafeRawPointer(cancel), HandleKind.cancel) else {
    return fuse_status(FUSE_ERROR_INVALID_ARGUMENT)
  }
  fuse_shell_set_flag(shell, 1)
  return fuse_status(FUSE_OK)
}

/// Lets calls run again.
@c @implementation
public func fuse_cancel_reset(_ cancel: OpaquePointer?) -> fuse_status {
  guard let shell = fuse_shell_of(UnsafeRawPointer(cancel), HandleKind.cancel) else { return Status.invalidArgument }
  fuse_shell_set_flag(shell, 0)
  return Status.ok
}

/// FUSE_OK where calls are to end, FUSE_NONE where not.
@c @implementation
public func fuse_cancel_is_requested(_ cancel: OpaquePointer?) -> fuse_status {
  guard let shell = fuse_shell_of(UnsafeRawPointer(cancel), HandleKind.cancel) else { return Status.invalidArgument }
  return fuse_shell_flag(shell) == 0 ? Status.none : Status.ok
}

/// Frees a token that no call uses.
@c @implementation
public func fuse_cancel_free(_ cancel: OpaquePointer?) -> fuse_status {
  guard cancel != nil else { return Status.ok }
  var object: UnsafeMutableRawPointer?
  return fuse_shell_close(UnsafeRawPointer(cancel), HandleKind.cancel, &object) != 0
    ? Status.ok : Status.invalidArgument
}
