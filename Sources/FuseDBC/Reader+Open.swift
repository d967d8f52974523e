public import CFuseDB
internal import FuseDB
internal import FuseDBCompact
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

extension FuseAccess {
  /// What C options say of it.
  init(_ options: fuse_open_options) throws(FuseError) {
    self.init(
      memory: try choice(options.memory, "memory", [.mapped, .copied]),
      advice: try choice(options.advice, "advice", [.normal, .random]),
      prefault: try choice(options.prefault, "prefault", [.none, .background, .atOpen]), isLocked: options.locked)
  }
}

extension FuseReader.Checksums {
  init(_ number: Int32) throws(FuseError) { self = try choice(number, "checksums", [.verified, .skipped]) }
}

/// Opens a reader as options say, and makes a handle of it.
private func open(
  _ given: UnsafePointer<fuse_open_options>?, _ call: UnsafePointer<fuse_call>?, _ reader: HandleSlot?,
  _ error: HandleSlot?, _ make: (FuseAccess, FuseReader.Checksums) throws(FuseError) -> FuseReader
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(reader, "reader")
    let options = try options(given, fuse_open_options(), "options")
    let access = try FuseAccess(options)
    let checksums = try FuseReader.Checksums(options.checksums)
    let opened = try longCall(call) { _ throws(FuseError) in
      let opened = try make(access, checksums)
      try Cancellation.check()
      return opened
    }
    slot.pointee = try handle(of: opened, HandleKind.reader)
    return Status.ok
  }
}

/// Opens the file at a path, in constant time; a plain file, without an extension block, is read once.
@c @implementation
public func fuse_reader_open(
  _ path: UnsafePointer<CChar>?, _ path_size: Int, _ options: UnsafePointer<fuse_open_options>?,
  _ call: UnsafePointer<fuse_call>?, _ reader: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  open(options, call, reader, error) { access, checksums throws(FuseError) in
    try FuseReader(path: try FuseDBC.path(path, path_size, "path"), checksums: checksums, access: access)
  }
}

/// Opens the regular file of a descriptor, which stays the caller's and may be closed afterwards.
@c @implementation
public func fuse_reader_open_descriptor(
  _ descriptor: Int32, _ options: UnsafePointer<fuse_open_options>?, _ call: UnsafePointer<fuse_call>?,
  _ reader: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  open(options, call, reader, error) { access, checksums throws(FuseError) in
    try FuseReader(descriptor: descriptor, checksums: checksums, access: access)
  }
}

/// Opens a copy of the bytes of a file.
@c @implementation
public func fuse_reader_open_bytes(
  _ data: UnsafeRawPointer?, _ size: Int, _ options: UnsafePointer<fuse_open_options>?,
  _ call: UnsafePointer<fuse_call>?, _ reader: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  open(options, call, reader, error) { access, checksums throws(FuseError) in
    let bytes = try given(data, size, "data")
    return try FuseReader(bytes: bytes.bytes, checksums: checksums, isLocked: access.isLocked)
  }
}

/// Closes a reader: its spans are good no more.
@c @implementation
public func fuse_reader_close(_ reader: OpaquePointer?) -> fuse_status { close(reader, HandleKind.reader) }

/// What a reader knows of its file.
@c @implementation
public func fuse_reader_get_info(
  _ reader: OpaquePointer?, _ info: UnsafeMutablePointer<fuse_reader_info>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let reader: FuseReader = try object(reader, HandleKind.reader)
    let slot = try ReportSlot(try slot(info, "info"), "info")
    var info = fuse_reader_info()
    info.key_count = UInt64(reader.keyCount)
    info.byte_count = UInt64(reader.byteCount)
    info.generation = UInt64(reader.generation)
    info.network_count = UInt64(reader.networkCount)
    info.has_networks = reader.hasNetworks
    info.is_plain = reader.isPlain
    info.checksums = Int32(reader.checksums == .verified ? FUSE_CHECKSUMS_VERIFIED : FUSE_CHECKSUMS_SKIPPED)
    info.object_count = UInt64(reader.header.objectCount)
    info.index_offset = reader.header.indexOffset
    info.checksum = reader.header.checksum
    info.version = UInt32(reader.compact != nil ? CompactForm.version : Header.version)
    info.shard_count = UInt64(reader.shards?.shardCount ?? 0)
    info.set_generation = UInt64(reader.shards?.generation ?? 0)
    slot.fill(info)
    return Status.ok
  }
}

/// The path that the file was opened under.
@c @implementation
public func fuse_reader_path(
  _ reader: OpaquePointer?, _ path: UnsafeMutablePointer<fuse_buffer>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let reader: FuseReader = try object(reader, HandleKind.reader)
    try buffer(path, "path").set(reader.path)
    return Status.ok
  }
}

/// FUSE_ERROR_TRUNCATED once the file was found to have been cut or overwritten since it was opened.
@c @implementation
public func fuse_reader_check(
  _ reader: OpaquePointer?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let reader: FuseReader = try object(reader, HandleKind.reader)
    try reader.checkNotShrunk()
    return Status.ok
  }
}
