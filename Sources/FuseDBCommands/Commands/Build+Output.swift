extension Build {
  /// Why ``output`` must not be overwritten.
  var refusalToOverwrite: String? {
    Overwriting.refusal(of: output, unless: Overwriting.database).map {
      $0 + "; OUTPUT comes first: give it another name, or remove that file"
    }
  }
}
