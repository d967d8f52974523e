public import CFuseDB
public import CFuseDBStore
internal import FuseDBFormat
internal import FuseDBStore
internal import FuseDBSystem

/// A range of an object, in numbers that Swift counts with.
private func range(_ offset: UInt64, _ count: UInt64) -> Range<Int> {
  let start = Int(clamping: offset)
  let (end, overflows) = start.addingReportingOverflow(Int(clamping: count))
  return start..<(overflows ? Int.max : end)
}

/// Copies a part of an object.
@c @implementation
public func fuse_store_get(
  _ store: OpaquePointer?, _ id: UnsafePointer<fuse_store_id>?, _ offset: UInt64, _ count: UInt64,
  _ bytes: UnsafeMutablePointer<fuse_buffer>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let slot = try slot(bytes, "bytes")
    guard let found = try store.read(of: try identifier(id), range: range(offset, count)) else { return Status.none }
    try slot.set(found)
    return Status.ok
  }
}

/// The same into memory of the caller's.
@c @implementation
public func fuse_store_read(
  _ store: OpaquePointer?, _ id: UnsafePointer<fuse_store_id>?, _ offset: UInt64, _ data: UnsafeMutableRawPointer?,
  _ size: Int, _ count: UnsafeMutablePointer<Int>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let count = try slot(count, "count")
    let room = try given(data, size, "data")
    guard let found = try store.read(of: try identifier(id), range: range(offset, UInt64(room.count))) else {
      return Status.none
    }
    if !found.isEmpty { data!.copyMemory(from: found, byteCount: found.count) }
    count.pointee = found.count
    return Status.ok
  }
}

/// Hands an object to a function.
@c @implementation
public func fuse_store_write(
  _ store: OpaquePointer?, _ id: UnsafePointer<fuse_store_id>?,
  _ writing: (@convention(c) (UnsafeMutableRawPointer?, UnsafeRawPointer?, Int) -> Int32)?,
  _ context: UnsafeMutableRawPointer?, _ call: UnsafePointer<fuse_store_call>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let id = try identifier(id)
    guard let writing else { throw .slip("'writing' is NULL") }
    let isThere = try longCall(call) { progress throws(FuseError) in
      try store.read(of: id, progress: shares(progress)) { piece throws(FuseError) in
        let result = piece.withUnsafeBytes { writing(context, $0.baseAddress, $0.count) }
        guard result == 0 else { throw .cancelled }
      }
    }
    return isThere ? Status.ok : Status.none
  }
}

private func shares(_ progress: ((Double) -> Void)?) -> ((Int, Int) -> Void)? {
  progress.map { tell in { done, whole in tell(Double(done) / Double(max(1, whole))) } }
}

/// Writes an object to a file.
@c @implementation
public func fuse_store_write_file(
  _ store: OpaquePointer?, _ id: UnsafePointer<fuse_store_id>?, _ path: UnsafePointer<CChar>?, _ path_size: Int,
  _ call: UnsafePointer<fuse_store_call>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let id = try identifier(id)
    let path = try FuseDBStoreC.path(path, path_size, "path")
    let isThere = try longCall(call) { progress throws(FuseError) in
      try store.write(of: id, to: path, progress: shares(progress))
    }
    return isThere ? Status.ok : Status.none
  }
}

/// Whether an object is there.
@c @implementation
public func fuse_store_contains(
  _ store: OpaquePointer?, _ id: UnsafePointer<fuse_store_id>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    return try store.contains(try identifier(id)) ? Status.ok : Status.none
  }
}

/// How many bytes an object has.
@c @implementation
public func fuse_store_size(
  _ store: OpaquePointer?, _ id: UnsafePointer<fuse_store_id>?, _ byte_count: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let slot = try slot(byte_count, "byte_count")
    guard let count = try store.byteCount(of: try identifier(id)) else { return Status.none }
    slot.pointee = UInt64(count)
    return Status.ok
  }
}

// MARK: Names

/// What a name leads to.
@c @implementation
public func fuse_store_name_get(
  _ store: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ name_size: Int, _ id: UnsafeMutablePointer<fuse_store_id>?,
  _ is_folder: UnsafeMutablePointer<Bool>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    guard let (found, isFolder) = try store.entry(named: try path(name, name_size, "name")) else { return Status.none }
    id?.pointee = found.forC
    is_folder?.pointee = isFolder
    return Status.ok
  }
}

/// Has a name lead to an object, durably.
@c @implementation
public func fuse_store_name_set(
  _ store: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ name_size: Int, _ id: UnsafePointer<fuse_store_id>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    try store.setName(try path(name, name_size, "name"), to: try identifier(id))
    return Status.ok
  }
}

/// Takes a name away.
@c @implementation
public func fuse_store_name_remove(
  _ store: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ name_size: Int,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    return try store.removeName(try path(name, name_size, "name")) ? Status.ok : Status.none
  }
}

/// Has an object no longer stay for its own sake.
@c @implementation
public func fuse_store_remove(
  _ store: OpaquePointer?, _ id: UnsafePointer<fuse_store_id>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    return try store.remove(try identifier(id)) ? Status.ok : Status.none
  }
}
