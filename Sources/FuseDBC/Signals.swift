public import CFuseDB
internal import FuseDB

/// Chooses what is done about SIGBUS.
@c @implementation
public func fuse_set_signals(_ signals: Int32, _ error: UnsafeMutablePointer<OpaquePointer?>?) -> fuse_status {
  answer(error) { () throws(FuseError) in
    FuseSignals.use(try choice(signals, "signals", [.inFront, .once, .none]))
    return Status.ok
  }
}
