public import CFuseDB
internal import CFuseHandles
internal import FuseDB
internal import FuseDBFormat
internal import FuseDBWriting

/// What a merge calls.
private struct MergeCallbacks: @unchecked Sendable {
  // The context is the caller's, who says that a thread of the library may have it.
  let combine:
    (
      @convention(c) (UnsafeMutableRawPointer?, fuse_span, fuse_span, fuse_span, UnsafeMutablePointer<fuse_buffer>?) ->
        Int32
    )?
  let onConflict: (@convention(c) (UnsafeMutableRawPointer?, fuse_span, Int, Int) -> Void)?
  let context: UnsafeMutableRawPointer?

  init(_ options: fuse_merge_options) {
    combine = options.combine
    onConflict = options.on_conflict
    context = options.context
  }

  func combination(
    _ key: RawSpan, _ first: RawSpan, _ second: RawSpan
  ) throws(FuseError) -> MergeOptions.Combination {
    guard let combine else { return .second }
    var value = fuse_buffer()
    defer { fuse_memory_free(value.data) }
    let answer = combine(context, fuse_span(key), fuse_span(first), fuse_span(second), &value)
    switch Int(answer) {
    case Int(FUSE_COMBINE_FIRST): return .first
    case Int(FUSE_COMBINE_SECOND): return .second
    case Int(FUSE_COMBINE_VALUE):
      guard value.size >= 0, value.size <= value.capacity else { throw .slip("'combine' left a broken buffer") }
      return .value(Array(UnsafeBufferPointer(start: value.data, count: value.size)))
    case ..<0: throw .cancelled
    default: throw .slip("'combine' returned \(answer), which is none of FUSE_COMBINE_…")
    }
  }

  func tell(_ conflicts: [MergeConflict]) {
    guard let onConflict else { return }
    for conflict in conflicts {
      conflict.key.withUnsafeBytes { key in
        let key = fuse_span(data: key.baseAddress, size: key.count)
        switch conflict.outcome {
        case .kept(let kept, let dropped): onConflict(context, key, kept, dropped)
        // SIZE_MAX, as Swift has it.
        case .combined: onConflict(context, key, -1, -1)
        }
      }
    }
  }
}

extension MergeOptions {
  fileprivate init(_ given: fuse_merge_options, _ callbacks: MergeCallbacks) throws(FuseError) {
    let options = try FuseDBC.options(given.writer, fuse_writer_options(), "writer")
    let writing = try FuseWriter.Options(options, isMerge: true)
    self.init(
      order: writing.order, layout: writing.layout, metadata: writing.metadata, memory: writing.memory,
      temporaryFolder: writing.temporaryFolder, threadCount: writing.threadCount, leastKeyCount: writing.leastKeyCount,
      greatestShrink: writing.greatestShrink, outputLink: writing.outputLink, networks: writing.networks,
      keyLengths: writing.keyLengths, reverseIndex: writing.reverseIndex)
    form = writing.form
    switch Int(options.on_duplicate) {
    case Int(FUSE_DUPLICATE_FIRST): onConflict = .first
    case Int(FUSE_DUPLICATE_ERROR): onConflict = .error
    case Int(FUSE_DUPLICATE_COMBINE):
      guard callbacks.combine != nil else { throw .slip("'combine' is NULL, and 'on_duplicate' says that it decides") }
      onConflict = .combine { key, first, second in try callbacks.combination(key, first, second) }
    default: onConflict = .last
    }
    subtracting = try paths(given.subtracting, given.subtracting_count, "subtracting")
    for prefix in try array(given.prefixes, given.prefix_count, "prefixes") {
      prefixes.append(Array(try FuseDBC.given(prefix, "prefixes")))
    }
  }
}

extension fuse_merge_report {
  init(_ merged: MergeReport) {
    self.init()
    input_key_count = UInt64(merged.inputKeyCount)
    subtracted_key_count = UInt64(merged.subtractedKeyCount)
    conflict_count = UInt64(merged.conflictCount)
    combined_count = UInt64(merged.combinedCount)
    key_count = UInt64(merged.keyCount)
    object_count = UInt64(merged.objectCount)
    byte_count = UInt64(merged.byteCount)
    bytes_saved_by_sharing = UInt64(merged.bytesSavedBySharing)
    replaced_key_count = UInt64(merged.replacedKeyCount ?? 0)
    replaced = merged.replacedKeyCount != nil
    network_count = UInt64(merged.networkCount ?? 0)
    has_networks = merged.networkCount != nil
    literal_key_count = UInt64(merged.literalKeyCount)
    spilled_byte_count = UInt64(merged.spilledByteCount)
  }
}

/// Writes one file with the keys of many, of which each is checked.
@c @implementation
public func fuse_merge(
  _ inputs: UnsafePointer<fuse_span>?, _ input_count: Int, _ output: UnsafePointer<CChar>?, _ output_size: Int,
  _ options: UnsafePointer<fuse_merge_options>?, _ call: UnsafePointer<fuse_call>?,
  _ report: UnsafeMutablePointer<fuse_merge_report>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> fuse_status {
  answer(error) { () throws(FuseError) in
    let inputs = try paths(inputs, input_count, "inputs")
    let output = try path(output, output_size, "output")
    let given = try FuseDBC.options(options, fuse_merge_options(), "options")
    let callbacks = MergeCallbacks(given)
    let options = try MergeOptions(given, callbacks)
    let slot = try ReportSlot(report, "report")
    let merged = try longCall(call) { progress throws(FuseError) in
      try FuseWriter.merge(inputs, to: output, options: options, progress: progress)
    }
    callbacks.tell(merged.conflicts)
    slot.fill(fuse_merge_report(merged))
    return Status.ok
  }
}
