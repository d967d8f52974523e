import Foundation

/// What is particular to the results of reading values.
extension Table {
  static let valueBlocks = [
    Wanted.allCases.map { $0.name(isFound: false) },
    Wanted.allCases.map { $0.name(isFound: false) + "-over-bytes" },
    Wanted.allCases.map { $0.name(isFound: true) },
    Wanted.allCases.map { $0.name(isFound: false) + "-allocations" }
      + Wanted.allCases.map { $0.name(isFound: true) + "-allocations" },
  ]

  /// Whether these are results of reading values.
  var isOfValues: Bool { results.rows.contains { $0.what == Wanted.bytes.name(isFound: false) } }

  /// What FuseDB takes, as multiples of what others take for as much.
  func valueRatios(_ keys: Int) -> String {
    var lines = ["| ratio | FuseDB |", "|---|---:|"]
    func add(_ what: String, to other: String, of who: Subject) {
      guard let ours = results.row(keys, what, .fuseDB), let theirs = results.row(keys, other, who) else { return }
      let label = what == other ? "\(what) to \(who.rawValue)" : "\(what) to \(who.rawValue), \(other)"
      lines.append("| \(label) | \(String(format: "%.2f", ours.median / theirs.median)) |")
    }
    for suffix in ["", "-over-bytes"] {
      for wanted in [Wanted.bytes, .string, .int, .double, .element, .value] {
        let what = wanted.name(isFound: false) + suffix
        for who in [Subject.maxMind, .maxMindPaths] { add(what, to: what, of: who) }
      }
    }
    let value = Wanted.value.name(isFound: false)
    for wanted in [Wanted.structure, .flatStructure] { add(wanted.name(isFound: false), to: value, of: .maxMind) }
    add(Wanted.text.name(isFound: false), to: Wanted.text.name(isFound: false), of: .wheel)
    for wanted in [Wanted.structure, .value] { add(wanted.name(isFound: false), to: value, of: .wheel) }
    for who in [Subject.msgpackC, .pythonMsgpack] {
      add(value + "-over-bytes", to: Wanted.value.name(isFound: true), of: who)
    }
    return lines.joined(separator: "\n")
  }

  var valueNotes: String {
    """
    For one key, in random order. Each object has the members `org`, `asn`, `country`, `lat` and `tags`. `get-…` starts
    from a key; without `get-`, from a value that was found before. `bytes`: it is found, nothing is read of it;
    `string`: the first member, in place; `int`: the second; `double`: the fourth; `element`: the first of the array that
    is the last member, in place; `text`: the first member as a text of one's own; `struct`: all five, decoded into a
    struct of the language, with an array of texts; `struct-flat`: two texts and three numbers, of objects that hold `lon`
    in the place of `tags`; `value`: everything, whatever it is, as the subject makes it: `FuseValue`,
    `MMDB_get_entry_data_list`, `msgpack_unpack_next`, a dictionary. `…-over-bytes`: what the look-up takes longer than the
    same look-up that only finds the object, with the same questions in turns, and so with all of it in the cache.
    `…-allocations`: calls of malloc, calloc and realloc. What is in the columns of Python includes the interpreter and its
    loop. libmaxminddb finds a network in a tree and gets addresses as numbers; FuseDB finds their text in a hash index and
    compares each object's checksum. See the [README](../README.md).
    """
  }
}
