package import FuseDBWeb

/// The pages at `/`: what is in the files that are served, and what changed.
package struct Explorer: Sendable {
  package let databases: [ServedDatabase]

  package init(databases: [ServedDatabase]) { self.databases = databases }

  /// The page or its JSON twin at an address; nil where the explorer has none.
  package func answer(to request: WebRequest) -> WebResponse? { nil }
}
