internal import CFuseSystem

/// What a terminal says of itself.
package enum Terminal {
  /// How many columns the terminal behind a descriptor has at this moment; nil where that is not known.
  package static func columnCount(of descriptor: Int32) -> Int? {
    let count = fuse_terminal_width(descriptor)
    return count > 0 ? Int(count) : nil
  }
}
