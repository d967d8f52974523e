internal import FuseDBFormat
internal import FuseDBWeb

/// The files that pages ask for.
enum Assets {
  static let stylesVersion = version(of: styles)
  static let scriptVersion = version(of: script)

  /// An empty picture, so that browsers don't ask for another.
  static let icon = Link.emptyIcon

  /// The file with a name, kept by the browser as long as it has this version.
  static func answer(_ name: String, _ request: WebRequest) -> WebResponse? {
    guard request.method != .post else { return Explorer.refusedMethod("GET, HEAD") }
    let isVersioned = request.parameter("v") != nil
    let headers =
      Page.headers + [("Cache-Control", isVersioned ? "public, max-age=31536000, immutable" : "no-cache")]
    switch name {
    case "explorer.css":
      return WebResponse(kind: "text/css; charset=utf-8", headers: headers, body: Array(styles.utf8))
    case "explorer.js":
      return WebResponse(kind: "text/javascript; charset=utf-8", headers: headers, body: Array(script.utf8))
    default: return nil
    }
  }

  private static func version(of text: String) -> String {
    VisibleText.hexadecimal(Checksum.of(Array(text.utf8).rawSpan).bigEndianBytes)
  }
}
