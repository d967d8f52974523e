public import CFuseDB
internal import FuseDB
internal import FuseDBPatching
internal import FuseDBReading
internal import FuseDBWriting

extension fuse_patch_report {
  init(_ made: PatchReport) {
    self.init()
    byte_count = UInt64(made.byteCount)
    copied_object_count = UInt64(made.copiedObjectCount)
    edited_object_count = UInt64(made.editedObjectCount)
    new_object_count = UInt64(made.newObjectCount)
    added_key_count = UInt64(made.addedKeyCount)
    redirected_key_count = UInt64(made.redirectedKeyCount)
    has_block_bytes = made.hasBlockBytes
  }
}

/// Writes the patch that makes the new file of the old one.
@c @implementation
public func fuse_patch_make(
  _ old_reader: OpaquePointer?, _ new_reader: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ path_size: Int,
  _ output_link: Int32, _ call: UnsafePointer<fuse_call>?, _ report: UnsafeMutablePointer<fuse_patch_report>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let old: FuseReader = try object(old_reader, HandleKind.reader)
    let new: FuseReader = try object(new_reader, HandleKind.reader)
    let path = try FuseDBC.path(path, path_size, "path")
    let link = try choice(output_link, "output_link", outputLinks)
    let slot = try ReportSlot(report, "report")
    let made = try longCall(call) { _ throws(FuseError) in
      try FusePatch.make(from: old, to: new, at: path, outputLink: link)
    }
    slot.fill(fuse_patch_report(made))
    return Status.ok
  }
}

extension FusePatch.Options {
  init(_ options: fuse_patch_options) throws(FuseError) {
    self.init()
    leastKeyCount = try count(options.least_key_count, "least_key_count")
    greatestShrink = try share(options.greatest_shrink, isGiven: options.has_greatest_shrink, "greatest_shrink")
    greatestByteCount =
      options.greatest_byte_count == 0 ? nil : try count(options.greatest_byte_count, "greatest_byte_count")
    outputLink = try choice(options.output_link, "output_link", outputLinks)
  }
}

/// Makes the new file of the old one and the patch at `path`; both are verified.
@c @implementation
public func fuse_patch_apply(
  _ path: UnsafePointer<CChar>?, _ path_size: Int, _ old_reader: OpaquePointer?, _ output: UnsafePointer<CChar>?,
  _ output_size: Int, _ options: UnsafePointer<fuse_patch_options>?, _ call: UnsafePointer<fuse_call>?,
  _ patched: UnsafeMutablePointer<fuse_patched_file>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let path = try FuseDBC.path(path, path_size, "path")
    return try apply([path], old_reader, output, output_size, options, call, patched)
  }
}

/// Makes the file of the last of several patches.
@c @implementation
public func fuse_patch_apply_many(
  _ paths: UnsafePointer<fuse_span>?, _ path_count: Int, _ old_reader: OpaquePointer?, _ output: UnsafePointer<CChar>?,
  _ output_size: Int, _ options: UnsafePointer<fuse_patch_options>?, _ call: UnsafePointer<fuse_call>?,
  _ patched: UnsafeMutablePointer<fuse_patched_file>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let paths = try FuseDBC.paths(paths, path_count, "paths")
    guard !paths.isEmpty else { throw .slip("'paths' is empty; name one patch at least") }
    return try apply(paths, old_reader, output, output_size, options, call, patched)
  }
}

private func apply(
  _ paths: [String], _ old_reader: OpaquePointer?, _ output: UnsafePointer<CChar>?, _ output_size: Int,
  _ options: UnsafePointer<fuse_patch_options>?, _ call: UnsafePointer<fuse_call>?,
  _ patched: UnsafeMutablePointer<fuse_patched_file>?
) throws(FuseError) -> fuse_status {
  let old: FuseReader = try object(old_reader, HandleKind.reader)
  let output = try FuseDBC.path(output, output_size, "output")
  let options = try FusePatch.Options(try FuseDBC.options(options, fuse_patch_options(), "options"))
  let slot = try ReportSlot(patched, "patched")
  let made = try longCall(call) { _ throws(FuseError) in
    try FusePatch.apply(paths, to: old, output: output, options: options)
  }
  var file = fuse_patched_file()
  file.key_count = UInt64(made.keyCount)
  file.object_count = UInt64(made.objectCount)
  file.byte_count = UInt64(made.byteCount)
  file.replaced_key_count = UInt64(made.replacedKeyCount ?? 0)
  file.replaced = made.replacedKeyCount != nil
  slot.fill(file)
  return Status.ok
}

extension fuse_reindex_report {
  init(_ made: ReindexReport) {
    self.init()
    key_count = UInt64(made.keyCount)
    object_count = UInt64(made.objectCount)
    byte_count_before = UInt64(made.byteCountBefore)
    byte_count = UInt64(made.byteCount)
    extension_byte_count = UInt64(made.extensionByteCount)
    network_count = UInt64(made.networkCount ?? 0)
    has_networks = made.networkCount != nil
    literal_key_count = UInt64(made.literalKeyCount)
    replaced_key_count = UInt64(made.replacedKeyCount ?? 0)
    replaced = made.replacedKeyCount != nil
    was_plain = made.wasPlain
  }
}

/// Gives the file at a path a new extension block.
@c @implementation
public func fuse_reindex(
  _ path: UnsafePointer<CChar>?, _ path_size: Int, _ options: UnsafePointer<fuse_reindex_options>?,
  _ call: UnsafePointer<fuse_call>?, _ report: UnsafeMutablePointer<fuse_reindex_report>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let path = try FuseDBC.path(path, path_size, "path")
    let options = try FuseDBC.options(options, fuse_reindex_options(), "options")
    let output = options.output.size == 0 ? nil : try FuseDBC.path(options.output.data, options.output.size, "output")
    let link = try choice(options.output_link, "output_link", outputLinks)
    let networks = try choice(options.networks, "networks", networkChoices)
    let least = try count(options.least_key_count, "least_key_count")
    let shrink = try share(options.greatest_shrink, isGiven: options.has_greatest_shrink, "greatest_shrink")
    let given = try FuseDBC.metadata(options.metadata, options.metadata_count)
    guard given.isEmpty || options.replaces_metadata else {
      throw .slip("'metadata' are given, and 'replaces_metadata' does not say that they replace those of the file")
    }
    let asked = try choice(options.form, "form", forms)
    guard options.has_form || asked == .family else {
      throw .slip("'form' is given, and 'has_form' does not say that it counts")
    }
    if options.has_form, asked != .family, options.reverse_index {
      throw .slip("a compact file has no place for 'reverse_index'")
    }
    let slot = try ReportSlot(report, "report")
    let made = try longCall(call) { progress throws(FuseError) in
      try FuseWriter.reindex(
        path, output: output, outputLink: link, leastKeyCount: least, greatestShrink: shrink,
        metadata: options.replaces_metadata ? given : nil, networks: networks, keyLengths: options.key_lengths,
        reverseIndex: options.reverse_index, form: options.has_form ? asked : nil, progress: progress)
    }
    slot.fill(fuse_reindex_report(made))
    return Status.ok
  }
}
