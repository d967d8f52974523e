import FuseDB

/// This library, with a file of objects and one of the same in their flat form.
final class FuseDBValues {
  let reader: FuseReader
  let flatReader: FuseReader

  init(_ path: String, flatPath: String, form: FuseWriter.Form = .family, _ workload: ValueWorkload) throws {
    try Self.build(path, form, workload, workload.objects)
    try Self.build(flatPath, form, workload, workload.flatObjects)
    reader = try FuseReader(path: path)
    flatReader = try FuseReader(path: flatPath)
  }

  private static func build(
    _ path: String, _ form: FuseWriter.Form, _ workload: ValueWorkload, _ objects: ByteList
  ) throws {
    var options = FuseWriter.Options()
    options.form = form
    let writer = FuseWriter(options)
    let ids = try (0..<objects.count).map { try writer.addObject(RawSpan(_unsafeBytes: objects[$0])) }
    for i in 0..<workload.keyCount {
      try writer.addKey(RawSpan(_unsafeBytes: workload.keys[i]), for: ids[Int(workload.objectOfKey[i])])
    }
    try writer.build(to: path)
  }
}
