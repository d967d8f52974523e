public import CFuseDB
public import CFuseDBStore
internal import FuseDBFormat
internal import FuseDBStore
internal import FuseDBSystem

/// A function of C that is told of entries. What it ends is a list, and no error.
private final class ListCallback {
  private let function: fuse_store_listing
  private let context: UnsafeMutableRawPointer?
  private(set) var hasEnded = false

  init(_ function: fuse_store_listing?, _ context: UnsafeMutableRawPointer?) throws(FuseError) {
    guard let function else { throw .slip("'listing' is NULL") }
    (self.function, self.context) = (function, context)
  }

  func tell(
    _ name: String, _ id: FuseStore.ObjectID, isFolder: Bool = false, byteCount: Int = 0, mode: UInt32 = 0
  ) throws(FuseError) {
    let text = CText(bytes: name.pathBytes)
    var entry = fuse_store_entry()
    entry.name = UnsafePointer(text.start)
    entry.name_size = text.byteCount
    entry.id = id.forC
    entry.is_folder = isFolder
    entry.byte_count = UInt64(byteCount)
    entry.mode = mode
    let result = withExtendedLifetime(text) { withUnsafePointer(to: entry) { function(context, $0) } }
    guard result == 0 else {
      hasEnded = true
      throw .cancelled
    }
  }

  /// Does the list, which may end early.
  func run(_ body: () throws(FuseError) -> Void) throws(FuseError) -> fuse_status {
    do throws(FuseError) { try body() } catch { guard hasEnded else { throw error } }
    return Status.ok
  }
}

/// All names.
@c @implementation
public func fuse_store_list_names(
  _ store: OpaquePointer?, _ listing: fuse_store_listing?, _ context: UnsafeMutableRawPointer?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let callback = try ListCallback(listing, context)
    return try callback.run { () throws(FuseError) in
      for name in try store.names() {
        // One that went since then is none.
        guard let (id, isFolder) = try store.entry(named: name) else { continue }
        try callback.tell(name, id, isFolder: isFolder)
      }
    }
  }
}

/// All objects that are kept for their own sake.
@c @implementation
public func fuse_store_list_objects(
  _ store: OpaquePointer?, _ listing: fuse_store_listing?, _ context: UnsafeMutableRawPointer?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let callback = try ListCallback(listing, context)
    return try callback.run { () throws(FuseError) in
      try store.forEachKept { id throws(FuseError) in try callback.tell("", id) }
    }
  }
}

/// The files of a folder.
@c @implementation
public func fuse_store_list_files(
  _ store: OpaquePointer?, _ folder: UnsafePointer<fuse_store_id>?, _ listing: fuse_store_listing?,
  _ context: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    let folder = try identifier(folder)
    let callback = try ListCallback(listing, context)
    return try callback.run { () throws(FuseError) in
      for file in try store.files(of: folder) {
        try callback.tell(file.path, file.id, byteCount: file.byteCount, mode: file.mode)
      }
    }
  }
}

/// The chunks of an object.
@c @implementation
public func fuse_store_list_chunks(
  _ store: OpaquePointer?, _ id: UnsafePointer<fuse_store_id>?,
  _ listing: (@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<fuse_store_chunk>?) -> Int32)?,
  _ context: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let store: FuseStore = try object(store, HandleKind.store)
    guard let listing else { throw .slip("'listing' is NULL") }
    guard let chunks = try store.chunks(of: try identifier(id)) else { return Status.none }
    for chunk in chunks {
      let (codec, pack) = (CText(chunk.codec), CText(chunk.pack))
      var found = fuse_store_chunk()
      found.id = chunk.id.forC
      found.byte_count = UInt64(chunk.byteCount)
      found.stored_byte_count = UInt64(chunk.storedByteCount)
      found.codec = UnsafePointer(codec.start)
      found.pack = UnsafePointer(pack.start)
      found.offset = UInt64(chunk.offset)
      let result = withExtendedLifetime((codec, pack)) { withUnsafePointer(to: found) { listing(context, $0) } }
      if result != 0 { break }
    }
    return Status.ok
  }
}
