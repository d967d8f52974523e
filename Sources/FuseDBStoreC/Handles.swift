internal import CFuseDB
internal import CFuseHandles
internal import FuseDBFormat

// What a C program holds of a store: as in FuseDBC, a shell that points at an object, whose memory stays, so that a handle that was closed is
// an error and no crash. See spec/decisions/0028-c-abi.md.

/// The kinds of handles: words that other memory hardly begins with, and none of those of libfusedb.so.
enum HandleKind {
  static let store: UInt32 = 0xF5DB_0101
  static let writer: UInt32 = 0xF5DB_0102
  static let error: UInt32 = 0xF5DB_0103

  static func name(of kind: UInt32) -> String? {
    switch kind {
    case store: "fuse_store"
    case writer: "fuse_store_writer"
    case error: "fuse_store_error"
    default: nil
    }
  }
}

/// Where a handle is put.
typealias HandleSlot = UnsafeMutablePointer<OpaquePointer?>

extension FuseError {
  /// A slip of the caller's, which in Swift would be a failed precondition.
  static func slip(_ message: String) -> FuseError { FuseError(.invalidArgument, message) }
}

/// The object of a handle, retained.
func object<Object: AnyObject>(
  _ handle: OpaquePointer?, _ kind: UInt32, _: Object.Type = Object.self
) throws(FuseError) -> Object {
  guard let object = fuse_shell_object(UnsafeRawPointer(handle), kind) else { throw badHandle(handle, kind) }
  return Unmanaged<Object>.fromOpaque(object).takeUnretainedValue()
}

/// What is wrong with a handle.
private func badHandle(_ handle: OpaquePointer?, _ kind: UInt32) -> FuseError {
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

/// Closes a handle, and lets go of its object. NULL is nothing to do.
func close(_ handle: OpaquePointer?, _ kind: UInt32) -> fuse_status {
  guard handle != nil else { return Status.ok }
  var object: UnsafeMutableRawPointer?
  guard fuse_shell_close(UnsafeRawPointer(handle), kind, &object) != 0, let object else {
    return Status.invalidArgument
  }
  Unmanaged<AnyObject>.fromOpaque(object).release()
  return Status.ok
}
