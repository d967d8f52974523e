import Foundation

/// What is particular to the results of reading values.
extension Table {
  static let valueBlocks = [
    Wanted.allCases.map { $0.name(.key) },
    Wanted.allCases.map { $0.name(.keySerially) },
    Wanted.allCases.map { $0.name(.key) + "-over-bytes" },
    Wanted.allCases.map { $0.name(.found) },
    Wanted.allCases.map { $0.name(.key) + "-allocations" } + Wanted.allCases.map { $0.name(.found) + "-allocations" },
  ]

  /// Whether these are results of reading values.
  var isOfValues: Bool { results.rows.contains { $0.what == Wanted.bytes.name(.key) } }

  /// What FuseDB takes, as multiples of what others take for as much.
  func valueRatios(_ keys: Int) -> String {
    let peers: [Subject] = [.maxMind, .maxMindPaths, .msgpackC, .wheel, .pythonMsgpack]
    var lines = [
      "| FuseDB's time to that of | " + peers.map(\.rawValue).joined(separator: " | ") + " |",
      "|---|" + String(repeating: "---:|", count: peers.count),
    ]
    for (start, suffix) in [(Start.key, ""), (.keySerially, ""), (.key, "-over-bytes"), (.found, "")] {
      for wanted in Wanted.allCases {
        guard let ours = results.row(keys, wanted.name(start) + suffix, .fuseDB) else { continue }
        // No peer decodes into structs of Swift: what comes next to it is all of the value.
        let isStruct = wanted == .structure || wanted == .flatStructure
        let theirs = (isStruct ? Wanted.value : wanted).name(start) + suffix
        let cells = peers.map { who in
          results.row(keys, theirs, who).map { String(format: "%.2f", ours.median / $0.median) } ?? ""
        }
        guard cells.contains(where: { !$0.isEmpty }) else { continue }
        lines.append("| \(ours.what)\(isStruct ? " to \(theirs)" : "") | " + cells.joined(separator: " | ") + " |")
      }
    }
    return lines.joined(separator: "\n")
  }

  var valueNotes: String {
    """
    Time for one key, in random order. Each object has the members `org`, `asn`, `country`, `lat` and `tags`.

    - `get-…` starts from a key, and without `get-` from a value that was found before. `…-serial`: a look-up begins when the
      one before has ended. Otherwise the processor begins with the next ones early, the earlier the less is done with
      each, and waits for their memory at the same time. `…-over-bytes`: what a look-up takes longer than one that only
      finds the object, with the same 2,000 questions in turns, and so with all of it in the cache.
    - `bytes`: the object is found, nothing is read of it. `string`: the first member, in place. `int`: the second.
      `double`: the fourth. `element`: the first of the array that is the last member, in place. `text`: the first member
      as a text of one's own. `struct`: all five, decoded into a struct, with an array of texts. `struct-flat`: two texts
      and three numbers, of objects with `lon` in the place of `tags`. `value`: everything, whatever it is: `FuseValue`,
      `MMDB_get_entry_data_list`, `msgpack_unpack_next`, a dictionary of Python.
    - The peers decode into no struct, so the ratios of `struct` and `struct-flat` are to their `value`.
    - `…-allocations`: calls of malloc, calloc and realloc for one key.
    - The columns of Python include the interpreter and its loop; fusedb 0.3.0 reads FuseDB's file.
    - libmaxminddb walks down a tree and gets addresses as numbers. FuseDB gets them as text, looks them up in a hash
      index, compares the object's checksum and proves that it is one value before anything is read of it.

    See the [README](../README.md) for more.
    """
  }
}
