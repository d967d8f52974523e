internal import CFuseHandles
internal import FuseDB

// What a C program holds. A handle is a shell that points at an object, and has a word that says of which kind; the shell's
// memory stays, so that a handle that was closed is an error and no crash. See spec/decisions/0028-c-abi.md.

/// The kinds of handles: words that other memory hardly begins with.
enum HandleKind {
  static let reader: UInt32 = 0xF5DB_0001
  static let scan: UInt32 = 0xF5DB_0002
  static let path: UInt32 = 0xF5DB_0003
  static let cancel: UInt32 = 0xF5DB_0004
  static let reloadable: UInt32 = 0xF5DB_0005
  static let watcher: UInt32 = 0xF5DB_0006
  static let writer: UInt32 = 0xF5DB_0007
  static let differences: UInt32 = 0xF5DB_0008
  static let error: UInt32 = 0xF5DB_0009
  static let subscription: UInt32 = 0xF5DB_000A

  /// What a C program calls one of them.
  static func name(of kind: UInt32) -> String? {
    switch kind {
    case reader: "fuse_reader"
    case scan: "fuse_scan"
    case path: "fuse_path"
    case cancel: "fuse_cancel"
    case reloadable: "fuse_reloadable"
    case watcher: "fuse_watcher"
    case writer: "fuse_writer"
    case differences: "fuse_differences"
    case error: "fuse_error"
    case subscription: "fuse_subscription"
    default: nil
    }
  }
}

/// Where a handle is put.
typealias HandleSlot = UnsafeMutablePointer<OpaquePointer?>

/// The object of a handle, retained.
func object<Object: AnyObject>(
  _ handle: OpaquePointer?, _ kind: UInt32, _: Object.Type = Object.self
) throws(FuseError) -> Object {
  guard let object = fuse_shell_object(UnsafeRawPointer(handle), kind) else { throw badHandle(handle, kind) }
  return Unmanaged<Object>.fromOpaque(object).takeUnretainedValue()
}

/// Does `body` with the object of a handle, which is not retained: a count that all threads share would have them wait for each
/// other. The caller does not close the handle meanwhile; so `body` calls nothing of the caller's.
@inline(__always)
func withObject<Object: AnyObject>(
  _ handle: OpaquePointer?, _ kind: UInt32, _ slot: HandleSlot?, _: Object.Type = Object.self,
  _ body: (Object) throws(FuseError) -> Int32
) -> Int32 {
  guard let object = fuse_shell_object(UnsafeRawPointer(handle), kind) else {
    return report(badHandle(handle, kind), to: slot)
  }
  return Unmanaged<Object>.fromOpaque(object)._withUnsafeGuaranteedRef { object in
    do throws(FuseError) { return try body(object) } catch { return report(error, to: slot) }
  }
}

/// What is wrong with a handle.
@inline(never)
func badHandle(_ handle: OpaquePointer?, _ kind: UInt32) -> FuseError {
  let name = HandleKind.name(of: kind) ?? "handle"
  guard let handle else { return .slip("the \(name) is NULL") }
  let found = fuse_shell_kind(UnsafeRawPointer(handle))
  guard found != 0 else { return .slip("the \(name) was closed before") }
  guard let other = HandleKind.name(of: found) else { return .slip("this is no \(name), nor any other handle") }
  return .slip("this is no \(name) but a \(other)")
}

/// A handle of an object, which keeps it until it is closed.
func handle(of object: AnyObject, _ kind: UInt32) throws(FuseError) -> OpaquePointer {
  let retained = Unmanaged.passRetained(object)
  guard let shell = fuse_shell_open(kind, retained.toOpaque()) else {
    retained.release()
    throw .outOfMemory("make a handle")
  }
  return OpaquePointer(shell)
}

/// Takes the object from a handle, which is closed from then on; nil where it is no such handle.
func closed<Object: AnyObject>(_ handle: OpaquePointer?, _ kind: UInt32, _: Object.Type = Object.self) -> Object? {
  var object: UnsafeMutableRawPointer?
  guard fuse_shell_close(UnsafeRawPointer(handle), kind, &object) != 0, let object else { return nil }
  return Unmanaged<Object>.fromOpaque(object).takeRetainedValue()
}

/// Closes a handle, and lets go of its object.
func close(_ handle: OpaquePointer?, _ kind: UInt32) -> Int32 {
  guard handle != nil else { return Status.ok }
  return closed(handle, kind, AnyObject.self) == nil ? Status.invalidArgument : Status.ok
}

/// Calls `body` with a handle of a reader that is good until it returns.
func withHandle<Result>(of reader: FuseReader?, _ body: (OpaquePointer?) -> Result) -> Result {
  let handle = reader.flatMap { reader in try? FuseDBC.handle(of: reader, HandleKind.reader) }
  defer { _ = close(handle, HandleKind.reader) }
  return body(handle)
}
