package import FuseDBFormat
internal import FuseDBReading
package import FuseDBSystem
internal import FuseDBValues

/// What is published of one file: a reader, or a pool's readers.
protocol Served: Reclaimable {
  /// A reader of the file.
  var reader: FuseReader { get }

  /// The same file, under another generation.
  func again(generation: Int) -> Self

  /// The reader for this thread, of an object that is in use; nothing is retained.
  @unsafe
  static func ownReader(of object: Unmanaged<Self>) -> Unmanaged<FuseReader>
}

extension FuseReader: Served {
  var reader: FuseReader { self }

  /// Opens a file to serve it.
  package convenience init(
    _ file: OwnedDescriptor, path: String, options: ServingOptions, generation: Int
  ) throws(FuseError) {
    let mapping = try FileMapping(descriptor: file.number, path: path, access: options.access)
    try self.init(mapping, checksums: options.checksums, generation: generation)
  }

  func again(generation: Int) -> FuseReader { FuseReader(self, generation: generation) }

  // SAFETY: the reference is handed back as it came; nothing is read.
  @inline(__always)
  @unsafe
  static func ownReader(of object: Unmanaged<FuseReader>) -> Unmanaged<FuseReader> { unsafe object }
}
