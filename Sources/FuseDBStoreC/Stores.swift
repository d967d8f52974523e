public import CFuseDB
public import CFuseDBStore
internal import CFuseCrypto
internal import FuseDBFormat
internal import FuseDBStore
internal import FuseDBSystem

/// How contents are cut, as a text says it; nil where there is none.
func chunking(_ span: fuse_span) throws(FuseError) -> FuseStore.Chunking? {
  guard span.size != 0 else { return nil }
  let text = String(decoding: try given(span.data, span.size, "chunking"), as: UTF8.self)
  guard let chunking = FuseStore.Chunking(text) else {
    throw .slip("'chunking' is '\(text)'; it is three numbers such as 4096,16384,65536, or fixed,N, or fsdb")
  }
  return chunking
}

/// How chunks are packed, as a text says it; nil where there is none.
func compression(_ span: fuse_span) throws(FuseError) -> FuseStore.Compression? {
  guard span.size != 0 else { return nil }
  let text = String(decoding: try given(span.data, span.size, "compression"), as: UTF8.self)
  guard let compression = FuseStore.Compression(text) else {
    throw .slip("'compression' is '\(text)'; it is none, auto, zlib:1 to zlib:9, or zstd:-7 to zstd:19")
  }
  return compression
}

private func configuration(_ given: UnsafePointer<fuse_store_options>?) throws(FuseError) -> FuseStore.Configuration {
  let options = try options(given, fuse_store_options(), "options")
  var configuration = FuseStore.Configuration()
  if let chunking = try chunking(options.chunking) { configuration.chunking = chunking }
  if let compression = try compression(options.compression) { configuration.compression = compression }
  if options.pack_byte_count != 0 { configuration.packByteCount = Int(clamping: options.pack_byte_count) }
  return configuration
}

/// Throws where libcrypto is missing, which this library opens late.
private func checkCrypto() throws(FuseError) {
  guard fuse_crypto_is_there() != 0 else {
    throw FuseError(
      .notFound,
      "a store makes digests by \(fuse_crypto_library), which is not there; install OpenSSL: apt-get install libssl3")
  }
}

/// 64 hexadecimal digits and a zero byte.
@c @implementation
public func fuse_store_id_text(
  _ id: UnsafePointer<fuse_store_id>?, _ text: UnsafeMutablePointer<CChar>?
) -> fuse_status {
  answer(nil) { () throws(FuseError) in
    let text = try slot(text, "text")
    for (number, digit) in try identifier(id).description.utf8.enumerated() { text[number] = CChar(digit) }
    text[2 * FuseStore.ObjectID.byteCount] = 0
    return Status.ok
  }
}

/// The id that digits spell.
@c @implementation
public func fuse_store_id_parse(
  _ text: UnsafePointer<CChar>?, _ text_size: Int, _ id: UnsafeMutablePointer<fuse_store_id>?
) -> fuse_status {
  answer(nil) { () throws(FuseError) in
    let slot = try slot(id, "id")
    let text = String(decoding: try given(text, text_size, "text"), as: UTF8.self)
    guard let found = FuseStore.ObjectID(text) else { throw .slip("'text' has no 64 hexadecimal digits") }
    slot.pointee = found.forC
    return Status.ok
  }
}

/// Makes a store in a folder.
@c @implementation
public func fuse_store_create(
  _ path: UnsafePointer<CChar>?, _ path_size: Int, _ options: UnsafePointer<fuse_store_options>?,
  _ store: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(store, "store")
    let path = try FuseDBStoreC.path(path, path_size, "path")
    let configuration = try configuration(options)
    try checkCrypto()
    slot.pointee = try handle(of: FuseStore.create(path: path, configuration: configuration), HandleKind.store)
    return Status.ok
  }
}

/// Makes a store in memory.
@c @implementation
public func fuse_store_create_in_memory(
  _ options: UnsafePointer<fuse_store_options>?, _ store: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(store, "store")
    let configuration = try configuration(options)
    try checkCrypto()
    slot.pointee = try handle(
      of: FuseStore.create(MemoryBackend(), configuration: configuration), HandleKind.store)
    return Status.ok
  }
}

/// Opens the store in a folder.
@c @implementation
public func fuse_store_open(
  _ path: UnsafePointer<CChar>?, _ path_size: Int, _ store: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(store, "store")
    let path = try FuseDBStoreC.path(path, path_size, "path")
    try checkCrypto()
    slot.pointee = try handle(of: FuseStore(path: path), HandleKind.store)
    return Status.ok
  }
}

/// Closes a store.
@c @implementation
public func fuse_store_close(_ store: OpaquePointer?) -> fuse_status { close(store, HandleKind.store) }
