public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

// Which block of addresses holds an address, asked of the newest file.

extension Reloadable {
  /// Calls `body` with the longest block of the newest file that holds an address, and its object in place, and returns what it
  /// returns; nil where none holds it, too. The file stays mapped until `body` ends.
  ///
  ///     try store.withLongestMatch(of: FuseAddress("8.8.8.8")!) { try $0.view["org"]?.string }   // "Google LLC"
  ///
  /// - Throws: as ``FuseReader/longestMatch(of:)-(FuseAddress)``, also when the file shrank while `body` ran; and what `body` throws.
  /// - Complexity: O(1), as ``FuseReader/longestMatch(of:)-(FuseAddress)``. It takes no lock and writes nothing that other threads
  ///   write.
  public func withLongestMatch<Result>(
    of address: FuseAddress, _ body: (borrowing FuseNetworkMatch) throws -> Result?
  ) throws -> Result? {
    try counted { reader, isFound in
      guard let match = try reader.longestMatch(of: address) else { return nil }
      isFound = true
      return try body(match)
    }
  }

  /// Finds the longest block of the newest file for each of many addresses, one file for all, and calls `body` for each; see
  /// ``FuseReader/withLongestMatches(of:_:)``.
  ///
  /// - Throws: as ``FuseReader/withLongestMatches(of:_:)``.
  /// - Complexity: O(addresses).
  public func withLongestMatches(
    of addresses: [FuseAddress], _ body: (_ number: Int, _ match: borrowing FuseNetworkMatch?) throws -> Void
  ) throws {
    var hits = 0
    var misses = 0
    do {
      try withReader { reader in
        try reader.withLongestMatches(of: addresses) { number, match in
          if match == nil { misses += 1 } else { hits += 1 }
          try body(number, match)
        }
      }
      countLookups(hits: hits, misses: misses, failures: 0)
    } catch {
      countLookups(hits: hits, misses: misses, failures: 1)
      throw error
    }
  }
}
