import Foundation

/// The picture: how long opening and looking up take against the number of keys, both axes logarithmic.
struct Chart {
  private let results: Results

  init(_ results: Results) { self.results = results }

  var svg: String {
    let panels = [
      Panel(results, title: "Opening a file", what: "open", scale: 1e6, left: 0),
      Panel(results, title: "Looking up one key that is there", what: "get-hit", scale: 1, left: Panel.width),
    ]
    let subjects = Subject.allCases.filter { $0.isPictured }.filter { subject in
      results.rows.contains { $0.who == subject }
    }
    let styles = subjects.map { subject in
      let style = Style(subject)
      return """
        .\(style.name) { stroke: \(style.light); fill: \(style.light) }
        @media (prefers-color-scheme: dark) { .\(style.name) { stroke: \(style.dark); fill: \(style.dark) } }
        """
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(2 * Panel.width) \(Panel.height)" \
      font-family="system-ui, sans-serif" font-size="12">
      <title>Time to open a file and to look up a key, against the number of keys</title>
      <style>
      .text { fill: #1f2328 } .faint { fill: #59636e } .grid { stroke: #d1d9e0; stroke-width: 1 }
      .line { fill: none !important; stroke-width: 2; stroke-linejoin: round } .ours { stroke-width: 3.5 }
      .floor.line { stroke-dasharray: 4 3 } .label { stroke: none !important }
      @media (prefers-color-scheme: dark) {
      .text { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #3d444d }
      }
      \(styles.joined(separator: "\n"))
      </style>
      \(panels.map(\.svg).joined(separator: "\n"))
      </svg>

      """
  }
}

/// How a subject's line looks, on white and on black.
struct Style {
  let name: String
  let label: String
  let light: String
  let dark: String

  init(_ subject: Subject) {
    switch subject {
    case .reloadable, .counting, .pool, .snapshots, .maxMind, .maxMindPaths, .msgpackC, .pythonMsgpack, .cReader,
      .cReaderSkipped:
      preconditionFailure("the picture does not show these")
    case .fuseDB: (name, label, light, dark) = ("ours-checked", "FuseDB", "#0969da", "#58a6ff")
    case .fuseDBSkipped: (name, label, light, dark) = ("ours-skipped", "FuseDB, unchecked", "#0550ae", "#a5d6ff")
    case .tinyCDB: (name, label, light, dark) = ("tinycdb", "tinycdb", "#bc4c00", "#f0883e")
    case .lmdb: (name, label, light, dark) = ("lmdb", "LMDB", "#1a7f37", "#56d364")
    case .sqlite: (name, label, light, dark) = ("sqlite", "SQLite", "#8250df", "#d2a8ff")
    case .wheel: (name, label, light, dark) = ("wheel", "fusedb 0.3 (Python)", "#bf3989", "#ff9bce")
    case .floor: (name, label, light, dark) = ("floor", "floor", "#6e7781", "#9198a1")
    }
  }
}
