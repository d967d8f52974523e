/// `convert FILE OUTPUT [--raw]`.
func convert(_ words: [String]) { fatalError("not yet") }
