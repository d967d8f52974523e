package import FuseDBFormat
package import FuseDBSystem

/// The folder of a set, and the manifest that was read there.
package struct SetPlace: Sendable {
  package let path: PinnedPath
  package let bytes: [UInt8]

  /// Reads the manifest in the folder at `path`; nil where there is none, or no folder.
  package init?(_ path: String) throws(FuseError) {
    self.path = PinnedPath(path)
    do throws(FuseError) {
      bytes = try SmallFile.bytes(at: SetManifest.place(in: self.path.absolute), most: SetManifest.mostBytes)
    } catch {
      // Where there is no such file, and where the path is one of a file.
      if error.code == .notFound, error.errno == 2 || error.errno == 20 { return nil }
      throw FuseError(
        error.code, error.message, offset: error.offset, path: SetManifest.place(in: path), errno: error.errno)
    }
  }

  /// The manifest that is open.
  package init(_ path: PinnedPath, reading file: OwnedDescriptor) throws(FuseError) {
    self.path = path
    do throws(FuseError) {
      bytes = try SmallFile.bytes(of: file, named: SetManifest.place(in: path.given), most: SetManifest.mostBytes)
    } catch {
      throw error.at(path: SetManifest.place(in: path.given))
    }
  }

  package var manifest: SetManifest {
    get throws(FuseError) {
      do throws(FuseError) {
        return try SetManifest(bytes)
      } catch {
        throw error.at(path: SetManifest.place(in: path.given))
      }
    }
  }

  /// Whether the folder at `path` has a manifest, whatever that is.
  package static func isSet(_ path: String) -> Bool {
    FileStatus(at: SetManifest.place(in: PinnedPath(path).absolute)) != nil
  }

  package static func isNoSet(_ path: String) -> FuseError {
    FuseError(
      .notFound, "this is no set of shards: a set is a folder with the file \(SetManifest.fileName)", path: path)
  }

  package static func join(_ folder: String, _ name: String) -> String {
    folder.utf8.last == UInt8(ascii: "/") ? folder + name : "\(folder)/\(name)"
  }
}
