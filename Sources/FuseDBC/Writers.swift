public import CFuseDB
internal import FuseDB
internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBWriting

/// A writer, and what made it useless.
final class WriterBox {
  private let writer: FuseWriter
  /// After an error of the system or a build that was ended, what was added may not be whole.
  private var failure: FuseError?

  init(_ writer: FuseWriter) { self.writer = writer }

  /// How many keys were added.
  var keyCount: Int { writer.addedKeyCount }

  /// How many objects were added that were not in memory already.
  var storedCount: Int { writer.storedObjectCount }

  func use<Result>(_ body: (FuseWriter) throws(FuseError) -> Result) throws(FuseError) -> Result {
    if let failure {
      throw .slip("the writer failed before and goes on no more: \(failure.message); close it and make another")
    }
    do throws(FuseError) { return try body(writer) } catch {
      if error.code == .inputOutput || error.code == .cancelled { failure = error }
      throw error
    }
  }
}

/// The metadata of C options.
func metadata(
  _ start: UnsafePointer<fuse_metadata>?, _ count: Int
) throws(FuseError) -> [String: String] {
  var metadata: [String: String] = [:]
  for pair in try array(start, count, "metadata") {
    let name = try text(pair.name.data, pair.name.size, "the name of metadata")
    guard metadata.updateValue(try text(pair.text.data, pair.text.size, "the text of metadata"), forKey: name) == nil
    else { throw .slip("'metadata' names '\(name)' twice") }
  }
  return metadata
}

let outputLinks: [OutputLink] = [.refused, .followed, .replaced]
let forms: [FuseWriter.Form] = [.family, .compact, .compactFast]
let networkChoices: [FuseWriter.Networks] = [.automatic, .always, .never]

extension FuseWriter.Options {
  /// - Parameter policies: what `on_duplicate` may be.
  init(_ options: fuse_writer_options, isMerge: Bool = false) throws(FuseError) {
    self.init()
    order = try choice(options.order, "order", [.key, .insertion])
    sharing = try choice(options.sharing, "sharing", [.identicalObjects, .none])
    let policies: [FuseWriter.DuplicatePolicy] = [.last, .first, .error]
    onDuplicate = try choice(options.on_duplicate, "on_duplicate", isMerge ? policies + [.last] : policies)
    layout = try choice(options.layout, "layout", [.indexed, .plain])
    form = try choice(options.form, "form", forms)
    networks = try choice(options.networks, "networks", networkChoices)
    outputLink = try choice(options.output_link, "output_link", outputLinks)
    normalisation = try FuseDBC.normalisation(options.normalisation)
    keyLengths = options.key_lengths
    reverseIndex = options.reverse_index
    masksHostBits = options.masks_host_bits
    memory = options.memory == 0 ? nil : try count(options.memory, "memory")
    temporaryFolder =
      options.temporary_folder.size == 0
      ? nil : try path(options.temporary_folder.data, options.temporary_folder.size, "temporary_folder")
    threadCount = try threads(options.thread_count, "thread_count")
    leastKeyCount = try count(options.least_key_count, "least_key_count")
    greatestShrink = try share(options.greatest_shrink, isGiven: options.has_greatest_shrink, "greatest_shrink")
    metadata = try FuseDBC.metadata(options.metadata, options.metadata_count)
    try check()
  }

  /// Throws where what is asked for has no place in the file.
  private func check() throws(FuseError) {
    if normalisation != nil, metadata[KeyNormalisation.metadataName] != nil {
      throw .slip("'normalisation' writes the metadata '\(KeyNormalisation.metadataName)', and they are given too")
    }
    if form != .family {
      if layout == .plain { throw .slip("a compact file is never plain, and 'layout' says that it is") }
      if reverseIndex { throw .slip("a compact file has no place for 'reverse_index'") }
    }
    guard layout == .plain else { return }
    let needless: [(Bool, String)] = [
      (!metadata.isEmpty, "metadata"), (normalisation != nil, "normalisation"), (networks == .always, "networks"),
      (keyLengths, "key_lengths"), (reverseIndex, "reverse_index"),
    ]
    for (isAsked, name) in needless where isAsked { throw .slip("a plain file has no place for '\(name)'") }
  }
}

/// Makes a writer that holds nothing yet.
@c @implementation
public func fuse_writer_make(
  _ options: UnsafePointer<fuse_writer_options>?, _ writer: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let slot = try slot(writer, "writer")
    let options = try FuseWriter.Options(try FuseDBC.options(options, fuse_writer_options(), "options"))
    slot.pointee = try handle(of: WriterBox(FuseWriter(options)), HandleKind.writer)
    return Status.ok
  }
}

/// Closes a writer; what was not built is gone.
@c @implementation
public func fuse_writer_close(_ writer: OpaquePointer?) -> fuse_status { close(writer, HandleKind.writer) }

