/// `get FILE`, `scan FILE` and `verify FILE`.
func look(_ words: [String]) { fatalError("not yet") }