/// Adds an object, the bytes of exactly one MessagePack value, and says its number, for keys.
@c @implementation
public func fuse_writer_add_object(
  _ writer: OpaquePointer?, _ data: UnsafeRawPointer?, _ size: Int, _ object: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: WriterBox = try FuseDBC.object(writer, HandleKind.writer)
    let slot = try slot(object, "object")
    let bytes = try given(data, size, "data")
    slot.pointee = try box.use { writer throws(FuseError) in try writer.addObject(bytes.bytes).rawNumber }
    return Status.ok
  }
}

/// The same of the value that JSON text spells, each part in its shortest encoding.
@c @implementation
public func fuse_writer_add_json(
  _ writer: OpaquePointer?, _ text: UnsafePointer<CChar>?, _ text_size: Int, _ object: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: WriterBox = try FuseDBC.object(writer, HandleKind.writer)
    let slot = try slot(object, "object")
    let bytes = try messagePack(ofJSON: text, text_size)
    slot.pointee = try box.use { writer throws(FuseError) in try writer.addObject(bytes).rawNumber }
    return Status.ok
  }
}

/// Points keys at an object.
private func add(
  _ keys: some Sequence<fuse_span>, for number: UInt64, to writer: FuseWriter
) throws(FuseError) {
  guard let object = try writer.object(numbered: number) else {
    throw .slip("there is no object \(number) in this writer; 'fuse_writer_add_object' gives the numbers")
  }
  for key in keys { try writer.addKey(try given(key, "key").bytes, for: object) }
}

/// Points a key, of at most 65,535 bytes, at an object of this writer.
@c @implementation
public func fuse_writer_add_key(
  _ writer: OpaquePointer?, _ key: UnsafeRawPointer?, _ key_size: Int, _ object: UInt64,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: WriterBox = try FuseDBC.object(writer, HandleKind.writer)
    let span = fuse_span(data: key, size: key_size)
    try box.use { writer throws(FuseError) in try add(CollectionOfOne(span), for: object, to: writer) }
    return Status.ok
  }
}

/// Points many keys at one object.
@c @implementation
public func fuse_writer_add_keys(
  _ writer: OpaquePointer?, _ keys: UnsafePointer<fuse_span>?, _ count: Int, _ object: UInt64,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: WriterBox = try FuseDBC.object(writer, HandleKind.writer)
    let keys = try array(keys, count, "keys")
    try box.use { writer throws(FuseError) in try add(keys, for: object, to: writer) }
    return Status.ok
  }
}

/// Adds many objects, each with a key of its own.
@c @implementation
public func fuse_writer_add_many(
  _ writer: OpaquePointer?, _ keys: UnsafePointer<fuse_span>?, _ values: UnsafePointer<fuse_span>?, _ count: Int,
  _ added: UnsafeMutablePointer<Int>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    added?.pointee = 0
    let box: WriterBox = try FuseDBC.object(writer, HandleKind.writer)
    let keys = try array(keys, count, "keys")
    let values = try array(values, count, "values")
    try box.use { writer throws(FuseError) in
      for number in 0..<count {
        let key = try given(keys[number], "keys")
        let object = try writer.addObject(try given(values[number], "values").bytes)
        try writer.addKey(key.bytes, for: object)
        added?.pointee = number + 1
      }
    }
    return Status.ok
  }
}

/// How many keys and objects were added; equal objects that were found in memory are counted once.
@c @implementation
public func fuse_writer_counts(
  _ writer: OpaquePointer?, _ keys: UnsafeMutablePointer<UInt64>?, _ objects: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: WriterBox = try FuseDBC.object(writer, HandleKind.writer)
    keys?.pointee = UInt64(box.keyCount)
    objects?.pointee = UInt64(box.storedCount)
    return Status.ok
  }
}

extension fuse_build_report {
  init(_ built: BuildReport) {
    self.init()
    key_count = UInt64(built.keyCount)
    object_count = UInt64(built.objectCount)
    shared_object_count = UInt64(built.sharedObjectCount)
    unreached_object_count = UInt64(built.unreachedObjectCount)
    duplicate_key_count = UInt64(built.duplicateKeyCount)
    byte_count = UInt64(built.byteCount)
    bytes_saved_by_sharing = UInt64(built.bytesSavedBySharing)
    replaced_key_count = UInt64(built.replacedKeyCount ?? 0)
    replaced = built.replacedKeyCount != nil
    network_count = UInt64(built.networkCount ?? 0)
    has_networks = built.networkCount != nil
    literal_key_count = UInt64(built.literalKeyCount)
  }
}

/// Writes all that was added as the file at a path, which appears complete or not at all.
@c @implementation
public func fuse_writer_build(
  _ writer: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ path_size: Int, _ call: UnsafePointer<fuse_call>?,
  _ report: UnsafeMutablePointer<fuse_build_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let box: WriterBox = try FuseDBC.object(writer, HandleKind.writer)
    let path = try FuseDBC.path(path, path_size, "path")
    let slot = try ReportSlot(report, "report")
    let built = try box.use { writer throws(FuseError) in
      try longCall(call) { progress throws(FuseError) in try writer.build(to: path, progress: progress) }
    }
    slot.fill(fuse_build_report(built))
    return Status.ok
  }
}
